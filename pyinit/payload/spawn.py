"""Starting the payload: its group or session, the terminal, its identity, and what is said when that fails."""

from __future__ import annotations

import os

import prctl

from pyinit import exit_codes, native, signals
from pyinit.exit_codes import Failure
from pyinit.native.placement import OWN_GROUP, OWN_SESSION, SAME_GROUP
from pyinit.options import VARIABLE, Options
from pyinit.payload import exec_errors
from pyinit.payload.terminal import NONE, Terminal
from pyinit.user_database import Identity

# sd_listen_fds(3), sd_watchdog_enabled(3): variables that name the process they are meant for.
NAME_THEIR_PROCESS = (b"LISTEN_PID", b"WATCHDOG_PID")


class Inherited:
    """What init was started with and must give to the payload: the signal mask, and SIGCHLD if ignored."""

    __slots__ = ("ignored_chld", "mask")

    def __init__(self) -> None:
        """Raises Failure: an init that cannot block signals, or would not hear of its children, is none."""
        try:
            self.mask, self.ignored_chld = native.take_over()
        except OSError as error:
            raise Failure(f"signals cannot be taken over: {error.strerror}") from None


def spawn(
    options: Options,
    inherited: Inherited,
    first: bool,
    terminal: Terminal,
    identity: Identity | None,
    assign: list[bytes],
) -> int:
    """Starts the payload and returns its pid; `assign` is what its environment gets besides (NAME=value).

    `first` is whether init is PID 1.
    Raises Failure with the exit code that the options give to a program that was not found or cannot be executed.
    """
    placement = OWN_GROUP
    descriptor = terminal.descriptor if terminal.foreground else NONE
    if options.same_group:
        placement, descriptor = SAME_GROUP, NONE
    elif options.session:
        placement = OWN_SESSION
        if not terminal.give_up():
            descriptor = NONE
    if identity:
        assign = [*assign, *identity.assign()]
        # Init does this itself: it has the capability CHOWN, the payload's user has not.
        identity.own_streams()
    argv = [os.fsencode(each) for each in options.command]
    pid, number, step = native.fork_exec(
        argv,
        placement,
        descriptor,
        inherited.mask,
        inherited.ignored_chld,
        _death_signal(first),
        identity.ids() if identity else None,
        [VARIABLE],
        [*NAME_THEIR_PROCESS],
        assign,
    )
    if number:
        raise _failure(options, argv[0], number, step)
    if placement != OWN_SESSION:
        terminal.lent_to(pid if placement == OWN_GROUP else os.getpgrp())
    return pid


def _death_signal(first: bool) -> int:
    """Return the payload's parent-death signal, or 0 for none: init's own, which it has inherited or -p has set.

    If init has none, KILL, so that the payload does not outlive an init that is killed. With PID 1 all processes end
    anyway, so there the payload gets only what it would have got without an init.
    """
    try:
        own = prctl.get_pdeathsig()
    except OSError:
        # A seccomp profile forbids it.
        own = 0
    return own or (0 if first else signals.KILL)


def _failure(options: Options, program: bytes, number: int, step: str) -> Failure:
    if step != "exec":
        return Failure(
            f"{step} failed: {os.strerror(number)}{exec_errors.hint(number, step)}",
            options.exec_failed,
        )
    code, message = exec_errors.explain(program, number)
    codes = {exit_codes.NOT_EXECUTABLE: options.not_executable, exit_codes.NOT_FOUND: options.not_found}
    return Failure(message, codes[code])
