"""Between init's clone and the payload's exec, when init waits: who can make that last."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.security.lives import traced
from tests.support import procfs
from tests.support.commands import ENVIRONMENT, NOBODY, payload, shell
from tests.support.polling import until
from tests.support.requirements import absent
from tests.support.types import Start

USER = ("-u", "65534:65534")


def test_the_change_of_user_is_the_last_call_before_exec(program: list[str], tmp_path: Path) -> None:
    """However long PATH is, and whatever there is in it that cannot be executed."""
    for name in ("empty", "folder", "refused"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "true").mkdir()
    (tmp_path / "refused" / "true").touch(0o644)
    tmp_path.joinpath("file").touch()
    elements = [f"{tmp_path}/{name}" for name in ("none", "file", "empty", "folder", "refused")]
    environment = {**ENVIRONMENT, "PATH": ":".join([*elements, *["/nowhere"] * 100, "/usr/bin"])}
    found = traced(program, [*USER, "--", "true"], tmp_path, calls="all", environment=environment)
    assert found.done.returncode == 0
    last_two = [(call.name, call.arguments.partition(", [")[0]) for call in found.child[-2:]]
    assert last_two == [("setresuid", "65534, 65534, 65534"), ("execve", '"/usr/bin/true"')]
    changes = [call.arguments for call in found.child if call.name == "setresuid"]
    assert changes == ["-1, 65534, -1", "65534, 65534, 65534"]


def test_the_user_cannot_stop_the_child_that_looks_for_the_program(
    start: Start, program: list[str], place: str, tmp_path: Path
) -> None:
    """Regression: until the exec, a STOP of another process of that user stopped the child, and init with it."""
    candidate = tmp_path / "true"
    calls = "execve,stat,newfstatat"
    tracing = ["strace", "-D", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(candidate)]
    # Long enough to be looked at.
    slow = ["-e", f"trace={calls}", "-e", f"inject={calls}:delay_enter=2000000"]
    environment = {**ENVIRONMENT, "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
    how = {"program": [*tracing, *slow, *program], "place": place, "environment": environment}
    init = start(*USER, "--", "true", **how)

    def looking() -> list[int]:
        found = procfs.children(init.pid)
        return [pid for pid in found if procfs.status(pid).get("Uid", "").split()[1:2] == ["65534"]]

    child = until(looking, "a child of the user's")[0]
    stop = [*NOBODY, *shell(f"kill -STOP {child}")]
    refused = subprocess.run(stop, check=False, capture_output=True, text=True)
    assert (refused.returncode, "not permitted" in refused.stderr) == (1, True)
    assert init.wait() == (0, "", "")


def test_an_exec_that_hangs_holds_init_until_the_file_system_is_gone(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    """A file system that does not answer: a signal is pending until then, and init says what has become of the exec."""
    if not Path("/dev/fuse").exists():
        absent("there is no /dev/fuse")
    server = start(*payload("hang", str(tmp_path)), program=(), place="subreaper", stdin=subprocess.PIPE)
    server.expect("mounted\n")
    inside = ["nsenter", f"--mount=/proc/{server.pid}/ns/mnt", *program]
    init = start("--", str(tmp_path / "program"), program=inside, place="subreaper")
    server.expect("open\n")
    init.signal(signal.SIGTERM)
    pending = int(procfs.status(init.pid)["ShdPnd"], 16)
    assert pending >> (signal.SIGTERM - 1) & 1
    server.end_input()
    code, _, errors = init.wait()
    assert (code, errors.count("\n")) == (126, 1)
    assert "program: cannot be executed: " in errors
