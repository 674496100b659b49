"""`make run`, as somebody types it who sees pyinit for the first time."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tools.tree import ROOT, copied

# They share .work/run, which the first one makes.
pytestmark = pytest.mark.xdist_group("make-run")

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def make_run(*words: str, around: Sequence[str] = (), directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `make run` with these words."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = [*around, "make", "--no-print-directory", "-C", str(directory), "run", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The first run may install something, and say so."""
    assert make_run("CMD=true").returncode == 0


@pytest.fixture
def tree() -> Iterator[Path]:
    """A copy of the project that every user can read, without its environment."""
    with tempfile.TemporaryDirectory(prefix="pyinit-run-") as name:
        folder = copied(Path(name))
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def readable_tree(tree: Path) -> Path:
    """A copy of the project that every user can read and run."""
    shutil.copytree(ROOT / ".work" / "run", tree / ".work" / "run", symlinks=True)
    # The copied requirements are younger.
    (tree / ".work" / "run" / "stamp").touch()
    return tree


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ('echo "it\'s $HOME"', f"it's {os.environ.get('HOME', '/')}\n"),
        ("printf '%s\\n' 'a  b' \"c\"", "a  b\nc\n"),
        ("echo $((6 * 7)) | cat", "42\n"),
        ("echo it\\'s \\$HOME", "it's $HOME\n"),
        ("if true\nthen echo yes\nfi", "yes\n"),
    ],
)
def test_quotes_and_dollars_in_cmd_arrive_as_they_were_typed(command: str, printed: str) -> None:
    """Regression: make expanded `$HOME` to OME, and the shell that it started saw the quotes."""
    done = make_run(f"CMD={command}")
    assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)


def test_the_exit_code_of_a_failing_command_is_shown_besides_that_of_make() -> None:
    done = make_run('CMD=sh -c "exit 7"')
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "run: exit code 7"


@pytest.mark.parametrize("command", ["exit 7", "CODE=7 sh -c 'exit $CODE'", "cd / && exit 7", "eval exit 7"])
def test_what_only_a_shell_understands_runs_in_one(command: str) -> None:
    """Regression: `exit`, `cd` and `NAME=value` were looked for in PATH."""
    assert make_run(f"CMD={command}").stderr.splitlines()[0] == "run: exit code 7"


def test_a_single_program_is_the_payload_itself_without_a_shell() -> None:
    assert make_run("CMD=cat /proc/2/comm").stdout == "cat\n"


def test_a_missing_program_is_named_and_its_exit_code_is_127() -> None:
    assert make_run("CMD=no-such-program").stderr.splitlines()[:2] == [
        "sh: 1: no-such-program: not found",
        "run: exit code 127",
    ]


def test_the_command_finds_none_of_the_variables_that_make_sets() -> None:
    """A make in the command would take CMD from them."""
    shown = make_run("CMD=env").stdout
    assert "PATH=" in shown
    assert not [line for line in shown.splitlines() if line.startswith(("MAKE", "MFLAGS", "PYINIT_RUN_", "CMD="))]


def test_args_are_options_for_pyinit() -> None:
    assert "pyinit: payload 2 ended: exit code 0\n" in make_run("ARGS=-v -g", "CMD=true").stderr


def test_an_unclosed_quote_in_cmd_is_one_clear_line() -> None:
    assert make_run("CMD=echo it's").stderr.splitlines()[0] == "run: CMD: No closing quotation"


def test_only_the_demo_needs_nginx() -> None:
    dry = [
        subprocess.run(["make", "-n", "run", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for words in (["CMD=true"], [])
    ]
    assert ["nginx" in text for text in dry] == [False, True]


def test_the_environment_of_make_run_holds_only_what_pyinit_uses() -> None:
    packages = subprocess.run(
        [ROOT / ".work" / "run" / "bin" / "python", "-m", "pip", "list", "--format=freeze"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = {line.partition("==")[0] for line in packages.splitlines()}
    assert names == {"pip", "python-prctl", "setproctitle", "setuptools"}


def test_an_ordinary_user_runs_a_command_and_the_demo_in_a_user_namespace(readable_tree: Path) -> None:
    """Regression: unshare said that it was not permitted."""
    done = make_run("CMD=id -u", around=NOBODY, directory=readable_tree)
    assert (done.stdout, done.stderr, done.returncode) == ("65534\n", "", 0)
    demo = make_run(around=NOBODY, directory=readable_tree)
    assert demo.returncode == 0, demo
    assert "nginx: worker process" in demo.stdout
    assert demo.stdout.splitlines()[-1].endswith("exit code 0")


MOUNTED = 'mount --rbind / "$1" && mount -t proc proc "$1/proc"'
# A chroot into an ordinary folder: mountinfo has no "/" there, and the propagation of its root cannot be changed.
NOT_MOUNTED = """\
for entry in /*; do
    if [ "$entry" = /tmp ]; then continue; fi
    if [ -L "$entry" ]; then cp -P "$entry" "$1"
    elif [ -d "$entry" ]; then mkdir "$1$entry" && mount --rbind "$entry" "$1$entry"; fi
done
mkdir -m 1777 "$1/tmp"
"""


@pytest.fixture(params=[MOUNTED, NOT_MOUNTED], ids=["mounted", "not mounted"])
def chroot(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The words that start a program in a chroot, which is gone afterwards."""
    enter = f'set -e\n{request.param}\nexec chroot "$@"'
    return ["unshare", "--mount", "sh", "-c", enter, "sh", str(tmp_path)]


def test_the_demo_in_a_chroot_shows_no_processes_of_the_host(chroot: list[str]) -> None:
    """Regression: nsenter left the chroot, and ps listed all that runs on the host."""
    done = make_run(around=chroot)
    assert done.returncode == 0, done
    shown = done.stdout.partition("processes, with their PIDs inside:\n")[2].partition("==> ")[0]
    assert len(shown.splitlines()) == 1 + 1 + 1 + 2  # the heading, pyinit, nginx and its two workers


def test_a_command_in_a_chroot_sees_no_processes_of_the_host(chroot: list[str]) -> None:
    """Regression: unshare could not change the propagation of a root that is not a mount point."""
    done = make_run("CMD=echo /proc/[0-9]*", around=chroot)
    assert (done.stdout, done.stderr, done.returncode) == ("/proc/1 /proc/2\n", "", 0)


WITHOUT_MOUNTS = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"]
# The kernel refuses a new /proc to a user namespace whose own /proc is partly hidden, as container engines hide it.
MASKED = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /proc/cmdline && exec "$@"', "sh", *NOBODY]


@pytest.mark.parametrize("words", [["CMD=ps -e"], []], ids=["command", "demo"])
@pytest.mark.parametrize(
    ("around", "refused", "hint"),
    [
        (WITHOUT_MOUNTS, "unshare: unshare failed: Operation not permitted", "CAP_SYS_ADMIN"),
        (MASKED, "unshare: mount /proc failed: Operation not permitted", "root, or a user namespace"),
    ],
    ids=["root", "ordinary user"],
)
def test_where_no_pid_namespace_can_be_made_one_line_says_so(
    readable_tree: Path, around: list[str], words: list[str], refused: str, hint: str
) -> None:
    """Regression: the refusal looked like the command's exit code. No process of the host may be shown either."""
    done = make_run(*words, around=around, directory=readable_tree)
    line, of_make = done.stderr.splitlines()
    assert line.startswith(f"run: no PID namespace: {refused} (it needs {hint}")
    assert of_make.startswith("make: ***")
    assert done.stdout == ""


@pytest.mark.whole  # it makes an environment: 10 s
def test_python_packages_that_cannot_be_installed_are_named_in_one_line(tree: Path) -> None:
    """Regression: pip wrote nine lines about its retries."""
    nowhere = ["env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=", "PIP_CONFIG_FILE=/dev/null"]
    first, why, of_make = make_run("CMD=true", around=nowhere, directory=tree).stderr.splitlines()
    assert first == "run: installing python-prctl and setproctitle in .work/run"
    assert why.startswith("run: could not install them: ERROR: ")
    assert of_make.startswith("make: ***")


@pytest.mark.parametrize(
    ("around", "line"),
    [
        (NOBODY, "need: packages are missing; install them as root: apt-get install no-such-package"),
        ([], "need: could not install no-such-package: Unable to locate package no-such-package"),
        (["env", "PATH=/nowhere"], "need: this is not Debian, and these Debian packages are needed: no-such-package"),
    ],
    ids=["ordinary user", "root", "not Debian"],
)
def test_what_is_missing_and_cannot_be_installed_is_named_in_one_line(around: list[str], line: str) -> None:
    script = (ROOT / "tools" / "need").read_text()
    command = [*around, "/bin/sh", "-s", "no-such-package"]
    done = subprocess.run(command, input=script, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert [shown for shown in done.stderr.splitlines() if not shown.startswith("need: installing")] == [line]
