"""The harness itself: what it must notice it notices, what it starts it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import payload, shell
from tests.support.harness import Init
from tests.support.polling import NotInTimeError, stays, until
from tests.support.strace import attach
from tests.support.survivors import Leaving
from tests.support.types import Start
from tools.tree import ROOT


def run_tests(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run tests, given as text, with this suite's fixtures in a pytest of their own."""
    file = folder / "test_sample.py"
    file.write_text(text)
    plugins = ["-p", "tests.conftest", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, "-q", "--rootdir", str(folder), "-c", os.devnull, str(file)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


def test_a_test_that_leaves_a_process_fails(tmp_path: Path) -> None:
    done = run_tests(
        tmp_path,
        "import subprocess\n"
        "def test_sample():\n"
        "    subprocess.run(['sh', '-c', 'sleep 1000 & echo $!'], check=True, stdout=open('/dev/null', 'w'))\n",
    )
    assert done.returncode == 1
    assert "the test left processes" in done.stdout
    assert "sleep 1000" in done.stdout


def test_an_init_that_cannot_be_closed_does_not_keep_others_from_it(tmp_path: Path) -> None:
    done = run_tests(
        tmp_path,
        "from tests.support.harness import Init\n"
        "close = Init.close\n"
        "def close_and_fail(init):\n"
        "    close(init)\n"
        "    raise ValueError('closed')\n"
        "def test_sample(start, monkeypatch):\n"
        "    monkeypatch.setattr(Init, 'close', close_and_fail)\n"
        "    for _ in range(2):\n"
        "        start('sleep', '1000', program=())\n",
    )
    assert done.returncode == 1
    assert "ValueError: closed" in done.stdout
    assert "the test left processes" not in done.stdout


def test_a_test_that_leaves_no_process_passes(tmp_path: Path) -> None:
    done = run_tests(
        tmp_path,
        "import subprocess\ndef test_sample():\n    subprocess.run(['sh', '-c', '(true &) ; true'], check=True)\n",
    )
    assert done.returncode == 0


def test_polling_says_what_was_awaited() -> None:
    with pytest.raises(NotInTimeError, match=r"not within 0\.05 s: the impossible"):
        until(lambda: False, "the impossible", timeout=0.05)


def test_polling_looks_once_more_when_time_is_up() -> None:
    """The one that was slow may be the test."""
    looks = iter([False, True])

    def slow_look() -> bool:
        time.sleep(0.1)
        return next(looks)

    assert until(slow_look, "the second look", timeout=0.05)


def test_polling_whether_something_stays_notices_a_change() -> None:
    looks = iter([True, True, False])
    with pytest.raises(NotInTimeError, match="did not stay"):
        stays(lambda: next(looks), "as it was", 20)


@pytest.mark.parametrize("place", ["pid1", "subreaper"])
def test_closing_an_init_ends_all_that_it_started(place: str) -> None:
    init = Init([], shell("(sleep 1000 & sleep 1000 & wait) & sleep 1000 & wait"), place=place)
    pids = until(lambda: found if len(found := procfs.descendants(init.pid)) == 4 else None, "four below it")
    init.close()
    assert not any(map(procfs.alive, [init.pid, *pids]))


def test_the_harness_reports_an_exit_instead_of_what_was_awaited() -> None:
    init = Init([], shell("echo why >&2; exit 3"), place="subreaper")
    with pytest.raises(NotInTimeError, match=r"ended before there was a payload.*code=3.*why"):
        assert init.payload
    init.close()


def test_the_harness_reports_what_was_written_instead_of_the_expected() -> None:
    init = Init([], shell("echo something else; sleep 1000"), place="subreaper")
    init.expect("something")
    with pytest.raises(NotInTimeError, match="'this'; there was ' else"):
        init.expect("this", timeout=0.3)
    init.close()


def test_the_harness_reports_at_once_that_a_writer_has_exited() -> None:
    init = Init([], shell("echo reason >&2; exit 3"))
    with pytest.raises(NotInTimeError, match=r"^ended before there was 'this'; .*; ended with 3; .*'reason\\n'"):
        init.expect("this")
    init.close()


def test_what_is_written_after_inits_exit_can_be_expected() -> None:
    """By a child, which waits until its parent has been waited for."""
    init = Init([], shell("(while kill -0 $$; do :; done 2>/dev/null; echo late) & exit 3"), place="subreaper")
    assert init.wait().code == 3
    init.expect("late\n")
    init.close()


def test_the_harness_reports_standard_error_when_an_exit_does_not_come() -> None:
    init = Init([], shell("echo why >&2; exec sleep 1000"), place="subreaper")
    init.expect_error("why\n")
    with pytest.raises(NotInTimeError, match=r"not within 0\.1 s: the end; standard error has 'why\\n'"):
        init.wait(0.1)
    init.close()


def test_a_line_that_comes_once_more_later_is_noticed_at_the_exit(start: Start) -> None:
    leaving = Leaving(start, [], ["telling"]).end()
    leaving.says("told 18", 1)
    os.kill(leaving.left[0], signal.SIGCONT)
    until(lambda: leaving.init.stdout.count("told 18\n") == 2, "once more")
    kill(leaving.left[0])
    with pytest.raises(AssertionError, match="told 18"):
        leaving.wait()


def test_a_failure_to_attach_strace_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotInTimeError, match=r"strace ended with 1: .*No such process"):
        attach(1 << 22, tmp_path / "log")


def test_the_receiving_payload_reports_signals_in_order() -> None:
    init = Init([], payload("receive"), place="subreaper")
    init.expect("got is ready\n")
    for number in (10, 64, 34, 2):
        os.kill(init.pid, number)
        init.expect(f"got {number} 0 {os.getpid()}\n")
    kill(init.pid)
    assert init.wait().code == -9
    init.close()
