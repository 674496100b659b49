"""The generated module pyinit._build: commit, hashes of the sources, licence texts of what is linked in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from freezing import cache, compiler
from freezing.modules import Module
from freezing.sources import Source
from freezing.steps import BuildError

PRCTL = """\
python-prctl is (c) 2010-2020 Dennis Kaarsemaker <dennis@kaarsemaker.net> and licensed under the GNU General Public
License, version 3 or (at your option) any later version, as this program is.
"""
# Files that have a notice of their own, and where that is in them: up to the text, or between two.
OWN_NOTICES = {
    "cpython": {
        "Python/dtoa.c": ("", "*/"),
        "Python/getopt.c": ("", "#include"),
        "Python/hashtable.c": ("", "#include"),
        "Python/pyhash.c": ("<MIT License>", "</MIT License>"),
        "Objects/unicodeobject.c": ("", "#define"),
    },
    "setproctitle": {"src/spt_status.c": ("", "#include"), "src/spt_strlcpy.c": ("", "#include")},
}
MUSL = """\
musl is copyright (c) 2005-2020 Rich Felker and other contributors. Some of its mathematical functions are copyright
(c) 2012-2018 Arm Limited, its sort (c) 2011 Valentin Ochs; the same terms hold for them. Others are copyright (c) 1993,
2004 Sun Microsystems, Inc., developed at SunPro: permission to use, copy, modify, and distribute them is freely
granted, provided that this notice is preserved.

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
    for name, files in OWN_NOTICES.items():
        texts[f"{name} {sources[name].version}"] = "\n\n".join(_texts(sources[name], files))
    texts[f"python-prctl {sources['python-prctl'].version}"] = PRCTL
    texts["musl"] = MUSL
    rule = "-" * 78
    parts = [f"{rule}\n{name}\n{rule}\n\n{text.strip()}\n" for name, text in texts.items()]
    return "This file contains the following works, under their own licences.\n\n" + "\n".join(parts)


def _texts(source: Source, files: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """The licence of a work, and the notices of its files that came from elsewhere. Raises BuildError without one."""
    found = source.texts(["LICENSE", *files])
    yield found["LICENSE"].decode().strip()
    for file, (begin, end) in files.items():
        _, opened, rest = found[file].decode().partition(begin) if begin else ("", "found", found[file].decode())
        notice, closed, _ = rest.partition(end)
        if not (opened and closed):
            raise BuildError(f"{file}: its notice is not where build/freezing/notices.py looks for it")
        lines = [line.strip("/* \t") for line in notice.splitlines()]
        yield f"Its file {file}:\n\n" + "\n".join(each for each in lines if not each or each.strip("-")).strip()
