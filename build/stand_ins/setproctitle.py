"""Stands in for the package of the same name, whose only other content is logging about a missing extension."""

from _setproctitle import getproctitle, getthreadtitle, setproctitle, setthreadtitle

__all__ = ["getproctitle", "getthreadtitle", "setproctitle", "setthreadtitle"]
