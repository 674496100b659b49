"""What holds in every engine: a table of cases, run in each of them and judged from outside."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engines.engine import Engine
from tests.engines.support import running, until
from tests.engines.table import ENTERED, STOPPED, engines
from tests.support.procfs import children, signals
from tests.support.wide import one_in, wide

EXIT_CODES = [
    pytest.param("true", 0, id="exit-0"),
    pytest.param("exit 7", 7, id="exit-7"),
    pytest.param("exit 255", 255, id="exit-255"),
    pytest.param("kill -TERM $$", 143, id="killed-by-itself-TERM"),
    pytest.param("kill -KILL $$", 137, id="killed-by-itself-KILL"),
    pytest.param("kill -40 $$", 168, id="killed-by-itself-real-time"),
]
FORWARDED = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGTERM, 40]


@pytest.mark.parametrize(("script", "code"), one_in(3, EXIT_CODES))
def test_in_each_engine_the_payloads_end_is_the_containers(engine: Engine, script: str, code: int) -> None:
    """Exit code n, or 128+n for signal n; not a word on standard error."""
    assert engine.run("sh", "-c", script) == (code, "", "")


def test_in_each_engine_a_missing_program_gives_one_line_that_names_it(engine: Engine) -> None:
    """127; the line may be all that a user of `docker run --init` sees."""
    code, output, errors = engine.run("no-such-program", "x")
    assert (code, output) == (engine.not_found, "")
    [line] = errors.splitlines()
    assert line.startswith("pyinit: ")
    assert "no-such-program" in line


def test_in_each_engine_a_directory_as_program_gives_one_line_that_names_it(engine: Engine) -> None:
    """Found, but not to be executed: 126."""
    code, output, errors = engine.run("/bin")
    assert (code, output) == (engine.not_executable, "")
    [line] = errors.splitlines()
    assert line.startswith("pyinit: /bin: ")


def test_in_each_engine_the_standard_streams_pass_through(engine: Engine) -> None:
    """What goes in comes out, byte for byte, and nothing is added."""
    given = b"one\ntwo \xc3\xa4\n\n" * 1000
    code, output, errors = engine.run("cat", stdin=given)
    assert (code, output.encode(), errors) == (0, given, "")


def test_in_each_engine_arguments_arrive_as_they_are(engine: Engine) -> None:
    """Empty ones, options, spaces, quotes and line feeds too."""
    words = ["", "-g", "--", "a b", "'\"$x`", "two\nlines", "ä"]
    script = 'for word in "$@"; do echo "<$word>"; done'
    code, output, errors = engine.run("sh", "-c", script, "sh", *words)
    assert (code, errors) == (0, "")
    assert output == "".join(f"<{word}>\n" for word in words)


def test_in_each_engine_pyinit_is_the_containers_init(engine: Engine, frozen: Path) -> None:
    """What the engine knows as the container's process is the frozen file and the payload's parent."""
    with engine.container("sh", "-c", "echo parent $PPID; exec sleep 1000") as container:
        container.says(f"parent {engine.init_inside}")
        assert Path(f"/proc/{container.init}/exe").read_bytes() == frozen.read_bytes()


@pytest.mark.parametrize("number", wide(FORWARDED, signal.SIGTERM, 40))
def test_in_each_engine_a_signal_reaches_the_payload(engine: Engine, number: int) -> None:
    """Sent with the engine's own means, it ends a payload that does not handle it."""
    # No shell before it: busybox's takes QUIT and forgets it, when it comes just before an exec.
    with engine.container("sleep", "1000") as container:
        until(lambda: running(container.init, "sleep", "1000"), "the payload")
        container.signal(number)
        assert container.wait() == 128 + number


def test_in_each_engine_a_payload_that_handles_term_exits_as_it_likes(engine: Engine) -> None:
    """Its own code, its own words."""
    script = 'trap "echo stopping; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    with engine.container("sh", "-c", script) as container:
        container.says("ready")
        container.signal(signal.SIGTERM)
        code, output, _ = container.ended()
        assert (code, output) == (5, "ready\nstopping\n")


def test_in_each_engine_with_g_the_whole_group_gets_the_signal(engine: Engine) -> None:
    """A shell and what it started both end by their own handlers."""
    child = 'trap "echo child; exit 0" TERM; echo child-ready; while :; do sleep 0.05; done'
    script = f"sh -c '{child}' & trap \"echo parent; wait; exit 6\" TERM; echo ready; while :; do wait; done"
    group = {"PYINIT_OPTIONS": "-g"}
    with engine.container("sh", "-c", script, environment=group) as container:
        container.says("ready")
        container.says("child-ready")
        container.signal(signal.SIGTERM)
        code, output, _ = container.ended()
        assert code == 6
        assert sorted(output.split()) == ["child", "child-ready", "parent", "ready"]


def test_in_each_engine_orphans_are_reaped(engine: Engine) -> None:
    """Twenty at once: they become pyinit's children, and when killed none stays a zombie."""
    script = 'for i in $(seq 20); do sh -c "sleep 1111 &"; done; exec sleep 2222'
    with engine.container("sh", "-c", script) as container:
        init = container.init
        until(lambda: len(running(init, "sleep", "1111")) == 20, "20 orphans")
        [payload] = until(lambda: running(init, "sleep", "2222"), "the payload")
        for orphan in running(init, "sleep", "1111"):
            os.kill(orphan, signal.SIGKILL)
        until(lambda: children(init) == [payload], "all 20 reaped")


@pytest.mark.parametrize("engine", engines(*ENTERED), indirect=True)
def test_in_each_engine_orphans_of_entered_processes_are_reaped(engine: Engine) -> None:
    """What `docker exec` leaves behind comes to the container's init."""
    with engine.container("sleep", "2222") as container:
        init = container.init
        [payload] = until(lambda: running(init, "sleep", "2222"), "the payload")
        for _ in range(3):
            engine.enter(container, ["sh", "-c", "sleep 1111 >/dev/null 2>&1 &"])
        until(lambda: len(running(init, "sleep", "1111")) == 3, "3 orphans")
        for orphan in running(init, "sleep", "1111"):
            os.kill(orphan, signal.SIGKILL)
        until(lambda: children(init) == [payload], "all 3 reaped")


def test_in_each_engine_the_processes_left_may_finish(engine: Engine) -> None:
    """TERM and the grace period instead of the kernel's KILL."""
    left = 'trap "sleep 0.1; echo finished; exit" TERM; echo left-ready; while :; do sleep 0.05; done'
    script = f"sh -c '{left}' & echo ready; exec sleep 1000"
    with engine.container("sh", "-c", script, environment={"PYINIT_OPTIONS": "-t 50"}) as container:
        container.says("ready")
        container.says("left-ready")
        container.signal(signal.SIGTERM)
        code, output, _ = container.ended()
        assert code == 143
        assert "finished" in output.splitlines()


@pytest.mark.parametrize("engine", engines(*STOPPED), indirect=True)
def test_in_each_engine_stopping_takes_no_kill(engine: Engine) -> None:
    """The engine's own stop ends the payload by TERM, not by KILL after the time-out."""
    with engine.container("sh", "-c", "echo ready; exec sleep 1000") as container:
        container.says("ready")
        engine.stop(container)
        assert container.wait() == 143


@pytest.mark.parametrize("engine", engines(*STOPPED), indirect=True)
def test_a_stop_signal_that_comes_while_all_is_frozen_is_forwarded_afterwards(engine: Engine) -> None:
    """`docker pause`: init and payload are frozen while TERM is pending."""
    script = 'trap "echo stopping; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    with engine.container("sh", "-c", script) as container:
        container.says("ready")
        engine.freeze(container)
        os.kill(container.init, signal.SIGTERM)
        assert signal.SIGTERM in signals(container.init, "ShdPnd")
        engine.thaw(container)
        code, output, _ = container.ended()
        assert (code, output) == (5, "ready\nstopping\n")
