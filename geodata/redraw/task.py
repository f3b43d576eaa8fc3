"""A redraw of a file: names of units, grids, groups and classes around the arrays of an :class:`Instance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geodata.errors import GeodataError
from geodata.redraw.build import Built, units_from_coverage
from geodata.redraw.files import Ground, text_of
from geodata.redraw.model import NO_LIMIT, PARTS, Band, Instance, Ints, Weights
from geodata.standards import Profile
from geodata.units.model import Barriers

_URBAN = ("urban", "城镇", "城市", "城区", "镇区")
_RURAL = ("rural", "乡村", "农村", "村", "行政村")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a redraw of a file is asked for; columns by name, "" for none.

    ``band`` holds where no class says otherwise, None for none. ``locks``: "unit:ID" and "grid:ID".
    """

    band: Band | None
    bands: Mapping[str, Band] = field(default_factory=dict)
    households: str = "households"
    population: str = ""
    group: str = ""
    class_: str = ""
    compound: str = ""
    workload: str = ""
    locks: Sequence[str] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    tolerance_m: float | None = None

    def columns(self) -> list[str]:
        """The columns that are needed of the file."""
        return [
            name
            for name in (self.households, self.population, self.group, self.class_, self.compound, self.workload)
            if name
        ]


@dataclass(frozen=True, slots=True)
class Task:
    """An instance with the names of its units, of its start grids (by number), groups and classes."""

    instance: Instance
    built: Built
    units: list[str]
    grids: list[str]
    groups: list[str]
    classes: list[str]

    def grid_names(self, plan: Ints) -> dict[int, str]:
        """The name of every grid of ``plan``: start grids keep theirs, new ones are numbered from west to east.

        A new grid is called by its group and a number ("G" without groups), never as another one is or was.
        """
        n_start = self.instance.n_start
        names = {grid: self.grids[grid] for grid in np.unique(plan).tolist() if 0 <= grid < n_start}
        taken = set(self.grids)
        units = self.instance.units
        fresh = np.flatnonzero(plan >= n_start)
        new, first, slot = np.unique(plan[fresh], return_index=True, return_inverse=True)
        size = np.bincount(slot, minlength=len(new))
        x_m, y_m = (np.round(np.bincount(slot, units.xy_m[fresh, axis], len(new)) / size, 3) for axis in (0, 1))
        serial: dict[str, int] = {}
        for at in np.lexsort((new, -y_m, x_m)).tolist():
            grid = int(new[at])
            prefix = _prefix(self.groups, int(units.group[fresh[first[at]]]))
            name = ""
            while not name or name in taken:
                serial[prefix] = serial.get(prefix, 0) + 1
                name = f"{prefix}{serial[prefix]:03d}"
            names[grid] = name
            taken.add(name)
        return names


def task_of(ground: Ground, ask: Ask, start: Sequence[str] | None = None, barriers: Barriers | None = None) -> Task:
    """The task that ``ask`` makes of the units of a file, with today's grid of each unit where there is a plan.

    A grid holds units of one group and one class. Raises ``REDRAW_*`` in the names of the file.
    """
    unknown = set(ask.weights) - set(PARTS)
    if unknown:
        raise GeodataError("REDRAW_WEIGHT_UNKNOWN", name=min(unknown), names=", ".join(PARTS))
    group, groups, kind, bands, classes = _groups(ground, ask)
    households = ground.counts(ask.households)
    if barriers is not None and not _meet(barriers, ground):
        raise GeodataError("REDRAW_BARRIERS_ELSEWHERE")
    units, built = units_from_coverage(
        ground.geoms,
        households,
        ground.counts(ask.population) if ask.population else None,
        group,
        kind,
        _numbered(ground, ask.compound) if ask.compound else None,
        ground.numbers(ask.workload) if ask.workload else None,
        barriers,
        ask.tolerance_m,
    )
    grids = sorted({name for name in start or () if name})
    number = {name: at for at, name in enumerate(grids)}
    plan = None if start is None else np.array([number.get(name, -1) for name in start], dtype=np.int64)
    locked, closed = _locks(ask.locks, ground.ids, number)
    try:
        instance = Instance.of(
            units, tuple(bands), start=plan, locked=locked, closed=closed, weights=Weights(**dict(ask.weights))
        )
    except GeodataError as error:
        raise _named(error, ground, grids) from error
    return Task(instance, built, ground.ids, grids, groups, classes)


def bands_of(profile: Profile) -> dict[str, Band]:
    """The bands of a standard by class: households, and people up to the profile's limit.

    Micro-grids have theirs only where the standard is for nothing else.
    """
    bands: dict[str, Band] = {}
    for name in ("urban", "rural") if profile.urban or profile.rural else ("micro",):
        bound = profile.bound(name)
        if bound is not None:
            people = bound.population.limit if bound.population else NO_LIMIT
            bands[name] = Band(bound.households_min, bound.households_max, 0, people)
    return bands


def _groups(ground: Ground, ask: Ask) -> tuple[Ints, list[str], Ints, list[Band], list[str]]:
    """Group and kind of each unit, with the names of the groups, the bands and the names of the classes."""
    said = ground.words(ask.class_) if ask.class_ else [""] * len(ground)
    classes = sorted(set(said))
    bands = [_band(name, ask) for name in classes]
    home = ground.words(ask.group) if ask.group else [""] * len(ground)
    keys = sorted(set(zip(home, said, strict=True)))
    mixed = {name for name, _ in keys if sum(other == name for other, _ in keys) > 1} if ask.group else set()
    at = {key: number for number, key in enumerate(keys)}
    names = [f"{name}-{cls}" if name in mixed else (name if ask.group else cls) for name, cls in keys]
    group = np.array([at[key] for key in zip(home, said, strict=True)], dtype=np.int64)
    return group, names, np.array([classes.index(cls) for cls in said], dtype=np.int64), bands, classes


def _band(name: str, ask: Ask) -> Band:
    """The band of a class; the classes of a standard are also known by their Chinese names and codes."""
    known = name.strip().lower()
    if name in ask.bands:
        return ask.bands[name]
    if "urban" in ask.bands and (known in _URBAN or (len(known) == 3 and known.isdigit() and known.startswith("1"))):
        return ask.bands["urban"]
    if "rural" in ask.bands and (known in _RURAL or (len(known) == 3 and known.isdigit() and known.startswith("2"))):
        return ask.bands["rural"]
    if ask.band is not None:
        return ask.band
    if not ask.class_ and len(ask.bands) == 1:
        return next(iter(ask.bands.values()))
    if not ask.class_ and not ask.bands:
        raise GeodataError("REDRAW_BAND_MISSING")
    code = "REDRAW_CLASS_UNKNOWN" if ask.class_ else "REDRAW_CLASS_MISSING"
    raise GeodataError(code, name=name, names=", ".join(sorted(ask.bands)))


def _numbered(ground: Ground, column: str) -> Ints:
    """A number for each name in a column, -1 where it is empty."""
    words = [text_of(value) for value in ground.columns[column]]
    number = {word: at for at, word in enumerate(sorted({word for word in words if word}))}
    return np.array([number.get(word, -1) for word in words], dtype=np.int64)


def _locks(locks: Sequence[str], ids: Sequence[str], number: Mapping[str, int]) -> tuple[Any, list[int]]:
    at = {name: row for row, name in enumerate(ids)}
    locked, closed = np.zeros(len(ids), dtype=bool), []
    for lock in locks:
        what, _, name = lock.partition(":")
        if what == "unit" and name in at:
            locked[at[name]] = True
        elif what == "grid" and name in number:
            closed.append(number[name])
        else:
            code = {"unit": "REDRAW_LOCK_NO_UNIT", "grid": "REDRAW_LOCK_NO_GRID"}.get(what, "REDRAW_LOCK_WRITTEN")
            raise GeodataError(code, name=name, lock=lock)
    return locked, closed


def _meet(barriers: Barriers, ground: Ground) -> bool:
    """Do the barriers lie where the units are?"""
    return bool(shapely.intersects(shapely.box(*shapely.total_bounds(ground.geoms)), barriers.geometry).any())


def _named(error: GeodataError, ground: Ground, grids: Sequence[str]) -> GeodataError:
    """The error of an instance in the names of the file."""
    unit = ground.ids[error.row] if error.row is not None and error.row < len(ground) else ""
    if error.code == "REDRAW_LOCK_NOWHERE":
        return GeodataError("REDRAW_LOCK_LOOSE", unit=unit)
    if error.code == "REDRAW_LOCK_APART":
        return GeodataError("REDRAW_LOCK_PARTED", unit=unit, grid=grids[error.params["grid"]])
    return error


def _prefix(groups: Sequence[str], group: int) -> str:
    name = groups[group]
    if not name:
        return "G"
    return name if len(name) == 12 and name.isdigit() else f"{name}-"
