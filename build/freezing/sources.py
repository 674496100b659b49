"""The sources that build/sources.toml pins: fetched once, checked always."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from freezing import cache
from freezing.steps import BuildError, run


class Source:
    """One pinned source distribution."""

    def __init__(self, name: str, pin: dict[str, str], work: Path) -> None:
        self.name = name
        self.version = pin["version"]
        self.file = pin["file"]
        self.sha256 = pin["sha256"]
        self._work = work

    def archive(self) -> Path:
        """Where the archive lies, with the right hash. Raises BuildError if it cannot be had."""
        place = cache.folder() / "sources" / self.file
        if not (place.exists() and cache.sha256(place) == self.sha256):
            scratch = self._work / "fetch" / self.name
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            fetch = _fetch_from_apt if self.name == "cpython" else _fetch_from_pip
            fetch(self, scratch)
            found = cache.sha256(scratch / self.file)
            if found != self.sha256:
                raise BuildError(f"{self.file}: sha256 is {found}, build/sources.toml wants {self.sha256}")
            place = cache.store(scratch / self.file, f"sources/{self.file}")
        return place

    def unpack(self) -> Path:
        """The archive's one top folder, unpacked afresh below the work folder."""
        scratch = self._work / "sources" / self.name
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with tarfile.open(self.archive()) as archive:
            archive.extractall(scratch)
        return next(scratch.iterdir())

    def texts(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of some members, by their path below the top folder; those that do not exist are left out."""
        wanted = set(names)
        found = {}
        with tarfile.open(self.archive()) as archive:
            for member in archive:
                name = member.name.partition("/")[2]
                file = archive.extractfile(member) if name in wanted else None
                if file is not None:
                    found[name] = file.read()
        return found


def pinned(root: Path, work: Path) -> dict[str, Source]:
    """All sources of build/sources.toml by name."""
    with (root / "build" / "sources.toml").open("rb") as file:
        return {name: Source(name, pin, work) for name, pin in tomllib.load(file).items()}


def _fetch_from_apt(source: Source, folder: Path) -> None:
    """Debian's source package holds upstream's release file; apt is told where by the machine's own lists."""
    package = source.file.partition("_")[0]
    lists = folder / "apt"
    (lists / "lists" / "partial").mkdir(parents=True)
    (lists / "parts").mkdir()
    for file in [*Path("/etc/apt/sources.list.d").glob("*"), Path("/etc/apt/sources.list")]:
        if file.suffix == ".sources":
            text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", file.read_text())
        elif file.suffix == ".list" and file.exists():
            lines = file.read_text().splitlines()
            text = "\n".join(re.sub(r"^deb\s", "deb-src ", line) for line in lines if re.match(r"deb\s", line))
        else:
            continue
        (lists / "parts" / f"pyinit-{file.name}").write_text(text + "\n")
    options = [
        "-oDir::Etc::sourcelist=/dev/null",
        f"-oDir::Etc::sourceparts={lists}/parts",
        f"-oDir::State::lists={lists}/lists",
        "-oAPT::Sandbox::User=root",
    ]
    log = folder / "apt.log"
    run("apt: lists of sources", ["apt-get", "-q", *options, "update"], log, folder)
    fetch = ["apt-get", "-q", *options, "source", "--download-only", "--tar-only", package]
    run(f"apt: source of {package}", fetch, log, folder)
    if not (folder / source.file).exists():
        found = ", ".join(file.name for file in folder.glob("*.tar.*"))
        raise BuildError(f"apt: no {source.file}, only {found or 'nothing'}; see docs/freezing.md")


def _fetch_from_pip(source: Source, folder: Path) -> None:
    """pip checks the hash before it looks into the archive."""
    wish = folder / "requirements.txt"
    wish.write_text(f"{source.name}=={source.version} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps", "--no-binary=:all:"]
    command += ["--no-build-isolation", "--dest", str(folder), "--requirement", str(wish)]
    run(f"pip: source of {source.name}", command, folder / "pip.log", folder, dict(os.environ))
