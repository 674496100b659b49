"""Completion as a user meets it: in an interactive shell, with the Tab key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.commands import ENVIRONMENT
from tests.support.requirements import need
from tests.support.tty import Terminal
from tests.support.types import OpenTerminal
from tools.tree import ROOT

# Instead of the program: what the shell has made of the line.
PRINT = "pyinit() { printf 'words:'; printf '<%s>' \"$@\"; echo; }\na_function() { :; }\ncd\n"
BARE = f". {ROOT}/completions/pyinit.bash\n{PRINT}PS1='[$?]: '\n"
BASH = ". /usr/share/bash-completion/bash_completion\n" + BARE
ZSH = f"fpath=({ROOT}/completions $fpath)\nautoload -U compinit\ncompinit -u -D\n{PRINT}PS1='[%?]: '\n"


LINES = {
    "--warn\t": ["--warn-on-reap"],
    "--log-format js\t": ["--log-format", "json"],
    "-u roo\t": ["-u", "root"],
    "-g ls --vers\t": ["-g", "ls", "--version"],
    "-t 5 -- ls --vers\t": ["-t", "5", "--", "ls", "--version"],
    "-vt 5 ls --vers\t": ["-vt", "5", "ls", "--version"],
    "-e 143:0 --grace=5 ls --vers\t": ["-e", "143:0", "--grace=5", "ls", "--version"],
    "-p K\t": ["-p", "KILL"],
    "-p SIGK\t": ["-p", "SIGKILL"],
    "-r WIN\t0 ls --vers\t": ["-r", "WINCH:0", "ls", "--version"],
    "-r TERM:QU\t": ["-r", "TERM:QUIT"],
    "--rewrite=TERM:SIGQU\t": ["--rewrite=TERM:SIGQUIT"],
    "-u root:daem\t": ["-u", "root:daemon"],
    "-g unshar\t": ["-g", "unshare"],
    "-- unshar\t": ["--", "unshare"],
    "/usr/bin/unshar\t": ["/usr/bin/unshare"],
    "./progr\t": ["./program"],
}
# Where nothing fits, though files in the current directory, or the shell's own commands, begin so.
UNCHANGED = (
    *("-t 5", "-k 5", "-d 5", "-e 5", "--remap-exit 5", "--remap-exit=5", "--grace=5"),
    *("-P unshar", "-vP unshar", "--pause unshar", "-g a_func", "compge", "funct", "-- a_func"),
)
SHELLS = [("bash", BASH), ("zsh", ZSH)]
Open = Callable[[str, str], Terminal]


@pytest.fixture
def interactive(terminal: OpenTerminal, tmp_path: Path) -> Open:
    """A function that opens a shell with this start-up file, and waits for its prompt."""

    def begin(shell: str, start_up: str) -> Terminal:
        need(shell)
        for name in (".bashrc", ".zshrc"):
            (tmp_path / name).write_text(start_up)
        (tmp_path / "5 seconds").touch()
        (tmp_path / "program").touch(0o755)
        (tmp_path / "programme").touch(0o644)
        environment = {**ENVIRONMENT, "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
        opened = terminal(shell, "-i", environment=environment)
        opened.prompt(0)
        return opened

    return begin


def printed(words: Sequence[str]) -> str:
    """The whole line that the function in pyinit's place prints."""
    return "words:" + "".join(f"<{word}>" for word in words) + "\r\n"


@pytest.mark.parametrize(("shell", "start_up"), SHELLS, ids=["bash", "zsh"])
def test_tab_completes_pyinits_options_and_the_programs(interactive: Open, shell: str, start_up: str) -> None:
    opened = interactive(shell, start_up)
    for typed, words in LINES.items():
        opened.type(f"pyinit {typed}")
        opened.expect(printed(words))


@pytest.mark.parametrize(("shell", "start_up"), SHELLS, ids=["bash", "zsh"])
def test_tab_offers_nothing_that_cannot_be_meant(interactive: Open, shell: str, start_up: str) -> None:
    opened = interactive(shell, start_up)
    for typed in UNCHANGED:
        opened.type(f"pyinit {typed}\t")
        opened.expect(printed(typed.split()))


def test_bash_completes_without_the_package_bash_completion(interactive: Open) -> None:
    """Without the package bash-completion: what is pyinit's own, and files."""
    opened = interactive("bash", BARE)
    opened.type("pyinit --warn\t ls /etc/passw\t")
    opened.expect("words:<--warn-on-reap><ls></etc/passwd")
    opened.type("pyinit -p KIL\t -- unshar\t")
    opened.expect(printed(["-p", "KILL", "--", "unshare"]))
    assert "not found" not in opened.screen
