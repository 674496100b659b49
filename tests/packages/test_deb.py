"""The Debian package: the same bits twice, no error of lintian's, and in a Debian of its own all of it works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyinit.cli.compat.originals import NAMES
from pyinit.version import VERSION
from tests.support.commands import PROGRAMS
from tests.support.requirements import frozen_file
from tools.deb import make_deb
from tools.debian_root import debian_tar
from tools.tree import ROOT

# One package and one Debian for all tests here.
pytestmark = pytest.mark.xdist_group("deb")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, made now."""
    frozen_file()
    return make_deb(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small Debian that knows nothing of pyinit."""
    root = tmp_path_factory.mktemp("debian")
    run("tar", "-C", root, "-xf", debian_tar())
    yield root
    shutil.rmtree(root)


def run(*words: str | Path) -> str:
    """Run a command to its end and return its output, both streams; it must succeed."""
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_inside(root: Path, *words: str) -> tuple[int, str]:
    """Run a command as PID 1 of this root file system; its exit code and output, both streams."""
    namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", f"--root={root}"]
    done = subprocess.run(
        [*namespace, *words], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def traces(root: Path) -> list[str]:
    """Every path in this root that pyinit has put there, dpkg's own records left out."""
    found = [path.relative_to(root) for name in ("*pyinit*", "container-init*") for path in root.rglob(name)]
    return sorted(str(path) for path in found if path.parts[:3] != ("var", "lib", "dpkg"))


def test_two_builds_of_the_package_are_the_same(package: Path, tmp_path: Path) -> None:
    """Neither the clock nor the time zone nor the umask is in the package."""
    script = "import pathlib, sys; from tools.deb import make_deb; make_deb(pathlib.Path(sys.argv[1]))"
    elsewhere = ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(elsewhere, check=True, cwd=ROOT, env={**os.environ, "TZ": "Asia/Tokyo"})
    assert (tmp_path / package.name).read_bytes() == package.read_bytes()


def test_lintian_finds_no_error_in_the_package(package: Path) -> None:
    """What is overridden stands in packaging/debian/lintian-overrides."""
    run("lintian", "--allow-root", "--fail-on=error", package)


def test_the_installed_package_works_and_can_be_removed(package: Path, debian: Path) -> None:
    """The program, its alternative and the personas; then nothing of them is left."""
    assert traces(debian) == []
    run("dpkg", f"--root={debian}", "--install", package)
    assert run("dpkg", f"--root={debian}", "--verify", "pyinit") == ""

    # The file alone, the name that other inits share, and the names that stand for others' options.
    assert run_inside(debian, "/usr/bin/pyinit", "--", "sh", "-c", "echo $PPID; exit 7") == (7, "1\n")
    assert run_inside(debian, "container-init", "--", "sh", "-c", "echo $PPID; exit 8") == (8, "1\n")
    for persona in NAMES:
        code, output = run_inside(debian, f"/usr/libexec/pyinit/{persona}", "--version")
        # docker's word for all of them; pyinit under its own name says pyinit.
        assert (code, output.startswith(f"tini version {VERSION} (pyinit)")) == (0, True)
    # The alternative brings its manual page.
    assert (debian / "etc/alternatives/container-init").readlink() == Path("/usr/bin/pyinit")
    assert (debian / "etc/alternatives/container-init.1.gz").readlink() == Path("/usr/share/man/man1/pyinit.1.gz")
    assert (debian / "usr/share/doc/pyinit/copyright").read_text().endswith(run(PROGRAMS["frozen"][0], "--license"))

    run("dpkg", f"--root={debian}", "--remove", "pyinit")
    assert traces(debian) == []
