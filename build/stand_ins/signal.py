"""Stands in for the module of the same name, which needs enum: signals are plain numbers here, as pyinit takes them."""

from _signal import *  # noqa: F403  # all of it
