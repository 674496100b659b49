"""Who is asked to end when the payload has ended: by which signal, in which order, and nobody twice."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import NOBODY, WITHOUT_PROC, compiled, payload, shell
from tests.support.polling import until
from tests.support.procfs import title
from tests.support.survivors import LONG, Leaving
from tests.support.types import OpenTerminal, Start
from tests.support.wide import wide

# The payload ends with 8 at TERM, which Leaving expects as 7.
ENDED_BY_TERM = ["-e", "8:7"]
# A launcher that ends at TERM, and a server that takes its handler away after the first TERM, as Node's process.once
# and Go's NotifyContext do, and drains until its input ends.
SERVER = """
import signal, sys
def drain(number, frame):
    signal.signal(number, signal.SIG_DFL)
    print("draining", flush=True)
signal.signal(signal.SIGTERM, drain)
print("up", flush=True)
sys.stdin.buffer.read()
print("drained", flush=True)
"""
LAUNCHER = 'trap "exit 143" TERM; exec 3<&0; "$@" <&3 & wait'


# A /proc that shows each user its own processes only (proc(5)).
HIDDEN = ["sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh"]


def stop(leaving: Leaving) -> None:
    """Send TERM, which ends the payload."""
    leaving.ended_at = time.monotonic()
    leaving.init.signal(signal.SIGTERM)


def release(leaving: Leaving) -> None:
    """End those that only tell of their signals."""
    for pid in leaving.left:
        if procfs.alive(pid):
            os.kill(pid, signal.SIGUSR2)


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_a_process_that_had_the_stop_signal_while_the_payload_ran_is_not_sent_it_again(
    start: Start, place: str, option: str
) -> None:
    leaving = Leaving(start, [option, "-t", LONG, *ENDED_BY_TERM], ["telling:3"], place=place)
    stop(leaving)
    leaving.says("told 18", 3)
    leaving.says("told 15", 3)
    release(leaving)
    leaving.wait()


def test_with_g_a_process_of_another_group_gets_term_when_the_payload_has_exited(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-g", "-t", LONG, *ENDED_BY_TERM], ["telling", "distant"], place=place)
    stop(leaving)
    leaving.says("told 18", 2)
    leaving.says("told 15", 2)
    release(leaving)
    leaving.wait()


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_a_server_that_gives_up_at_the_second_term_gets_one_when_its_launcher_has_exited(
    start: Start, place: str, option: str
) -> None:
    """Regression: the grace period's TERM cut the draining short."""
    server = [sys.executable, "-c", SERVER]
    words = ["-v", option, "-t", LONG, "--", *shell(LAUNCHER, *server)]
    init = start(*words, place=place, stdin=subprocess.PIPE)
    init.expect("up\n")
    init.signal(signal.SIGTERM)
    init.expect("draining\n")
    until(lambda: "stopping, 1 left" in title(init.pid), "the launcher's end")
    # Now TERM would end it. CONT is what init sends last.
    init.idle()
    init.end_input()
    assert init.wait().code == 143
    assert init.stdout == "up\ndraining\ndrained\n"


@pytest.mark.parametrize("place", [WITHOUT_PROC], ids=["no /proc"])
def test_with_a_and_without_proc_no_process_gets_term_twice(start: Start, place: list[str]) -> None:
    leaving = Leaving(start, ["-a", "-t", LONG, *ENDED_BY_TERM], ["telling:2"], place=place)
    stop(leaving)
    leaving.says("told 18", 2)
    leaving.says("told 15", 2)
    release(leaving)
    leaving.wait()


@pytest.mark.parametrize(
    ("options", "sent", "asked"),
    [
        (["-r", "TERM:QUIT"], signal.SIGTERM, 3),
        (["--stop-signal", "USR1"], signal.SIGUSR1, 10),
        (["--stop-signal=RTMIN+3", "-r", "RTMIN+3:USR1"], 37, 15),
        ([], signal.SIGUSR1, 15),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(int(value)),
)
def test_the_processes_left_get_the_stop_signal_that_the_payload_got(
    start: Start, place: str, options: list[str], sent: int, asked: int
) -> None:
    """QUIT or a signal that --stop-signal names; TERM otherwise."""
    leaving = Leaving(start, ["-t", LONG, *options], ["telling"], place=place)
    leaving.init.signal(sent)
    if sent == signal.SIGTERM:
        # The payload takes no notice of QUIT.
        leaving.init.idle()
        leaving.end()
    leaving.says("told 18", 1)
    leaving.says(f"told {asked}", 1)
    assert leaving.init.stdout.count("told") == 2
    release(leaving)
    assert leaving.init.wait().code == 7


@pytest.mark.parametrize("option", ["-g", "-a", "-v"])
def test_a_background_job_that_ignores_quit_gets_term(start: Start, place: str, option: str) -> None:
    """Regression: with -g it had got QUIT, which such jobs of shells without job control ignore, and no TERM."""
    leaving = Leaving(start, [option, "-t", LONG, "-r", "TERM:QUIT"], ["background"], place=place)
    leaving.init.signal(signal.SIGTERM)
    leaving.init.idle()
    leaving.end()
    leaving.says("told 18", 1)
    leaving.says("told 15", 1)
    leaving.says("told 3", 0 if option == "-v" else 1)
    release(leaving)
    leaving.wait()


def test_a_server_gets_term_and_its_worker_when_the_server_has_exited(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["family"], place=place).end()
    leaving.says("told 18", 1)
    leaving.init.idle()
    leaving.says("child told 15", 0)
    # Signals that come meanwhile are for the server alone, too.
    leaving.init.signal(signal.SIGHUP)
    leaving.says("told 1", 1)
    server = leaving.left[0]
    (worker,) = procfs.children(server)
    os.kill(server, signal.SIGUSR2)
    until(lambda: leaving.init.stdout.count("child told 15\n") == 1, "the worker asked")
    until(lambda: leaving.init.stdout.count("child told 18\n") == 1, "the worker continued")
    assert "child told 1\n" not in leaving.init.stdout
    os.kill(worker, signal.SIGUSR2)
    assert leaving.init.wait().code == 7


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_with_g_or_a_all_processes_left_get_term_at_once(start: Start, place: str, option: str) -> None:
    leaving = Leaving(start, [option, "-t", LONG], ["family"], place=place).end()
    leaving.says("told 18", 1)
    leaving.says("child told 18", 1)
    leaving.says("told 15", 1)
    leaving.says("child told 15", 1)
    leaving.init.signal(signal.SIGHUP)
    leaving.says("child told 1", 1)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


@pytest.mark.parametrize(("grace", "earliest", "latest"), [("0.2", 0.1, 0.2), ("1", 0.5, 1.0), ("2.5", 1.5, 2.5)])
def test_every_process_left_gets_term_a_second_before_kill_or_half_way_to_it(
    start: Start, place: str, grace: str, earliest: float, latest: float
) -> None:
    leaving = Leaving(start, ["-t", grace], ["family"], place=place).end()
    leaving.init.expect("child told 15\n")
    assert time.monotonic() - leaving.ended_at >= earliest
    assert leaving.wait() >= latest
    assert leaving.init.stdout.count("told 15\n") == 2
    leaving.gone()


@pytest.mark.parametrize("microseconds", wide(range(200, 1600, 100), 200, 600, 1000, 1400))
def test_a_daemon_that_is_forked_while_init_looks_round_is_not_left_running(
    start: Start, place: str, microseconds: int
) -> None:
    """Regression: init saw no process that was left, although it had a child, and exited."""
    init = start("-t", LONG, "--", *payload("double", str(microseconds)), place=place)
    # No process may outlive the test either.
    assert init.wait() == (0, "", "")


def test_a_child_that_proc_does_not_show_gets_term(start: Start) -> None:
    """With hidepid=2 an ordinary user's init does not see a set-user-ID program of root's."""
    hidden = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", *HIDDEN, *NOBODY]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "receive"
        shutil.copy(compiled("receive"), file)
        file.chmod(stat.S_ISUID | 0o755)
        words = shell('"$@" & read _; exit 7', str(file), "hidden")
        init = start("-t", "1", "--", *words, place=hidden, stdin=subprocess.PIPE)
        init.expect("hidden is ready\n")
        init.end_input()
        init.expect("hidden 15 0 1\n")
        init.expect("hidden 18 0 1\n")
        assert init.wait()[::2] == (7, "")


def test_signals_during_the_grace_period_are_passed_on_once_each(start: Start, place: str) -> None:
    """QUIT does not end the period."""
    leaving = Leaving(start, ["-t", LONG], ["telling"], place=place).end()
    leaving.says("told 18", 1)
    for _ in range(3):
        leaving.init.signal(signal.SIGQUIT)
        leaving.init.idle()
    leaving.says("told 3", 1)
    release(leaving)
    leaving.wait()


def test_a_process_that_exits_at_the_end_of_its_input_gets_no_term(start: Start, place: str) -> None:
    """`tee` and other filters, which the payload writes to."""
    script = 'exec > >(trap "echo asked" TERM; cat; echo end of input); echo last'
    assert start("-t", LONG, "--", "bash", "-c", script, place=place).wait() == (0, "last\nend of input\n", "")


def test_the_last_line_of_a_script_that_logs_through_tee_is_not_lost(start: Start, tmp_path: Path) -> None:
    """Regression: tee had its TERM before it had read, in most of the runs."""
    script = 'exec > >(tee -a "$1") 2>&1; echo FATAL: no configuration; exit 1'
    for number in range(20):
        log = tmp_path / str(number)
        assert start("--", "bash", "-c", script, "bash", str(log)).wait() == (1, "FATAL: no configuration\n", "")
        assert log.read_text() == "FATAL: no configuration\n"


def test_a_filter_that_is_kept_from_running_gets_no_term_before_its_last_line(start: Start) -> None:
    """Regression: on an overloaded machine tee had not read a line after 0.1 s, and TERM ended it."""
    script = 'exec > >(exec "$1" $$); echo last; exit 1'
    assert start("--", "bash", "-c", script, "bash", *payload("stalled")).wait() == (1, "last\n", "")


@pytest.mark.parametrize("option", ["-v", "-g", "-a"])
def test_an_open_interactive_shell_does_not_hold_up_the_end_and_saves_its_history(
    start: Start, terminal: OpenTerminal, tmp_path: Path, option: str
) -> None:
    """Regression: `docker exec -it C bash` cost the whole grace period: interactive shells ignore TERM.

    With -a it has had that TERM already.
    """
    init = start(option, "-t", LONG, "--", *payload("receive", "got", "15"))
    init.expect("got is ready\n")
    history = tmp_path / "history"
    inside = ["nsenter", "--target", str(init.pid), "--pid", "--mount", "env", f"HISTFILE={history}"]
    shell_inside = terminal(*inside, "bash", "--norc", "-i")
    shell_inside.type("echo so$((40 + 2))")
    shell_inside.expect("so42")
    begun = time.monotonic()
    init.signal(signal.SIGTERM)
    assert init.wait().code == 143
    assert time.monotonic() - begun < float(LONG) / 2
    assert "echo so$((40 + 2))" in history.read_text().splitlines()


@pytest.mark.parametrize("option", ["-v", "-g", "-a"])
def test_a_program_on_a_terminal_that_handles_term_gets_that_once_and_no_hup(
    start: Start, terminal: OpenTerminal, option: str
) -> None:
    """It has entered from outside. With -a it has TERM with the payload, and then CONT alone."""
    init = start(option, "-t", LONG, "--", *payload("receive", "got", "15"))
    init.expect("got is ready\n")
    one = terminal("nsenter", "--target", str(init.pid), "--pid", "--mount", str(compiled("receive")), "inside")
    one.expect("inside is ready")
    init.signal(signal.SIGTERM)
    one.expect("inside 15 0 1")
    one.expect("inside 18 0 1")
    # The second stop signal ends it; no other has come before.
    init.signal(signal.SIGTERM)
    assert init.wait().code == 143
    assert one.screen.count("inside 15 ") == 1
    assert "inside 1 " not in one.screen
