"""PYINIT_OPTIONS: options for containers whose command line cannot be changed, and their merging with it."""

from __future__ import annotations

from pyinit import native
from pyinit.cli.rows import TABLE, check
from pyinit.exit_codes import Failure
from pyinit.options import VARIABLE, Options


def apply_env_options(options: Options) -> None:
    """Apply the options in PYINIT_OPTIONS: pyinit's own, under every name. Raises Failure for an invalid one."""
    text = native.getenv(VARIABLE)
    if text is None:
        return
    try:
        found, rest = TABLE.parse(text.decode("utf-8", "surrogateescape").split(), options)
        check(options)
    except Failure as failure:
        raise Failure(f"{VARIABLE.decode()}: {failure.message}") from None
    misplaced = [option.words()[0] for option in found if option.command_line_only] or rest
    if misplaced:
        raise Failure(f"{VARIABLE.decode()}: {misplaced[0]} belongs on the command line")


def take_group_options(options: Options) -> tuple[bool, bool, bool]:
    """Clear -g, -c and -S before the command line is parsed; return what PYINIT_OPTIONS had set of them."""
    inherited = options.group, options.same_group, options.session
    options.group = options.same_group = options.session = False
    return inherited


def merge_group_options(options: Options, inherited: tuple[bool, bool, bool]) -> None:
    """Set -g, -c and -S of PYINIT_OPTIONS again, unless the command line contradicts them."""
    group, same_group, session = inherited
    if not (options.group or options.same_group or options.session):
        options.group, options.same_group, options.session = group, same_group, session
    elif not options.same_group:
        options.group |= group
        options.session |= session
