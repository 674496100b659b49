"""The generated module pyinit._build: commit, hashes of the sources, licence texts of what is linked in."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from freezing import cache, compiler
from freezing.modules import Module
from freezing.sources import Source

PRCTL = """\
python-prctl is (c) 2010-2020 Dennis Kaarsemaker <dennis@kaarsemaker.net> and licensed under the GNU General Public
License, version 3 or (at your option) any later version, as this program is.
"""
MIT = """\
musl is copyright (c) 2005-2020 Rich Felker and other contributors.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def module(sources: Mapping[str, Source], root: Path) -> Module:
    """pyinit._build; the same for every build of one commit."""
    hashes = [(f"{name} {source.version}", source.sha256) for name, source in sources.items()]
    hashes.append(("musl libc.a", cache.sha256(compiler.libc())))
    lines = [f"COMMIT = {_commit(root)!r}", f"SOURCES = {tuple(hashes)!r}"]
    lines.append(f"NOTICES = {_notices(sources)!r}")
    return Module("pyinit._build", "\n".join(lines).encode(), "pyinit/_build.py")


def _commit(root: Path) -> str:
    """The short hash of HEAD, or "unknown" where there is no git."""
    command = ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()


def _notices(sources: Mapping[str, Source]) -> str:
    texts = {}
    for name in ("cpython", "setproctitle"):
        text = sources[name].texts(["LICENSE"])["LICENSE"].decode()
        texts[f"{name} {sources[name].version}"] = text
    title = sources["setproctitle"]
    texts[f"setproctitle {title.version}"] += "\n\nIts file spt_status.c:\n\n" + _postgresql(title)
    texts[f"python-prctl {sources['python-prctl'].version}"] = PRCTL
    texts["musl"] = MIT
    rule = "-" * 78
    parts = [f"{rule}\n{name}\n{rule}\n\n{text.strip()}\n" for name, text in texts.items()]
    return "This file contains the following works, under their own licences.\n\n" + "\n".join(parts)


def _postgresql(setproctitle: Source) -> str:
    """The notice at the head of the one file that setproctitle took from PostgreSQL."""
    text = setproctitle.texts(["src/spt_status.c"])["src/spt_status.c"].decode()
    lines = text.partition("#include")[0].splitlines()
    return "\n".join(line.strip("/* -") for line in lines).strip()
