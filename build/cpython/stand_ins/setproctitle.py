"""Stands in for the package of the same name, whose only other content is logging about a missing extension."""

from _setproctitle import getproctitle, setproctitle

__all__ = ["getproctitle", "setproctitle"]
