"""What frozen code may not use, because it was not there when the interpreter was started: see docs/freezing.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.tree import ROOT

FILES = sorted(file for file in (ROOT / "pyinit").rglob("*.py") if not file.stem.startswith("fallback"))
MODULES = {
    *(
        "__future__",
        "_pyinit",
        "_socket",
        "collections",
        "enum",
        "errno",
        "fcntl",
        "functools",
        "getopt",
        "os",
        "prctl",
        "pyinit",
    ),
    *("select", "setproctitle", "signal", "stat", "sys", "time", "types"),
}
BUILTINS = {"open", "print", "input", "eval", "exec", "compile", "breakpoint"}
ATTRIBUTES = {
    "os": {"environ", "environb", "getenv", "getenvb", "putenv", "popen", "system", "execvp", "execvpe", "fdopen"},
    "sys": {"stdin", "stdout", "stderr", "path"},
}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not is_for_types_only(child):
            yield from at_run_time(child)


def offence(node: ast.AST) -> str:
    """What is wrong with a node, or nothing."""
    match node:
        case ast.Import(names=names):
            wrong = {alias.name.partition(".")[0] for alias in names} - MODULES
            return f"imports {', '.join(wrong)}" if wrong else ""
        case ast.ImportFrom(module=str(module), level=0):
            return "" if module.partition(".")[0] in MODULES else f"imports {module}"
        case ast.Name(id=name) if name in BUILTINS:
            return f"uses {name}"
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in ATTRIBUTES.get(owner, ()):
            return f"uses {owner}.{name}"
    return ""


def offences(text: str) -> list[str]:
    """Everything wrong with a module."""
    return [found for node in at_run_time(ast.parse(text)) if (found := offence(node))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_module_uses_only_what_the_frozen_file_has(file: Path) -> None:
    assert offences(file.read_text()) == []


@pytest.mark.parametrize(
    "text",
    ["import json", "from re import sub", "open('x')", "os.environ['x']", "sys.stderr", "def f():\n    import logging"],
)
def test_the_rules_for_modules_find_what_breaks_them(text: str) -> None:
    assert len(offences(text)) == 1
