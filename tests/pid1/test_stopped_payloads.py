"""A stopped payload where nobody could say fg: one on a terminal goes on at once, and a stop signal ends any."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import LEADER, compiled, payload, shell
from tests.support.harness import Init
from tests.support.idle_init import idle
from tests.support.polling import until
from tests.support.procfs import state
from tests.support.requirements import need
from tests.support.strace import attach
from tests.support.tty import BASH, SUSPEND, Terminal
from tests.support.types import OpenTerminal, Start
from tests.support.wide import wide
from tools.namespace import NAMESPACE

# Signals that stop by default: the receiver does not take these for itself.
STOPPABLE = [str(number) for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)]
RECEIVE = payload("receive", "got", *STOPPABLE)
STOPS_ITSELF = shell("kill -STOP $$; echo went on")
AROUND = {"pid1": LEADER, "subreaper": ()}


def is_stopped(pid: int) -> None:
    """Wait for a process to be stopped."""
    until(lambda: state(pid) == "T", f"{pid} stopped")


def goes_on(pid: int) -> None:
    """Wait for a process to run or sleep."""
    until(lambda: state(pid) in ("R", "S"), f"{pid} going on")


def open_program(
    terminal: OpenTerminal, program: list[str], place: str, options: list[str], words: list[str]
) -> Terminal:
    """Open a terminal with a program under an init that leads its session."""
    need(words[0])
    return terminal(*AROUND[place], *program, *options, "--", "env", "TERM=vt100", *words)


@pytest.mark.parametrize("options", [[], ["-S"]], ids=["group", "session"])
@pytest.mark.parametrize(
    ("words", "suspend", "leave"),
    [
        # The three that restore the terminal and then send themselves STOP.
        pytest.param(["top", "-d", "1000"], SUSPEND, b"q", id="top"),
        pytest.param(["nano", "--ignorercfiles", "FILE"], b"\x14" + SUSPEND, b"\x18", id="nano"),
        pytest.param([*BASH, "-c", "echo the file; suspend -f; cat FILE; read line"], b"", b"\n", id="bash"),
        # And those that send themselves TSTP, or simply let the terminal stop them.
        pytest.param(["vim.tiny", "-u", "NONE", "FILE"], SUSPEND, b":q\r", id="vim"),
        pytest.param(["less", "FILE"], SUSPEND, b"q", id="less"),
        pytest.param(["su", "root", "-c", "exec top -d 1000"], SUSPEND, b"q", id="su"),
        pytest.param(["sudo", "top", "-d", "1000"], SUSPEND, b"q", id="sudo"),
    ],
)
def test_a_program_that_suspends_itself_shows_its_screen_again(
    terminal: OpenTerminal,
    program: list[str],
    place: str,
    tmp_path: Path,
    options: list[str],
    words: list[str],
    suspend: bytes,
    leave: bytes,
) -> None:
    """Regression: top, nano and bash's suspend stopped for good, and took no key any more."""
    file = tmp_path / "file"
    file.write_text("the file\n")
    words = [word.replace("FILE", str(file)) for word in words]
    one = open_program(terminal, program, place, options, words)
    screen = "load average" if "top" in " ".join(words) else "the file"
    one.expect(screen)
    # In the middle of its first screen top draws that once more before it stops.
    one.rest()
    one.press(suspend)
    one.expect(screen)
    one.press(leave)
    assert one.wait() == 0


@pytest.mark.parametrize("options", [[], ["-g"], ["-a"], ["-c"], ["-S"], ["-u", "1000:1000"]])
def test_a_payload_on_a_terminal_that_stops_itself_goes_on(
    terminal: OpenTerminal, program: list[str], place: str, options: list[str]
) -> None:
    one = terminal(*AROUND[place], *program, *options, "--", *STOPS_ITSELF)
    one.expect("went on")
    assert one.wait() == 0


def test_it_goes_on_in_a_group_that_reaches_out_of_the_namespace(terminal: OpenTerminal, program: list[str]) -> None:
    """With -c, and unshare as the session's leader: that group has no number inside."""
    one = terminal(*NAMESPACE, *program, "-c", "--", *STOPS_ITSELF)
    one.expect("went on")
    assert one.wait() == 0


@pytest.mark.parametrize("options", [[], ["-S"]])
def test_a_group_on_a_terminal_that_stops_itself_goes_on_whole(
    terminal: OpenTerminal, program: list[str], place: str, options: list[str]
) -> None:
    script = shell('"$@" & kill -STOP 0; echo went on; wait', *RECEIVE)
    one = terminal(*AROUND[place], *program, *options, "--", *script)
    until(lambda: "went on" in one.screen and "got is ready" in one.screen, "the payload and its child")


def test_a_payload_on_a_terminal_goes_on_whoever_has_stopped_it(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    """Init cannot tell that STOP from top's own."""
    one = terminal(*AROUND[place], *program, "--", *RECEIVE)
    one.expect("got is ready")
    os.kill(one.runs(*RECEIVE), signal.SIGSTOP)
    one.expect("got 18 ")


def test_a_payload_without_a_terminal_that_stops_itself_stays_stopped(start: Start, place: str) -> None:
    init = start("--", *STOPS_ITSELF, place=place)
    is_stopped(init.payload)
    init.idle()
    assert state(init.payload) == "T"
    os.kill(init.payload, signal.SIGCONT)
    assert init.wait() == (0, "went on\n", "")


def test_a_program_that_is_suspended_through_init_stays_stopped(terminal: OpenTerminal, program: list[str]) -> None:
    """`docker kill --signal=TSTP` is on purpose, though top makes a STOP of it."""
    one = open_program(terminal, program, "subreaper", [], ["top", "-d", "1000"])
    one.expect("load average")
    child = one.runs("top", "-d", "1000")
    os.kill(one.pid, signal.SIGTSTP)
    is_stopped(child)
    idle(one.pid)
    assert state(child) == "T"
    os.kill(one.pid, signal.SIGTERM)
    until(lambda: one.process.poll() is not None, "the end")


@pytest.fixture(params=wide([[], ["-g"], ["-a"], ["-c"], ["-S"], ["-d", "0.1"]], [], ["-g"]), ids=" ".join)
def stopped(request: pytest.FixtureRequest, start: Start, place: str) -> Init:
    """An init whose payload is known to be stopped."""
    init = start(*request.param, "--", "sleep", "1000", place=place)
    os.kill(init.payload, signal.SIGSTOP)
    is_stopped(init.payload)
    init.idle()
    return init


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_signal_ends_a_stopped_payload(stopped: Init, number: int) -> None:
    """Regression: it stayed pending until the engine's KILL."""
    stopped.signal(number)
    assert stopped.wait().code == 128 + number


def test_other_signals_leave_a_payload_stopped(stopped: Init) -> None:
    stopped.signal(signal.SIGHUP)
    until(lambda: procfs.signals(stopped.payload, "ShdPnd") == {signal.SIGHUP}, "HUP forwarded")
    stopped.idle()
    assert state(stopped.payload) == "T"


def test_a_stop_signal_that_overtakes_the_news_of_the_stop_ends_the_payload(
    start: Start, place: str, tmp_path: Path
) -> None:
    """TERM (15) is taken before CHLD (17)."""
    init = start("--", *payload("receive", "got", *STOPPABLE, str(int(signal.SIGTERM))), place=place)
    init.expect("got is ready\n")
    init.idle()
    tracer = attach(init.pid, tmp_path / "log", "-e", "trace=rt_sigtimedwait")
    # Once a signal has gone through, strace is done with attaching.
    init.signal(signal.SIGUSR2)
    init.expect("got 12 ")
    # Not held by strace at the beginning of its wait.
    until(lambda: procfs.rests(init.pid) and procfs.sleeping_in(init.pid) == "rt_sigtimedwait", "init waiting")
    # A tracer that does not run holds init at the end of its wait, with USR1.
    tracer.send_signal(signal.SIGSTOP)
    is_stopped(tracer.pid)
    init.signal(signal.SIGUSR1)
    until(lambda: not procfs.signals(init.pid, "ShdPnd"), "USR1 taken")
    os.kill(init.payload, signal.SIGSTOP)
    is_stopped(init.payload)
    init.signal(signal.SIGTERM)
    tracer.send_signal(signal.SIGCONT)
    assert init.wait().code == 143
    tracer.wait()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_processes_that_were_stopped_together_go_on_together_at_a_stop_signal(
    start: Start, place: str, number: int
) -> None:
    """A job control stop is taken for the terminal's, which is for the whole group; STOP is for the payload alone."""
    script = 'receive=$1; shift; "$receive" child "$@" & exec "$receive" got "$@"'
    init = start("--", *shell(script, str(compiled("receive")), *STOPPABLE), place=place)
    until(lambda: "got is ready\n" in init.stdout and "child is ready\n" in init.stdout, "both")
    (child,) = procfs.children(init.payload)
    os.killpg(init.payload, number)
    is_stopped(init.payload)
    is_stopped(child)
    init.idle()
    init.signal(signal.SIGTERM)
    goes_on(init.payload)
    until(lambda: "got 15 " in init.stdout and "got 18 " in init.stdout, "TERM and CONT")
    init.idle()
    if number == signal.SIGTSTP:
        goes_on(child)
    else:
        assert state(child) == "T"


def test_no_cont_follows_a_stop_signal_once_the_payload_goes_on(start: Start, place: str) -> None:
    init = start("--", *RECEIVE, place=place)
    init.expect("got is ready\n")
    os.kill(init.payload, signal.SIGSTOP)
    is_stopped(init.payload)
    init.idle()
    os.kill(init.payload, signal.SIGCONT)
    init.expect("got 18 ")
    init.idle()
    init.signal(signal.SIGTERM)
    init.signal(40)
    assert "got 18 " not in init.expect("got 40 ")


def test_a_stop_signal_for_a_suspended_job_is_taken_at_fg(terminal: OpenTerminal, program: list[str]) -> None:
    """The shell's CONT is forwarded as always, and init adds none of its own."""
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([*program, "--", *RECEIVE]))
    bash.expect("got is ready")
    child = bash.runs(*RECEIVE)
    bash.press(SUSPEND)
    bash.stopped()
    os.kill(procfs.parent(child), signal.SIGTERM)
    bash.type("fg")
    until(lambda: "got 15 " in bash.screen and "got 18 " in bash.screen, "TERM and CONT")
    os.kill(procfs.parent(child), 40)
    bash.expect("got 40 ")
    assert bash.screen.count("got 18 ") == 1
