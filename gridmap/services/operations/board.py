"""The part of a plan that operations touch, as it is and as they make it; read when asked for, written at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Attrs:
    """What a grid is called and is, apart from its ground."""

    code: str
    name: str | None = None
    kind: str = "basic"
    workers: int | None = None
    locked: bool = False
    region_id: int | None = None
    parent_id: int | None = None

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit of the plan: where it lies and who lives there."""

    region_id: int
    households: int
    compound: str | None


class Board:
    """Units (id -> grid or None) and grids (id -> attributes, None where there is none) of a locked plan.

    Everything named is loaded with :meth:`load` before it is looked at; ``before_units`` and ``before_grids`` keep what
    the database holds.
    """

    def __init__(self, session: Session, plan_id: int) -> None:
        self.session, self.plan_id = session, plan_id
        self.units: dict[int, int | None] = {}
        self.rows: dict[int, UnitRow] = {}
        self.grids: dict[int, Attrs | None] = {}
        self.before_units: dict[int, int | None] = {}
        self.before_grids: dict[int, Attrs | None] = {}
        self._asked: set[int] = set()
        self._whole: set[int] = set()
        self._codes: set[str] = set()
        self._families: set[int] = set()

    def load(self, units: Iterable[int] = (), grids: Iterable[int | None] = ()) -> None:
        """Read units with their grids, and grids with their parents; what the plan has not is remembered as absent."""
        missing = [unit for unit in units if unit not in self._asked]
        self._asked.update(missing)
        found = (
            self._take(self.session.execute(query("operations", "units"), self._key(units=missing))) if missing else []
        )
        self._load_grids([*grids, *found])

    def _take(self, rows: Iterable[Any]) -> list[int | None]:
        """Units that were not read before; their grids."""
        taken = []
        for unit, grid, region, households, compound in rows:
            if unit not in self.rows:
                self._asked.add(unit)
                self.units[unit] = self.before_units[unit] = grid
                self.rows[unit] = UnitRow(region, households, compound)
                taken.append(grid)
        return taken

    def _load_grids(self, grids: Iterable[int | None]) -> None:
        missing = {grid for grid in grids if grid is not None and grid not in self.grids}
        while missing:
            rows = self.session.execute(query("operations", "grids"), self._key(grids=list(missing)))
            read = {row[0]: Attrs(*row[1:]) for row in rows}
            for grid in missing:
                self.grids[grid] = self.before_grids[grid] = read.get(grid)
            above = {attrs.parent_id for attrs in read.values()}
            missing = {grid for grid in above if grid is not None and grid not in self.grids}

    def load_members(self, grids: Iterable[int]) -> None:
        """Read every unit of some grids."""
        missing = [grid for grid in grids if grid not in self._whole]
        if missing:
            self._whole.update(missing)
            self._load_grids(self._take(self.session.execute(query("operations", "members"), self._key(grids=missing))))

    def load_children(self, grids: Iterable[int]) -> None:
        """Read the micro-grids of some grids."""
        missing = [grid for grid in grids if grid not in self._families]
        if missing:
            self._families.update(missing)
            self._load_grids(self.session.scalars(query("operations", "children"), self._key(grids=missing)))

    def load_codes(self, codes: Iterable[str]) -> None:
        """Read whoever bears one of some codes."""
        missing = [code for code in codes if code not in self._codes]
        if missing:
            self._codes.update(missing)
            self._load_grids(self.session.scalars(query("operations", "bearers"), self._key(codes=missing)))

    def _key(self, **values: Any) -> dict[str, Any]:
        return {"plan": self.plan_id, **values}

    def members(self, grid: int) -> list[int]:
        """The units of a grid as the operations have left it."""
        self.load_members([grid])
        return [unit for unit, home in self.units.items() if home == grid]

    def bearer(self, code: str, other_than: int) -> int | None:
        """Another grid that bears a code."""
        self.load_codes([code])
        found = (g for g, attrs in self.grids.items() if g != other_than and attrs is not None and attrs.code == code)
        return next(found, None)

    def children(self, grid: int) -> list[int]:
        """The micro-grids of a grid."""
        self.load_children([grid])
        return [g for g, attrs in self.grids.items() if attrs is not None and attrs.parent_id == grid]

    def put(self, units: Collection[int], grid: int | None) -> None:
        """Move units."""
        for unit in units:
            self.units[unit] = grid

    def replace(self, gone: Collection[int], come: dict[int, UnitRow], grid: int | None) -> None:
        """Units in the place of others: pieces for the one that is cut, or back."""
        for unit in gone:
            del self.units[unit]
        for unit, row in come.items():
            self._asked.add(unit)
            self.units[unit], self.rows[unit] = grid, row

    def code(self, grid: int | None) -> str | None:
        """The code of a grid, as it is or was."""
        if grid is None:
            return None
        attrs = self.grids.get(grid) or self.before_grids.get(grid)
        return None if attrs is None else attrs.code

    def top(self, grid: int | None) -> int | None:
        """The grid above a micro-grid, else the grid itself."""
        attrs = None if grid is None else self.grids.get(grid)
        return grid if attrs is None or attrs.parent_id is None else attrs.parent_id
