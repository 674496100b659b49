"""`make wheel`: dist/pyinit as bin/pyinit of a wheel that fits every x86_64 Linux, whatever its libc.

The file needs no libc and no Python, so the tags name the oldest of each family that pip knows.
"""

from __future__ import annotations

import base64
import hashlib
import stat
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

TAGS = [
    "py3-none-manylinux1_x86_64",
    "py3-none-manylinux2014_x86_64",
    "py3-none-manylinux_2_5_x86_64",
    "py3-none-manylinux_2_17_x86_64",
    "py3-none-musllinux_1_1_x86_64",
]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say: two wheels of one file are identical


def main() -> int:
    """ROOT PROGRAM FOLDER: write the wheel of PROGRAM to FOLDER and print its path."""
    root, program, folder = (Path(word) for word in sys.argv[1:])
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    files = {
        "{}.data/scripts/pyinit": program,
        "{}.data/data/share/man/man1/pyinit.1": root / "docs" / "pyinit.1",
        "{}.data/data/share/bash-completion/completions/pyinit": root / "completions" / "pyinit.bash",
        "{}.data/data/share/zsh/site-functions/_pyinit": root / "completions" / "_pyinit",
    }
    files |= {f"{{}}.dist-info/licenses/{name}": root / name for name in project["license-files"]}
    version = _version(root)
    name = f"{project['name']}-{version}"
    content = {member.format(name): file.read_bytes() for member, file in files.items()}
    print(write(project, version, content, folder))
    return 0


def write(project: dict[str, Any], version: str, files: dict[str, bytes], folder: Path) -> Path:
    """Write a wheel of these files, by their paths in it, and return its path."""
    name = f"{project['name']}-{version}"
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
    ]
    metadata += [f"License-File: {file}" for file in project["license-files"]]
    wheel = ["Wheel-Version: 1.0", "Generator: pyinit", "Root-Is-Purelib: false"]
    wheel += [f"Tag: {tag}" for tag in TAGS]
    content = {
        **files,
        f"{name}.dist-info/METADATA": _lines(metadata),
        f"{name}.dist-info/WHEEL": _lines(wheel),
    }
    record = f"{name}.dist-info/RECORD"
    content[record] = _lines([*(_recorded(*item) for item in content.items()), f"{record},,"])
    platforms = ".".join(tag.rpartition("-")[2] for tag in TAGS)
    path = folder / f"{name}-py3-none-{platforms}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            entry = zipfile.ZipInfo(member, EPOCH)
            mode = 0o755 if "/scripts/" in member else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _recorded(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}"


def _version(root: Path) -> str:
    """VERSION of pyinit/version.py, read without importing the program."""
    lines = (root / "pyinit" / "version.py").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("VERSION = "))


if __name__ == "__main__":
    sys.exit(main())
