"""Documents and the forge's files name only targets of make that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.tree import ROOT

TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/*.md"), *ROOT.glob(".devcontainer/*.json")]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Words after make that are no variable, no file and no prose: two spaces end a command in README's table.
WORDS = r"make((?: [a-z-]+(?![\w=./]))+)"


def targets_named(text: str) -> set[str]:
    """Return the targets in commands such as `make lint dist`, between backticks or quotes, or in a block of code."""
    commands = re.findall(rf"(?:[`\"]|&& |run: ){WORDS}", text)
    for block in FENCED.findall(text):
        commands += re.findall(rf"^{WORDS}", block, re.MULTILINE)
    return {target for words in commands for target in words.split()}


def test_every_workflow_calls_make() -> None:
    """A step that makes something by another command would be one that nobody can repeat."""
    callers = [path for path in WORKFLOWS if path.name != "debian.yml"]
    assert callers
    assert [path.name for path in callers if "targets: " not in path.read_text()] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflow_calls_only_targets_that_exist(path: Path) -> None:
    text = path.read_text()
    given = {target for words in re.findall(r"^ +targets: (.+)$", text, re.MULTILINE) for target in words.split()}
    assert (given | targets_named(text)) - set(TARGETS) == set()


@pytest.mark.parametrize("path", sorted(TEXTS), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_text_names_only_targets_that_exist(path: Path) -> None:
    assert targets_named(path.read_text()) - set(TARGETS) == set()
