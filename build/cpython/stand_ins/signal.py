"""Stands in for the module of the same name, which needs enum: pyinit uses signals as plain numbers."""

from _signal import *  # noqa: F403  # all of it
