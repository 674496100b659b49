"""Init ends only when it decides to, and does nothing while nothing happens."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import WITHOUT_PROC, compiled, payload, shell
from tests.support.harness import Init
from tests.support.polling import stays, until
from tests.support.strace import attach
from tests.support.types import Start

NO_TIMEOUT = "0x0"


def ready(init: Init) -> Init:
    """Wait until the payload says so and the init has nothing more to do."""
    init.expect("got is ready\n")
    init.idle()
    return init


def still_works(init: Init) -> None:
    """Check that a signal comes through and that the exit code is the payload's."""
    init.signal(signal.SIGUSR1)
    init.expect("got 10 ")
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137


def test_an_idle_init_does_not_wake_up(start: Start, place: str) -> None:
    """tini wakes once a second (#164)."""
    init = ready(start("--", *payload("receive"), place=place))
    # rt_sigtimedwait without a time: nothing but a signal ends it.
    assert init.idle()[3] == NO_TIMEOUT
    before = procfs.switches(init.pid)
    stays(lambda: procfs.switches(init.pid) == before, "no wake-up", 2.2)


def test_an_idle_pause_does_not_wake_up(start: Start, place: str) -> None:
    init = start("-P", place=place)
    assert init.idle()[3] == NO_TIMEOUT


def test_an_init_that_is_stopped_loses_no_signal(start: Start, place: str) -> None:
    init = ready(start("--", *payload("receive"), place=place))
    init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "its stop")
    init.signal(signal.SIGUSR1)
    init.signal(40)
    init.signal(40)
    init.signal(signal.SIGCONT)
    # The lowest first.
    assert [line.split()[:2] for line in (init.expect(f"{n}\n") for n in ("",) * 4)] == [
        ["got", "10"],
        ["got", "18"],
        ["got", "40"],
        ["got", "40"],
    ]


def test_strace_that_attaches_to_init_and_detaches_ends_nothing(start: Start, place: str, tmp_path: Path) -> None:
    """Attaching interrupts what init waits in, with EINTR."""
    init = ready(start("--", *payload("receive"), place=place))
    for number in range(50, 54):
        tracer = attach(init.pid, tmp_path / "trace")
        try:
            init.signal(number)
            init.expect(f"got {number} ")
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
        until(lambda: not int(procfs.status(init.pid)["TracerPid"]), "strace gone")
        init.signal(number)
        init.expect(f"got {number} ")
    still_works(init)


def test_without_proc_signals_and_exit_codes_are_passed_on(start: Start) -> None:
    init = start("--", *payload("receive"), place=WITHOUT_PROC)
    still_works(ready(init))


@pytest.mark.parametrize("options", [("-g",), ("-a",), ("-c",), ("-S",), ("-w",), ("-vv",)])
def test_without_proc_options_work(start: Start, options: tuple[str, ...]) -> None:
    init = start(*options, "--", *payload("receive"), place=WITHOUT_PROC)
    still_works(ready(init))


def test_without_proc_a_missing_program_is_a_one_line_error(start: Start) -> None:
    outcome = start("no-such-program", place=WITHOUT_PROC).wait()
    assert outcome.code == 127
    assert outcome.stderr.count("\n") == 1


def test_without_proc_orphans_are_reaped(start: Start) -> None:
    script = '( true & ) ; exec "$1"'
    init = start("--", *shell(script, str(compiled("receive"))), place=WITHOUT_PROC)
    ready(init)
    until(lambda: procfs.children(init.pid) == [init.payload], "the orphan reaped")
    still_works(init)


def test_without_proc_a_subreaper_with_a_signals_the_payload_and_says_so(start: Start) -> None:
    """Init cannot know who its descendants are: the payload at least gets it, and the user is told."""
    hide = ["/usr/bin/unshare", "--mount", "--fork", "--kill-child", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"]
    init = ready(start("-a", "--", *payload("receive"), place=hide))
    init.signal(signal.SIGUSR1)
    init.expect("got 10 ")
    assert "/proc" in init.expect_error("\n")
    still_works(init)


def test_a_signal_after_the_payloads_exit_ends_nothing(start: Start) -> None:
    """The payload is a zombie when the signals come: stopped, init has not reaped it yet."""
    init = ready(start("--", *payload("receive")))
    child = init.payload
    init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "its stop")
    kill(child)
    until(lambda: procfs.state(child) == "Z", "the payload's end")
    for number in (signal.SIGTERM, signal.SIGINT, 40):
        init.signal(number)
    init.signal(signal.SIGCONT)
    assert init.wait() == (137, "got is ready\n", "")


def test_hundreds_of_signals_that_are_pending_at_the_start_all_reach_the_payload(start: Start) -> None:
    """With them pending already at the start, the payload is still started and gets every one."""
    prepare = ["block=40", *["raise=40"] * 300]
    init = start("--", *payload("receive"), prepare=prepare)
    for _ in range(300):
        init.expect("got 40 ")
    still_works(init)


def test_an_exit_code_passes_through_two_inits(start: Start, program: list[str], place: str) -> None:
    init = start("--", *program, "--", *program, *shell("kill -USR1 $$"), place=place)
    assert init.wait() == (138, "", "")
