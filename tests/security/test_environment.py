"""The environment is the payload's: init reads the variables that docs/security.md lists, and no other."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyinit.cli.compat import originals
from tests.security.lives import Trace, traced
from tests.support import procfs
from tests.support.commands import ENVIRONMENT, INIT_WAITS, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start
from tools.tree import ROOT

INIT_SLEEPS = shell(INIT_WAITS)
LIVES = {
    "plain": ["-v", "--", *INIT_SLEEPS],
    "another user": ["-u", "nobody", "--", *INIT_SLEEPS],
    "no such program": ["--", "no-such-program"],
    "a version": ["-v", "--version"],
    "help": ["--help"],
    "a licence": ["--license"],
    "bad usage": ["--grace", "x"],
}


def documented() -> dict[str, str]:
    """The variables that docs/security.md lists, with what it says each is read for."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|$", text.partition("## Environment")[2], re.MULTILINE)
    return {name: why for names, why in rows for name in re.findall(r"`(\w+)`", names)}


def named_in(file: Path) -> Iterator[str]:
    """The variables that a module asks for, or has the payload's start look for, by themselves or by its constants."""
    tree = ast.parse(file.read_text())
    shared = ast.parse((ROOT / "pyinit" / "options.py").read_text())
    constants = {
        target.id: node.value
        for node in [*shared.body, *tree.body]
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("request.unset", "request.own_pid"):
            yield from names_in(node.value, constants)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "native.getenv":
            for argument in node.args:
                yield from names_in(argument, constants)


def names_in(expression: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """The names of variables in an expression and in the constants that it uses."""
    parts = [*ast.walk(expression)]
    parts += [each for part in parts for each in ast.walk(constants.get(ast.unparse(part), part))]
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
            yield from re.findall("^[A-Za-z_]+$", os.fsdecode(part.value))


def names_of(frozen: Path) -> set[str]:
    """Every word in the file that could be a variable's name, without those that are documented."""
    words = re.findall(rb"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{1,30}(?![A-Za-z0-9_])", frozen.read_bytes())
    return {word.decode() for word in words} - set(documented())


def seen(trace: Trace) -> tuple[object, ...]:
    """What a life was, without what differs from one run to the next: pids, addresses, who was quicker."""
    once = {re.sub(r"0x[0-9a-f]+|\d+", "N", f"{call.name}({call.arguments}) = {call.result}") for call in trace.init}
    words = re.sub(r"payload \d+", "payload N", trace.done.stderr)
    return trace.done.returncode, trace.done.stdout, words, once


def test_security_md_lists_the_variables_that_are_read() -> None:
    """Those that the program asks for, and PATH, which the payload is looked for in (spawn.c)."""
    files = sorted(file for file in (ROOT / "pyinit").rglob("*.py") if not file.stem.startswith("fallback"))
    assert set(documented()) == {name for file in files for name in named_in(file)}


def test_no_module_reads_the_environment_but_by_native() -> None:
    """`native` is the only door; behind it is `environ`, for one variable at a time and for the payload's own."""
    for file in (ROOT / "pyinit").rglob("*.py"):
        if file.parent.name != "native":
            assert not re.search(r"\benvironb?\b|(?<!native\.)\bgetenv\b", code(file)), file
    ours = {file.name: without_comments(file.read_text()) for file in (ROOT / "build").glob("*/*.c")}
    assert [name for name, text in ours.items() if re.search(r"\b(secure_)?getenv\(|\benviron\b", text)] == ["native.c"]
    assert "getenv(" not in ours["native.c"]
    assert len(re.findall(r"\benviron\b", ours["native.c"])) == 3  # its declaration, those two


def without_comments(text: str) -> str:
    """C without its comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def code(file: Path) -> str:
    """A module's code without its texts and comments."""
    return ast.unparse(ast.fix_missing_locations(WithoutTexts().visit(ast.parse(file.read_text()))))


class WithoutTexts(ast.NodeTransformer):
    """Makes all texts empty."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """The one kind of node that holds text."""
        return ast.Constant("") if isinstance(node.value, str) else node


def test_the_manual_and_the_help_texts_list_the_variables() -> None:
    peers = {name for name, why in documented().items() if "under the name" in why}
    manual = (ROOT / "docs" / "pyinit.1").read_text()
    assert set(re.findall(r"(?<= Ev )\w+", manual.partition(".Sh ENVIRONMENT")[2])) == set(documented()) - peers
    helped = {word for each in originals.NAMES.values() for word in re.findall(r"[A-Z_]{5,}", each.variables)}
    # Reserved, not read: catatonit refuses to start with it, and its help does not say so.
    assert helped == peers - {"CATATONIT_LOG"}


@pytest.mark.parametrize("value", ["1", "/nowhere", ""])
@pytest.mark.parametrize("life", LIVES)
def test_every_other_environment_variable_changes_nothing(frozen: Path, tmp_path: Path, life: str, value: str) -> None:
    """Every word of the file that looks like a variable is one: not a system call is different, not an output."""
    others = dict.fromkeys(names_of(frozen), value)
    assert {"PYTHONHASHSEED", "PYTHONVERBOSE", "SPT_NOENV", "LC_ALL", "TZ", "LANG"} <= set(others)
    bare, full = (tmp_path / name for name in ("bare", "full"))
    bare.mkdir()
    full.mkdir()
    calls = "!wait4,waitid,rt_sigtimedwait"
    plain = seen(traced([frozen], LIVES[life], bare, calls=calls))
    assert seen(traced([frozen], LIVES[life], full, calls=calls, environment={**others, **ENVIRONMENT})) == plain


@pytest.mark.parametrize(("variable", "value"), [("SPT_NOENV", ""), ("SPT_DEBUG", "1")])
def test_setproctitles_variables_mean_nothing_to_init(frozen: Path, variable: str, value: str) -> None:
    """An empty SPT_NOENV would have the title written over the environment, SPT_DEBUG would print lines."""
    words = ["-t9", "--", *shell("trap '' TERM; sleep 600 & exit 0")]
    with closing(Init([str(frozen)], words, environment={**ENVIRONMENT, variable: value})) as init:
        before = procfs.environment(init.pid)
        title = "pyinit: stopping, 1 left, KILL in 9 s"
        until(lambda: procfs.command(init.pid)[:1] == [title], title)
        assert (init.stderr, procfs.environment(init.pid)) == ("", before)


@pytest.mark.parametrize("right", ["-g", "-e 7", "--rewrite=HUP:INT"])
def test_a_wrong_option_after_as_many_right_ones_as_a_variable_holds_is_named_at_once(
    start: Start, place: str, right: str
) -> None:
    """Regression: all options before the wrong one were split again for each of them, which would take hours here.

    The kernel takes no longer text (execve(2): MAX_ARG_STRLEN).
    """
    few, many = (
        start("true", environment={**ENVIRONMENT, "PYINIT_OPTIONS": f"{right} " * count + "-Z"}, place=place).wait()
        for count in (1, 120_000 // len(f"{right} "))
    )
    assert many == few
    assert many.code == 125
    assert many.stderr.startswith("pyinit: PYINIT_OPTIONS: unknown option -Z; the options are -g, ")
