"""Start the payload: in its process group or session, with its identity, and with what init was given itself."""

from __future__ import annotations

import os

import prctl

from pyinit import exit_codes, native, signals
from pyinit.exit_codes import Failure
from pyinit.native import SpawnError, SpawnRequest
from pyinit.native.placement import Placement
from pyinit.options import VARIABLE, Options
from pyinit.payload import exec_errors
from pyinit.payload.payload import Payload
from pyinit.payload.terminal import Terminal
from pyinit.user_database import Identity

# sd_listen_fds(3), sd_watchdog_enabled(3): variables that name the process they are meant for.
NAME_THEIR_PROCESS = (b"LISTEN_PID", b"WATCHDOG_PID")


class Inherited:
    """What init was started with: is it PID 1, and the signal mask and an ignored SIGCHLD, which the payload gets."""

    __slots__ = ("ignored_chld", "is_pid1", "mask")

    def __init__(self) -> None:
        """Block all signals. Raises Failure where that is refused: such an init would lose signals and children."""
        try:
            self.mask, self.ignored_chld = native.block_signals()
        except OSError as error:
            raise Failure(f"signals cannot be taken over: {error.strerror}") from None
        self.is_pid1 = os.getpid() == 1


def spawn(
    payload: Payload,
    options: Options,
    inherited: Inherited,
    terminal: Terminal,
    identity: Identity | None,
    assign: list[bytes],
) -> None:
    """Start the payload. `assign` is added to its environment (NAME=VALUE).

    Raises Failure with the exit code that the options give to a program that was not found or cannot be executed.
    """
    request = SpawnRequest([os.fsencode(word) for word in options.command])
    if options.same_group:
        request.placement = Placement.SAME_GROUP
    elif options.session:
        request.placement = Placement.OWN_SESSION
        request.terminal = terminal.descriptor if terminal.give_up() else None
    else:
        request.terminal = terminal.descriptor if terminal.in_foreground_at_start else None
    request.mask = inherited.mask
    request.ignore_chld = inherited.ignored_chld
    request.death_signal = _death_signal(inherited.is_pid1)
    request.unset = [VARIABLE]
    request.own_pid = [*NAME_THEIR_PROCESS]
    request.assign = assign
    if identity:
        request.identity = identity.ids()
        request.assign = [*assign, *identity.assign()]
        # Init does this itself: it has the capability CHOWN, the payload's user has not.
        identity.own_streams()
    try:
        payload.pid = native.fork_exec(request)
    except SpawnError as error:
        raise _failure(options, request.argv[0], error) from None
    if request.placement is Placement.OWN_GROUP:
        payload.group = payload.pid
    elif request.placement is Placement.SAME_GROUP:
        payload.group = os.getpgrp()


def _death_signal(is_pid1: bool) -> int:
    """Return the payload's parent-death signal, or 0 for none: init's own, which it has inherited or -p has set.

    If init has none, KILL, so that the payload does not outlive an init that is killed. With PID 1 all processes end
    anyway, so there the payload gets only what it would have got without an init.
    """
    try:
        own = prctl.get_pdeathsig()
    except OSError:
        # A seccomp profile forbids it.
        own = 0
    return own or (0 if is_pid1 else signals.KILL)


def _failure(options: Options, program: bytes, error: SpawnError) -> Failure:
    if error.step != "exec":
        reason = os.strerror(error.number) + exec_errors.hint(error.number, error.step)
        return Failure(f"{error.step} failed: {reason}", options.exec_failed)
    code, message = exec_errors.explain(program, error.number)
    codes = {exit_codes.NOT_EXECUTABLE: options.not_executable, exit_codes.NOT_FOUND: options.not_found}
    return Failure(message, codes[code])
