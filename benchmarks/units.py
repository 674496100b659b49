"""The units that figures are converted between: how many of them make a second, or how many bytes they are."""

from __future__ import annotations

MICROSECONDS = 1e6
NANOSECONDS = 1e9
KILOBYTE = 1024
