"""The documents agree with what they describe: the option table, the tests, the files that there are."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyinit import native
from pyinit.cli.rows import TABLE
from pyinit.shutdown import Phase
from pyinit.version import VERSION
from tools.tree import ROOT

OPTIONS = sorted(word for option in TABLE.options for word in option.words())


def in_manual() -> list[str]:
    """The options that docs/pyinit.1 describes."""
    items = re.findall(r"^\.It (Fl .*)$", (ROOT / "docs" / "pyinit.1").read_text(), re.MULTILINE)
    return [("--" if long else "-") + name for item in items for long, name in re.findall(r"Fl (Fl )?([\w-]+)", item)]


def in_usage() -> list[str]:
    """The options in the first column of docs/usage.md's table."""
    rows = re.findall(r"^\| (`-.*?) \|", (ROOT / "docs" / "usage.md").read_text(), re.MULTILINE)
    return [word for row in rows for word in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", row)]


def in_bash() -> list[str]:
    """What the completion for bash offers for a dash."""
    words = "COMP_WORDS=(pyinit -); COMP_CWORD=1; _pyinit; printf '%s\\n' \"${COMPREPLY[@]}\""
    script = f"source {ROOT}/completions/pyinit.bash; {words}"
    return subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split()


def in_zsh() -> list[str]:
    """The options in the completion for zsh."""
    text = (ROOT / "completions" / "_pyinit").read_text()
    found = set()
    for line in text.splitlines()[4:]:
        braces = re.search(r"\{(-.*?)\}", line)
        single = re.search(r"'\*?(?:\([^)]*\))?(--[\w-]+?)=?-?\[", line)
        if braces:
            found |= {word.rstrip("=") for word in braces[1].split(",")}
        elif single:
            found.add(single[1])
    return sorted(found)


@pytest.mark.parametrize("listed", [in_manual, in_usage, in_bash, in_zsh])
def test_the_document_has_the_options_of_the_table(listed: Callable[[], list[str]]) -> None:
    assert sorted(listed()) == OPTIONS


def test_mandoc_finds_nothing_wrong_in_the_manual_page() -> None:
    """Nothing that mandoc could say of it, but that this machine has not installed a page that it refers to."""
    page = ROOT / "docs" / "pyinit.1"
    found = subprocess.run(["mandoc", "-Tlint", page], check=False, capture_output=True, text=True).stdout
    assert [line for line in found.splitlines() if "referenced manual not found" not in line] == []


def test_every_row_of_the_migration_guide_has_its_test() -> None:
    rows = re.findall(r"^\| .* \| `(test_\w+)` \|$", (ROOT / "docs" / "migration.md").read_text(), re.MULTILINE)
    tests = re.findall(r"^def (test_\w+)", (ROOT / "tests" / "pid1" / "test_migration.py").read_text(), re.MULTILINE)
    assert set(rows) == set(tests)


def test_every_promise_of_the_security_page_has_its_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    promises = text.partition("## Promises")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!promise)(.*) \| (.*) \|$", promises, re.MULTILINE)
    assert rows
    assert [promise for promise, tests in rows if not re.search(r"`test_\w+`", tests)] == []
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"`(test_\w+)`", text)) - there == set()


def test_architecture_md_names_every_module() -> None:
    """docs/architecture.md names each file of pyinit/, and none that is not there."""
    package = ROOT / "pyinit"
    files = {str(path.relative_to(package)) for path in package.rglob("*.py") if path.stem != "__init__"}
    rows = re.findall(r"^\| (`.*?`) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\S+\.py)`", row)}
    assert named - {"native/__init__.py"} == files


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def defined_in(path: Path) -> set[str]:
    """The names that a file defines: functions, classes with their methods, constants; or labels."""
    text = path.read_text()
    if path.suffix != ".py":
        return set(re.findall(r"^(?:[A-Za-z][\w *]*?[ *])?(\w+)(?:\(.*\)$|:$)", text, re.MULTILINE))
    names = set()
    for node in ast.parse(text).body:
        match node:
            case ast.ClassDef(name=name, body=body):
                names |= {name} | {f"{name}.{each.name}" for each in body if isinstance(each, ast.FunctionDef)}
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


@pytest.mark.parametrize("step", sorted(set(re.findall(r"`([\w/.]+\.(?:py|c|S):[\w.]+)`", ARCHITECTURE))))
def test_every_step_that_architecture_md_walks_through_is_in_the_code(step: str) -> None:
    file, _, name = step.partition(":")
    assert name in defined_in(ROOT / file)


def test_the_state_diagram_has_the_phases_of_the_shutdown() -> None:
    (diagram,) = re.findall(r"^```\n(  payload.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"\b[A-Z]{5,}\b", diagram)) - {"SIGTERM"} == {phase.name for phase in Phase}


def test_the_number_of_native_calls_is_right() -> None:
    words = dict(enumerate(["Nine", "Ten", "Eleven", "Twelve", "Thirteen", "Fourteen"], 9))
    functions = [name for name in native.__all__ if name.islower()]
    assert f"\n{words[len(functions)]} calls exist twice" in ARCHITECTURE


def imports() -> dict[str, set[str]]:
    """For each module of pyinit, those that it imports; packages' own files only if they are imported by name."""
    package = ROOT / "pyinit"
    found = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in package.rglob("*.py")
    }
    graph = {}
    for module, file in found.items():
        names = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pyinit"):
                names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        # `from pyinit.cli import values` imports values; that cli itself was imported on the way is of no account.
        graph[module] = {
            name for name in names & set(found) if not any(other.startswith(f"{name}.") for other in names)
        }
    return graph


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = imports()
    while leaves := {module for module, names in graph.items() if not names & set(graph)}:
        graph = {module: names for module, names in graph.items() if module not in leaves}
    assert graph == {}


@pytest.mark.parametrize("page", ["freezing.md", "porting-cpython.md"])
def test_every_file_of_the_freezer_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    named = set(re.findall(r"`((?:build|tests|pyinit)/[\w./]*[\w/])`", text))
    named |= {f"build/{name}" for name in re.findall(r"`(freezing/[\w./]+)`", text)}
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_functions_of_cpython_that_the_porting_page_names_are_used() -> None:
    text = (ROOT / "docs" / "porting-cpython.md").read_text()
    functions = set(re.findall(r"`(_Py_Specialize_\w+)`", text))
    used = (ROOT / "build" / "speed" / "specialize.c").read_text()
    assert functions
    assert {name for name in functions if name not in used} == set()


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_the_page_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.*") if f"docs/{page.name}" not in text] == []


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+) \(.+\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == VERSION
