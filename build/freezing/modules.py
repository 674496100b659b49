"""The table of modules that build mode imports from: what PyInstaller's Analysis found, compiled."""

from __future__ import annotations

import marshal
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from freezing.sources import Source
from freezing.steps import BuildError

BOOTSTRAP = {
    "_frozen_importlib": "importlib._bootstrap",
    "_frozen_importlib_external": "importlib._bootstrap_external",
}
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


class Module:
    """A Python module: its name in the program and its text."""

    def __init__(
        self,
        name: str,
        text: bytes,
        place: str,
        is_package: bool = False,
        optimize: int = 2,
        has_lines: bool = True,
    ) -> None:
        self.name = name
        self.text = text
        self.place = place  # what tracebacks show
        self.is_package = is_package
        self.optimize = optimize  # as compile() has it; below 1 assertions stay
        self.has_lines = has_lines  # whether an error can say where in it


def from_file(path: Path, optimize: int = 2) -> Module:
    """A module that has the name of its file."""
    return Module(path.stem, path.read_bytes(), path.name, optimize=optimize)


def from_analysis(found: Iterable[tuple[str, str, str]], cpython: Source, root: Path) -> list[Module]:
    """The modules of Analysis' list; those of the standard library with the text of the pinned source."""
    ours, standard = [], {}
    for name, path, _ in found:
        file = Path(path)
        is_package = file.name == "__init__.py"
        if file.is_relative_to(STANDARD_LIBRARY) and "-packages" not in path:
            standard[f"Lib/{file.relative_to(STANDARD_LIBRARY)}"] = (name, is_package)
        elif file.suffix == ".py":
            place = str(file.relative_to(root)) if file.is_relative_to(root / "pyinit") else file.name
            ours.append(Module(name, file.read_bytes(), place, is_package))
    texts = cpython.texts(standard)
    library = [
        Module(name, texts[member], member.removeprefix("Lib/"), is_package, has_lines=False)
        for member, (name, is_package) in standard.items()
        if member in texts
    ]
    return ours + library


def bootstrap(cpython: Source) -> list[Module]:
    """The two modules that the import system itself consists of."""
    members = {name: f"Lib/{real.replace('.', '/')}.py" for name, real in BOOTSTRAP.items()}
    texts = cpython.texts(members.values())
    return [
        Module(name, texts[member], f"<frozen {BOOTSTRAP[name]}>", has_lines=False) for name, member in members.items()
    ]


def table(start: Iterable[Module], modules: Iterable[Module], wanted: Iterable[str]) -> bytes:
    """The table; of modules with one name the last counts. `wanted` is imported in this order, the program last."""
    by_name = {module.name: module for module in modules}
    order = list(wanted)
    entries = [("b", module) for module in start]
    entries += [("i", by_name.pop(name)) for name in order]
    entries += [("-", by_name[name]) for name in sorted(by_name)]
    codes = _compiled([module for _, module in entries])
    records = []
    for (how, module), code in zip(entries, codes, strict=True):
        kind = "p" if module.is_package else "-"
        records.append(f"{how}{kind} {len(code)} {module.name}\n".encode() + code)
    return b"".join(records)


def _compiled(modules: list[Module]) -> list[bytes]:
    """Their bytecode, made in a process of its own: see bytecode.py."""
    texts = marshal.dumps([(module.text, module.place, module.optimize, module.has_lines) for module in modules])
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("bytecode.py"))]
    done = subprocess.run(command, input=texts, capture_output=True, check=False, env={})
    if done.returncode != 0:
        raise BuildError(f"compile: {done.stderr.decode(errors='replace').strip()}")
    codes: list[bytes] = marshal.loads(done.stdout)
    return codes
