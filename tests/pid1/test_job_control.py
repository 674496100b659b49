"""On a terminal: ^C, ^Z, fg, bg and a shell's prompt, as if init were not there."""

from __future__ import annotations

import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT, compiled, payload, shell
from tests.support.harness import Init
from tests.support.idle_init import idle
from tests.support.polling import until
from tests.support.survivors import LONG
from tests.support.tty import BASH, END, INTERRUPT, QUIT, SUSPEND, Terminal
from tests.support.types import OpenTerminal, Start
from tools.namespace import NAMESPACE

SLEEP = ("sleep", "1000")
# Stops by the terminal's keys and the kernel, which the receiver then does not take for itself.
STOPPABLE = [str(number) for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)]


@pytest.fixture
def bash(terminal: OpenTerminal) -> Terminal:
    """A terminal with an interactive bash at its first prompt."""
    shell = terminal()
    shell.prompt(0)
    return shell


def command(program: list[str], *words: str) -> str:
    """Pyinit with these words as a shell takes it."""
    return shlex.join([*program, *words])


def state(pid: int, wanted: str) -> None:
    """Wait for a process to be stopped (T) or to go on (anything else)."""
    if wanted == "T":
        until(lambda: procfs.state(pid) == "T", f"{pid} stopped")
    else:
        until(lambda: procfs.state(pid) not in ("T", ""), f"{pid} going on")


def resumed(bash: Terminal, child: int) -> None:
    """Wait until fg has had all its effects: init still hands CONT on when the payload goes on already."""
    assert bash.runs(*SLEEP) == child
    state(child, "S")
    idle(procfs.parent(child))


def test_the_interrupt_key_ends_the_job_with_130(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *SLEEP))
    bash.runs(*SLEEP)
    bash.press(INTERRUPT)
    bash.prompt(130)
    assert bash.foreground == bash.pid


def test_the_quit_key_ends_the_job_with_131(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *SLEEP))
    bash.runs(*SLEEP)
    bash.press(QUIT)
    bash.prompt(131)


@pytest.mark.parametrize("options", [[], ["-g"], ["-c"], ["-a"], ["-v"]])
def test_the_suspend_key_gives_the_prompt_back_and_fg_resumes(
    bash: Terminal, program: list[str], options: list[str]
) -> None:
    """tini's child stops and tini does not: the shell hangs."""
    bash.type(command(program, *options, *SLEEP))
    for _ in range(2):
        child = bash.runs(*SLEEP)
        bash.press(SUSPEND)
        bash.stopped()
        assert bash.foreground == bash.pid
        assert procfs.state(child) == "T"
        bash.type("fg")
        resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("options", [[], ["-v"], ["-g"], ["-a"], ["-c"]])
@pytest.mark.parametrize("how", ["fg", "bg", "kill -CONT %1"])
def test_what_resumes_the_payload_resumes_its_children(
    bash: Terminal, program: list[str], options: list[str], how: str
) -> None:
    """Regression: the terminal stops the whole group, CONT went to the payload alone, and its children hung."""
    bash.type(command(program, *options, "sh", "-c", "sleep 1000; echo $(($? * 10))"))
    child = bash.runs(*SLEEP)
    for _ in range(2):
        bash.press(SUSPEND)
        bash.stopped()
        state(child, "T")
        bash.type(how)
        state(child, "S")
        if how != "fg":
            bash.prompt(0)
            bash.type("fg")
            until(lambda: bash.foreground != bash.pid, "fg at work")
            # Only what is in the foreground can be stopped by the next key: so it is asked for the terminal.
            break
    kill(child)
    bash.expect("1370")


def in_the_shells_foreground(bash: Terminal, child: int) -> None:
    """Have a payload stopped, and go on while init's group has the terminal: fg tells a running job nothing."""
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("bg")
    bash.prompt(0)
    state(child, "S")
    bash.type("fg")
    until(lambda: bash.foreground != bash.pid, "fg at work")


def test_a_key_reaches_the_children_of_a_payload_that_was_in_the_background(bash: Terminal, program: list[str]) -> None:
    """Regression: init sent the terminal's signals to the payload alone, a shell that waits for its child then."""
    bash.type(command(program, "sh", "-c", "sleep 1000; true"))
    child = bash.runs(*SLEEP)
    in_the_shells_foreground(bash, child)
    bash.press(SUSPEND)
    bash.stopped()
    state(child, "T")
    bash.type("fg")
    assert bash.runs(*SLEEP) == child
    state(child, "S")
    in_the_shells_foreground(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("options", [[], ["-c"]])
def test_the_cont_that_resumes_the_payloads_children_reaches_them_once(
    bash: Terminal, program: list[str], options: list[str]
) -> None:
    """In init's group the shell has told them itself; a later CONT, without a stop, is for the payload alone."""
    words = [str(compiled("receive")), *STOPPABLE]
    script = 'receive=$1; shift; "$receive" child "$@" & exec "$receive" got "$@"'
    bash.type(command(program, *options, *shell(script, *words)))
    until(lambda: "got is ready" in bash.screen and "child is ready" in bash.screen, "both")
    (init,) = procfs.children(bash.pid)
    (receiving,) = procfs.children(init)
    (child,) = procfs.children(receiving)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("fg")
    until(lambda: "got 18 0 " in bash.screen and "child 18 0 " in bash.screen, "both again")
    idle(init)
    os.kill(init, signal.SIGCONT)
    idle(init)
    os.kill(child, 40)
    bash.expect("child 40 0 ")
    assert bash.screen.count("child 18 ") == 1


@pytest.mark.parametrize("key", [INTERRUPT, QUIT], ids=["INT", "QUIT"])
@pytest.mark.parametrize("place", ["left", "right"])
def test_an_interrupt_or_quit_key_ends_the_whole_pipeline(
    bash: Terminal, program: list[str], key: bytes, place: str
) -> None:
    """Regression: it ended the payload, and the shell waited for the other program."""
    both = [command(program, *SLEEP), "sleep 2000"]
    bash.type(" | ".join(both if place == "left" else reversed(both)))

    def running() -> bool:
        return {"1000", "2000"} <= {word for pid in bash.members() for word in procfs.command(pid)[1:2]}

    # Perhaps not in the foreground: the right one may be a program before bash has put the job there.
    until(running, "both")
    bash.press(key)
    bash.expect("]: ")
    assert [procfs.command(each)[0] for each in bash.members()] == ["bash"]


@pytest.mark.parametrize("key", [INTERRUPT, QUIT], ids=["INT", "QUIT"])
def test_an_interrupt_or_quit_key_ends_the_script_that_init_runs_in(
    bash: Terminal, program: list[str], key: bytes
) -> None:
    """Regression: a loop of a shell script went on with its next round."""
    bash.type(shlex.join(["sh", "-c", f"{command(program, *SLEEP)}; echo went o''n"]))
    bash.runs(*SLEEP)
    bash.press(key)
    bash.prompt(128 + (signal.SIGINT if key == INTERRUPT else signal.SIGQUIT))
    assert "went on" not in bash.screen


def test_an_exit_code_of_130_is_not_taken_for_the_interrupt_key(bash: Terminal, program: list[str]) -> None:
    """An interactive shell exits with 130 when its last command was interrupted, long before."""
    inner = command(program, "sh", "-c", "exit 130")
    bash.type(shlex.join(["sh", "-c", f"{inner}; echo went o''n $?"]))
    bash.expect("went on 130")
    bash.prompt(0)


@pytest.mark.parametrize("whom", ["init", "payload"])
def test_a_signal_sent_by_kill_is_not_passed_on_to_inits_own_group(
    bash: Terminal, program: list[str], whom: str
) -> None:
    bash.type(shlex.join(["sh", "-c", f"{command(program, *SLEEP)}; echo went o''n $?"]))
    child = bash.runs(*SLEEP)
    os.kill(procfs.parent(child) if whom == "init" else child, signal.SIGINT if whom == "init" else signal.SIGTERM)
    bash.expect(f"went on {130 if whom == 'init' else 143}")


def test_pid_1_passes_no_key_on_to_processes_outside_of_its_namespace(bash: Terminal, program: list[str]) -> None:
    """Init's group reaches out of it: docs/security.md promises that no signal does."""
    inner = shlex.join([*NAMESPACE, *program, *SLEEP])
    bash.type(shlex.join(["sh", "-c", f"{inner}; echo went o''n $?"]))
    bash.runs(*SLEEP)
    bash.press(INTERRUPT)
    bash.expect("went on 130")


def test_with_c_no_key_is_passed_on_because_the_terminal_tells_the_group_itself(
    bash: Terminal, program: list[str]
) -> None:
    """So INT that ended the payload is passed on to nobody: it was no key, or has come to all of them already."""
    bash.type(shlex.join(["sh", "-c", f"{command(program, '-c', *SLEEP)}; echo went o''n $?"]))
    os.kill(bash.runs(*SLEEP), signal.SIGINT)
    bash.expect("went on 130")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_without_a_terminal_a_death_by_int_or_quit_is_not_passed_on(
    start: Start, program: list[str], number: int
) -> None:
    around = shell('"$@"; echo "went on $?"', *program, *shell(f"kill -{int(number)} $$"))
    assert start(*around, program=(), place="subreaper").wait() == (0, f"went on {128 + number}\n", "")


def test_a_key_that_is_passed_on_to_the_group_does_not_come_back_to_be_forwarded(
    bash: Terminal, program: list[str]
) -> None:
    """It would go to who is left, and the user's next one would be the second, and end the grace period."""
    script = shell('setsid "$1" left & wait', str(compiled("receive")))
    bash.type(command(program, "-t", LONG, *script))
    bash.expect("left is ready")
    (init,) = procfs.children(bash.pid)
    bash.press(INTERRUPT)
    bash.expect("left 18 0 ")
    idle(init)
    os.kill(init, 40)
    bash.expect("left 40 0 ")
    assert "left 2 " not in bash.screen
    os.kill(init, signal.SIGINT)
    bash.expect("left 2 0 ")
    os.kill(init, signal.SIGINT)
    bash.prompt(130)


def test_bg_resumes_the_payload_and_the_shell_keeps_the_terminal(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *SLEEP))
    child = bash.runs(*SLEEP)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("bg")
    bash.prompt(0)
    state(child, "S")
    assert bash.foreground == bash.pid
    # The shell says nothing to a job that is running already: init has the foreground, and hands ^C on.
    bash.type("fg")
    until(lambda: bash.foreground == procfs.group(procfs.parent(child)), "init in the foreground")
    bash.press(INTERRUPT)
    bash.prompt(130)


def test_a_job_that_runs_in_the_background_can_read_the_terminal_after_fg(
    bash: Terminal, program: list[str], tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f'read start <{fifo}; read word; echo "got $word"'
    bash.type(command(program, "sh", "-c", script) + " &")
    bash.prompt(0)
    bash.type("fg")
    until(lambda: bash.foreground != bash.pid, "fg at work")
    # Open for both, so that neither end waits for the other here.
    descriptor = os.open(fifo, os.O_RDWR)
    os.write(descriptor, b"now\n")
    bash.type("an''swer")
    bash.expect("got an''swer")
    bash.prompt(0)
    os.close(descriptor)


def test_a_suspended_job_can_be_ended_by_kill(bash: Terminal, program: list[str]) -> None:
    """bash's `kill %1` sends TERM and CONT."""
    bash.type(command(program, *SLEEP))
    bash.runs(*SLEEP)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("kill %1")
    bash.prompt(0)
    # bash may not look at once: a zombie has ended.
    until(lambda: not any(map(procfs.alive, procfs.children(bash.pid))), "the job's end")
    bash.type(":")
    bash.expect("Exit 143")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_a_payload_stopped_by_kill_gives_the_prompt_back(bash: Terminal, program: list[str], number: int) -> None:
    bash.type(command(program, *SLEEP))
    child = bash.runs(*SLEEP)
    os.kill(child, number)
    bash.stopped()
    bash.type("fg")
    resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_job_control_signal_sent_to_init_stops_init_and_payload(
    bash: Terminal, program: list[str], number: int
) -> None:
    bash.type(command(program, *SLEEP))
    child = bash.runs(*SLEEP)
    os.kill(procfs.parent(child), number)
    bash.stopped()
    state(child, "T")
    bash.type("fg")
    resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_job_control_signal_sent_to_init_stops_both_while_messages_are_relayed(
    bash: Terminal, program: list[str], number: int
) -> None:
    """Then signals are not waited for but caught: CONT and the payload's stop may be seen in one go."""
    bash.type("NOTIFY_SOCKET=@nobody " + command(program, *SLEEP))
    for _ in range(3):
        child = bash.runs(*SLEEP)
        os.kill(procfs.parent(child), number)
        bash.stopped()
        state(child, "T")
        bash.type("fg")
        resumed(bash, child)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("fg")
    resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


def test_an_interactive_bash_as_the_payload_has_job_control(bash: Terminal, program: list[str]) -> None:
    bash.type("PS1='<$?> ' " + command(program, *BASH))
    bash.expect("<0> ")
    bash.type(shlex.join(SLEEP))
    bash.runs(*SLEEP)
    bash.press(SUSPEND)
    bash.expect("<148> ")
    bash.type("fg")
    bash.runs(*SLEEP)
    bash.press(INTERRUPT)
    bash.expect("<130> ")
    bash.type("exit 7")
    bash.prompt(7)
    assert "no job control" not in bash.screen


def test_with_session_an_interactive_bash_has_job_control_where_it_can_have_the_terminal(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    around = NAMESPACE if place == "pid1" else ()
    outer = terminal(*around, *program, "-S", "--", *BASH)
    if place == "pid1":
        # Outside of the namespace, unshare leads the terminal's session: nobody can take it over.
        outer.expect("no job control")
    outer.prompt(0)
    outer.type("false")
    outer.prompt(1)
    if place == "subreaper":
        outer.type(shlex.join(SLEEP))
        outer.runs(*SLEEP)
        outer.press(SUSPEND)
        outer.prompt(148)
    # The first only says that there are stopped jobs, if there are any.
    outer.type("exit 7; exit 7")
    assert outer.wait() == 7


def test_a_session_of_its_own_takes_the_terminal_without_a_hangup(terminal: OpenTerminal, program: list[str]) -> None:
    """Giving it up sends HUP and CONT to the foreground; dumb-init drops the first of each (#136)."""
    one = terminal(*program, "-S", "--", *payload("receive"))
    one.expect("got is ready")
    (child,) = procfs.children(one.pid)
    assert procfs.session(child) == child == one.foreground
    one.press(INTERRUPT)
    one.expect("got 2 ")
    assert not re.search(r"got (1|18) ", one.screen)
    os.kill(one.pid, signal.SIGHUP)
    one.expect("got 1 0 ")


def test_a_background_job_leaves_the_shell_usable(bash: Terminal, program: list[str]) -> None:
    """tini and catatonit take the foreground: bash reads EOF and is gone."""
    bash.type(command(program, *SLEEP) + " &")
    bash.prompt(0)
    until(lambda: any(procfs.command(pid) == list(SLEEP) for pid in procfs.descendants(bash.pid)), "it")
    assert bash.foreground == bash.pid
    bash.type("echo us''able")
    bash.expect("usable")
    bash.prompt(0)
    bash.type("kill %1; wait %1")
    bash.prompt(143)


def test_a_background_job_that_exits_leaves_the_terminal_to_the_shell(
    bash: Terminal, program: list[str], tmp_path: Path
) -> None:
    """bash, at its prompt, does not look whether the terminal is still its own."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    bash.type(command(program, "sh", "-c", f"read line <{fifo}") + " &")
    bash.prompt(0)
    # Open for both, so that neither end waits for the other here.
    descriptor = os.open(fifo, os.O_RDWR)
    os.write(descriptor, b"now\n")
    until(lambda: not any(map(procfs.alive, procfs.children(bash.pid))), "the job's end")
    assert bash.foreground == bash.pid
    os.close(descriptor)


def test_a_background_job_that_reads_the_terminal_is_stopped_until_fg(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, "cat") + " &")
    bash.prompt(0)
    child = until(
        lambda: next((pid for pid in procfs.descendants(bash.pid) if procfs.command(pid) == ["cat"]), 0), "cat"
    )
    state(child, "T")
    state(procfs.parent(child), "T")
    bash.type("fg")
    bash.runs("cat")
    bash.type("hel''lo")
    bash.expect("hel''lo\r\nhel''lo")
    bash.press(END)
    bash.prompt(0)


def test_the_suspend_key_stops_a_shell_between_init_and_bash_as_well(bash: Terminal, program: list[str]) -> None:
    """`sh -c 'pyinit ...; ...'`, make: bash waits for that shell, which would never stop."""
    bash.type(shlex.join(["sh", "-c", command(program, *SLEEP) + "; exit $?"]))
    for _ in range(2):
        child = bash.runs(*SLEEP)
        bash.press(SUSPEND)
        bash.stopped()
        bash.type("fg")
        resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


def test_the_suspend_key_stops_the_rest_of_the_pipeline_as_well(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *SLEEP) + " | cat")
    child = bash.runs(*SLEEP)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("fg")
    resumed(bash, child)
    bash.press(INTERRUPT)
    # The last one's code is the pipeline's: cat has had the key too.
    bash.prompt(130)


@pytest.mark.parametrize(("key", "number"), [(INTERRUPT, 2), (QUIT, 3), (SUSPEND, 20)])
@pytest.mark.parametrize("option", ["-c", "-g", "-v"])
def test_a_key_reaches_the_payload_once(
    terminal: OpenTerminal, program: list[str], key: bytes, number: int, option: str
) -> None:
    """In the same group the terminal has sent it to the payload already."""
    one = terminal(*program, option, "--", *payload("receive"))
    one.expect("got is ready")
    idle(one.pid)
    one.press(key)
    # From the kernel, by nobody.
    one.expect(f"got {number} 128 0\r\n")
    idle(one.pid)
    os.kill(one.pid, 40)
    assert "got" not in one.expect("got 40 ").removesuffix("got 40 ")


def test_with_c_and_the_relay_the_terminals_signals_reach_the_payload_once(
    terminal: OpenTerminal, program: list[str], tmp_path: Path
) -> None:
    """Regression: a wake-up descriptor does not say who sent a signal, and the payload got the terminal's twice."""
    environment = {**ENVIRONMENT, "NOTIFY_SOCKET": str(tmp_path / "nobody")}
    one = terminal(*program, "-c", "--", *payload("receive"), environment=environment)
    one.expect("got is ready")
    one.press(INTERRUPT)
    one.expect("got 2 128 0\r\n")
    idle(one.pid)
    os.kill(one.pid, 40)
    assert "got" not in one.expect("got 40 ").removesuffix("got 40 ")


@pytest.mark.parametrize("option", ["-c", "-g", "-v"])
def test_a_new_terminal_size_reaches_the_payload_once(terminal: OpenTerminal, program: list[str], option: str) -> None:
    one = terminal(*program, option, "--", *payload("receive"))
    one.expect("got is ready")
    idle(one.pid)
    one.resize(50, 100)
    one.expect("got 28 128 0\r\n")
    idle(one.pid)
    os.kill(one.pid, 40)
    assert "got" not in one.expect("got 40 ").removesuffix("got 40 ")


def test_with_c_int_sent_to_init_alone_is_forwarded(terminal: OpenTerminal, program: list[str]) -> None:
    one = terminal(*program, "-c", "--", *payload("receive"))
    one.expect("got is ready")
    os.kill(one.pid, signal.SIGINT)
    one.expect("got 2 0 ")


@pytest.mark.parametrize("options", [[], ["-g"], ["-a"]])
def test_the_suspend_key_is_undone_where_nobody_could_resume_the_payload(
    terminal: OpenTerminal, program: list[str], place: str, options: list[str]
) -> None:
    """PID 1, or the session's leader: no shell is above that could say fg."""
    around = NAMESPACE if place == "pid1" else ()
    one = terminal(*around, *program, *options, "--", *payload("receive", "got", *STOPPABLE))
    one.expect("got is ready")
    for _ in range(3):
        one.press(SUSPEND)
        one.expect("got 18 0 ")
    one.press(INTERRUPT)
    one.expect("got 2 128 0")


def test_the_suspend_key_is_undone_after_a_stop_that_somebody_else_has_ended(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    """Regression: the next ^Z was taken for that earlier stop, which was on purpose and stands."""
    around = NAMESPACE if place == "pid1" else ()
    one = terminal(*around, *program, "--", *payload("receive", "got", *STOPPABLE))
    one.expect("got is ready")
    child = one.runs(*payload("receive", "got", *STOPPABLE))
    init = procfs.parent(child)
    os.kill(init, signal.SIGTSTP)
    until(lambda: procfs.state(child) == "T", "the payload's stop")
    os.kill(child, signal.SIGCONT)
    one.expect("got 18 0 ")
    idle(init)
    one.press(SUSPEND)
    one.expect("got 18 0 ")


def test_the_suspend_key_is_undone_for_the_payloads_whole_group(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    """The terminal has stopped the payload's children too."""
    around = NAMESPACE if place == "pid1" else ()
    words = [str(compiled("receive")), *STOPPABLE]
    script = 'receive=$1; shift; "$receive" child "$@" & exec "$receive" got "$@"'
    one = terminal(*around, *program, "--", *shell(script, *words))
    until(lambda: "got is ready" in one.screen and "child is ready" in one.screen, "both")
    one.press(SUSPEND)
    until(lambda: "got 18 " in one.screen and "child 18 " in one.screen, "both again")


def test_with_c_the_suspend_key_does_nothing_where_nobody_could_resume(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    """The group is init's own and orphaned: the kernel stops nobody there."""
    around = NAMESPACE if place == "pid1" else ()
    one = terminal(*around, *program, "-c", "--", *payload("receive", "got", *STOPPABLE))
    one.expect("got is ready")
    one.press(SUSPEND)
    one.press(INTERRUPT)
    one.expect("got 2 128 0")


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGSTOP])
def test_a_stop_that_was_sent_on_purpose_stands_without_a_terminal(start: Start, number: int) -> None:
    init = start("--", *payload("receive", "got", *STOPPABLE))
    init.expect("got is ready\n")
    if number == signal.SIGSTOP:
        os.kill(init.payload, number)
    else:
        init.signal(number)
    stands(init)


def test_a_stop_that_was_sent_on_purpose_stands_on_a_terminal(terminal: OpenTerminal, program: list[str]) -> None:
    one = terminal(*program, "--", *payload("receive", "got", *STOPPABLE))
    one.expect("got is ready")
    (child,) = procfs.children(one.pid)
    os.kill(one.pid, signal.SIGTSTP)
    state(child, "T")
    idle(one.pid)
    assert procfs.state(child) == "T"
    os.kill(one.pid, signal.SIGCONT)
    one.expect("got 18 0 ")


def stands(init: Init) -> None:
    """Check that the payload is stopped, still is when the init has seen that, and goes on at CONT."""
    state(init.payload, "T")
    init.idle()
    assert procfs.state(init.payload) == "T"
    assert procfs.state(init.pid) == "S"
    init.signal(signal.SIGCONT)
    init.expect("got 18 0 ")


def test_in_an_orphaned_process_group_init_does_not_stop_itself(start: Start) -> None:
    """A session of its own, without a terminal: a payload stopped there would be stopped for ever."""
    init = start("--", *payload("receive", "got", *STOPPABLE), place="subreaper")
    init.expect("got is ready\n")
    init.signal(signal.SIGTSTP)
    stands(init)


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("name", ["TSTP", "TTIN", "TTOU"])
def test_a_stop_right_before_exec_does_not_leave_init_in_vfork(
    start: Start, program: list[str], tmp_path: Path, name: str, ignored: bool
) -> None:
    """Regression: a ^Z in the first millisecond stopped the payload before its exec, which init waited for."""
    candidate = tmp_path / "grep"
    # The signal comes as execve looks where nothing is: after that, and before the program, it is taken.
    tracing = ["strace", "-D", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(candidate)]
    inject = ["-e", "trace=execve", "-e", f"inject=execve:signal={name}"]
    number = int(getattr(signal, f"SIG{name}"))
    init = start(
        *("--", "grep", "-E", "Sig(Ign|Cgt)", "/proc/self/status"),
        program=[*tracing, *inject, *program],
        place="subreaper",
        environment={**ENVIRONMENT, "PATH": f"{tmp_path}:/usr/bin:/bin"},
        prepare=[f"ignore={number}"] if ignored else [],
    )
    code, shown, errors = init.wait()
    assert (code, errors) == (0, "")
    ignores, catches = (int(line.split()[1], 16) for line in shown.splitlines())
    assert bool(ignores >> (number - 1) & 1) == ignored
    assert not catches >> (number - 1) & 1
    assert "ENOENT" in (tmp_path / "trace").read_text()


@pytest.mark.parametrize("options", [[], ["-c"]])
def test_a_hangup_ends_the_payload(terminal: OpenTerminal, program: list[str], options: list[str]) -> None:
    """The terminal tells the session's leader alone, which init is; with -c too, where keys go to both."""
    one = terminal(*program, *options, *SLEEP)
    one.runs(*SLEEP)
    one.hang_up()
    until(lambda: one.process.poll() is not None, "init's end")
    assert one.process.returncode == 129


def test_the_terminal_is_given_back_at_the_end(bash: Terminal, program: list[str]) -> None:
    """To init's own group, for what comes after it in a script."""
    bash.type(shlex.join(["sh", "-c", command(program, "true") + "; read word; echo got $word"]))
    # Only the foreground may read.
    bash.type("an''swer")
    bash.expect("got an''swer")
    bash.prompt(0)


def test_a_program_that_cannot_be_started_leaves_the_terminal(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, "no-such-program"))
    bash.prompt(127)
    bash.type("echo us''able")
    bash.expect("usable")


def test_job_control_works_with_one_init_below_another(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *program, *SLEEP))
    child = bash.runs(*SLEEP)
    bash.press(SUSPEND)
    bash.stopped()
    bash.type("fg")
    resumed(bash, child)
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("first", ["left", "right"])
def test_two_inits_in_a_pipeline_can_both_read_the_terminal(
    bash: Terminal, program: list[str], tmp_path: Path, first: str
) -> None:
    """Regression: one payload alone can have the foreground, and one that read was stopped if the other came first."""
    flag = shlex.quote(str(tmp_path / "flag"))
    readers = {"left": "read line; echo a$line", "right": "read line; read other </dev/tty; echo $line $other"}
    words = []
    for side, reader in readers.items():
        inside, before = (f"touch {flag}; ", "") if side == first else ("", f"until [ -e {flag} ]; do :; done; ")
        words.append(shlex.join(["sh", "-c", f"{before}exec {command(program, 'sh', '-c', inside + reader)}"]))
    bash.type(" | ".join(words))
    bash.type("one")
    bash.type("two")
    bash.expect("aone two\r\n")
    bash.prompt(0)


def test_an_init_that_is_killed_leaves_a_shell_that_works(bash: Terminal, program: list[str]) -> None:
    bash.type(command(program, *SLEEP))
    child = bash.runs(*SLEEP)
    kill(procfs.parent(child))
    bash.prompt(137)
    kill(child)
    bash.type("echo us''able")
    bash.expect("usable")
