"""The PyInstaller target: takes what Analysis found and leaves one static file."""

from __future__ import annotations

from pathlib import Path

from PyInstaller.building.datastruct import Target  # type: ignore[import-untyped]

from freezing import cpython, link, modules, notices, optional, snapshot
from freezing.sources import pinned
from freezing.steps import say

PROGRAM = "pyinit.__main__"
SELFTEST = "selftest"


class StaticFile(Target):  # type: ignore[misc]
    """dist/pyinit, made from `found`, Analysis' list of pure modules.

    `profile` is the folder of the *.order files. `absent` are the parts of freezing/optional.py to leave out.
    """

    def __init__(
        self,
        found: list[tuple[str, str, str]],
        root: Path,
        work: Path,
        target: Path,
        profile: Path,
        absent: frozenset[str],
    ) -> None:
        super().__init__()
        self.found, self.root, self.work, self.target = found, root, work, target
        self.profile, self.absent = profile, absent
        self.__postinit__()

    _GUTS = tuple((name, None) for name in ("found", "root", "work", "target", "profile", "absent"))

    def assemble(self) -> None:
        """Build everything that is missing and write the file."""
        sources, build = pinned(self.root, self.work), self.root / "build"
        library = cpython.library(sources["cpython"], build / "cpython" / "cpython.patch", self.work)
        kinds = snapshot.Orders._fields
        orders = snapshot.Orders(*((self.profile / f"{kind}.order").read_text() for kind in kinds))
        orders = optional.without(self.absent, orders)
        left_out = self.absent.intersection(optional.FILES)
        stage = link.stage(sources, library, self.root, self.work, orders, left_out)

        stand_ins = sorted((build / "cpython" / "stand_ins").glob("*.py"))
        everything = [
            *modules.from_analysis(self.found, sources["cpython"], self.root),
            *(modules.from_file(file) for file in stand_ins),
            notices.module(sources, self.root),
        ]
        start = modules.bootstrap(sources["cpython"])
        ours = sorted(module.name for module in everything if module.name.startswith("pyinit."))
        wanted = ["prctl", "setproctitle", *(name for name in ours if name != PROGRAM), PROGRAM]
        selftest = modules.from_file(build / "checks" / f"{SELFTEST}.py", optimize=0)
        table = modules.table(start, [*everything, selftest], [*wanted, SELFTEST])
        snapshot.freeze(stage, table, self.work / SELFTEST, self.work, orders)
        snapshot.check(self.work / SELFTEST, self.work)
        table = modules.table(start, everything, wanted)
        snapshot.freeze(stage, table, self.target, self.work, orders)
        say(f"{self.target}: {self.target.stat().st_size:,} bytes")
