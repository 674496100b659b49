"""Completion as a user meets it: in an interactive shell, with the Tab key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import ENVIRONMENT
from tests.conftest import OpenTerminal
from tests.needed import need
from tests.terminal import Terminal
from tools.tree import ROOT

# Instead of the program: what the shell has made of the line.
PRINT = "pyinit() { printf 'words:'; printf '<%s>' \"$@\"; echo; }\n"
BARE = f". {ROOT}/completions/pyinit.bash\n{PRINT}PS1='[$?]: '\n"
BASH = ". /usr/share/bash-completion/bash_completion\n" + BARE
ZSH = f"fpath=({ROOT}/completions $fpath)\nautoload -U compinit\ncompinit -u -D\n{PRINT}PS1='[%?]: '\n"


LINES = {
    "--warn\t": ["--warn-on-reap"],
    "--log-format js\t": ["--log-format", "json"],
    "-u roo\t": ["-u", "root"],
    "-g ls --vers\t": ["-g", "ls", "--version"],
    "-t 5 -- ls --vers\t": ["-t", "5", "--", "ls", "--version"],
}
Open = Callable[[str, str], Terminal]


@pytest.fixture
def interactive(terminal: OpenTerminal, tmp_path: Path) -> Open:
    """Return a function that opens a shell with this start-up file, and waits for its prompt."""

    def begin(shell: str, start_up: str) -> Terminal:
        need(shell)
        for name in (".bashrc", ".zshrc"):
            (tmp_path / name).write_text(start_up)
        environment = {**ENVIRONMENT, "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
        opened = terminal(shell, "-i", environment=environment)
        opened.prompt(0)
        return opened

    return begin


@pytest.mark.parametrize(("shell", "start_up"), [("bash", BASH), ("zsh", ZSH)], ids=["bash", "zsh"])
def test_tab_completes_pyinits_options_and_the_programs(interactive: Open, shell: str, start_up: str) -> None:
    opened = interactive(shell, start_up)
    for typed, words in LINES.items():
        opened.type(f"pyinit {typed}")
        opened.expect("words:" + "".join(f"<{word}>" for word in words))


def test_bash_alone_completes_too(interactive: Open) -> None:
    """Without the package bash-completion: what is pyinit's own, and files."""
    opened = interactive("bash", BARE)
    opened.type("pyinit --warn\t ls /etc/passw\t")
    opened.expect("words:<--warn-on-reap><ls></etc/passwd")
    assert "not found" not in opened.screen
