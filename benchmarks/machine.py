"""Where the figures come from: machine, kernel, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.programs import Program

PACKAGES = ("tini", "dumb-init", "catatonit", "musl", "libc6", "python3.11")


def describe(programs: Iterable[Program], cpu: int, cpuid: float) -> dict[str, str]:
    """Names and values; `cpu` is the one measured on, `cpuid` the nanoseconds that such an instruction takes."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} CPUs, measured on number {cpu}",
        "virtual machine": "yes" if "hypervisor" in _field("/proc/cpuinfo", "flags").split() else "no",
        "CPUID instruction": f"{cpuid / 1000:.2f} µs",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) // 1024} MB",
        "load before": f"{os.getloadavg()[0]:.2f} processes, over the last minute",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "packages": ", ".join(f"{name} {_package_version(name)}" for name in PACKAGES),
        "pyinit": _pyinit_version(programs),
    }


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _package_version(name: str) -> str:
    return subprocess.check_output(["dpkg-query", "--show", "--showformat=${Version}", name], text=True)


def _pyinit_version(programs: Iterable[Program]) -> str:
    for program in programs:
        if program.name in ("pyinit", "source", "onefile"):
            return subprocess.check_output([*program.command[:-1], "--version"], text=True).strip()
    return "not measured"
