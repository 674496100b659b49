"""PYINIT_OPTIONS: options for a container whose command line cannot be changed, and how that joins them."""

from __future__ import annotations

from pyinit import native
from pyinit.cli.rows import TABLE, check
from pyinit.exit_codes import Failure
from pyinit.options import VARIABLE, Options


def apply(options: Options) -> None:
    """Applies what PYINIT_OPTIONS holds: always pyinit's own options, whatever name init was run by."""
    text = native.getenv(VARIABLE)
    if text is None:
        return
    try:
        found, rest = TABLE.parse(text.decode("utf-8", "surrogateescape").split(), options)
        check(options)
    except Failure as failure:
        raise Failure(f"{VARIABLE.decode()}: {failure.message}") from None
    misplaced = [each.words()[0] for each in found if each.alone] or rest
    if misplaced:
        raise Failure(f"{VARIABLE.decode()}: {misplaced[0]} belongs on the command line")


def set_aside(options: Options) -> tuple[bool, bool, bool]:
    """Takes group and session out of what PYINIT_OPTIONS asked for, before the command line is read."""
    inherited = options.group, options.same_group, options.session
    options.group = options.same_group = options.session = False
    return inherited


def merge(options: Options, inherited: tuple[bool, bool, bool]) -> None:
    """What was set aside counts again: the command line wins where it contradicts that, and adds to it elsewhere."""
    if not (options.group or options.same_group or options.session):
        options.group, options.same_group, options.session = inherited
    elif not options.same_group:
        options.group |= inherited[0]
        options.session |= inherited[2]
