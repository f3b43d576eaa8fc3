"""What makes no sense is refused before anything is drawn, each with a code, the place and a sentence."""

from __future__ import annotations

import numpy as np

from geodata.adjacency import components
from geodata.errors import GeodataError
from geodata.redraw.model import PARTS, Instance, Ints, Units


def check(instance: Instance) -> None:
    """Raise ``GeodataError`` (``REDRAW_*``, ``row`` = index of the unit) for the first thing that makes no sense."""
    units = instance.units
    if not len(units):
        raise GeodataError("REDRAW_NO_UNITS")
    _lengths(instance)
    _numbers(units)
    _borders(units)
    _bands(instance)
    _plan(instance)
    _locks(instance)


def _lengths(instance: Instance) -> None:
    units, n = instance.units, len(instance.units)
    columns = {
        name: getattr(units, name)
        for name in ("population", "area_m2", "perimeter_m", "xy_m", "group", "kind", "compound", "workload")
    } | {"start": instance.start, "locked": instance.locked}
    for name, column in columns.items():
        if len(column) != n:
            raise GeodataError("REDRAW_LENGTH", column=name, rows=len(column), units=n)
    m = len(units.borders.i)
    for name in ("j", "length_m", "barrier_m", "torn_m", "crossable"):
        if len(getattr(units.borders, name)) != m:
            raise GeodataError("REDRAW_LENGTH", column=name, rows=len(getattr(units.borders, name)), units=m)


def _numbers(units: Units) -> None:
    for name in ("households", "population", "area_m2", "perimeter_m", "workload"):
        values = getattr(units, name)
        _refuse(~np.isfinite(values) | (values < 0), name, values)
    _refuse(~np.isfinite(units.xy_m).all(axis=1), "xy_m", units.xy_m[:, 0])
    for name in ("group", "kind"):
        _refuse(getattr(units, name) < 0, name, getattr(units, name))


def _refuse(wrong: object, name: str, values: object) -> None:
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        value = str(np.asarray(values)[at])
        raise GeodataError("REDRAW_COUNT", row=at, column=name, value=value, rows=int(wrong.sum()))


def _borders(units: Units) -> None:
    borders, n = units.borders, len(units)
    wrong = (borders.i < 0) | (borders.j >= n) | (borders.i >= borders.j)
    wrong |= ~np.isfinite(borders.length_m) | (borders.length_m < 0)
    if wrong.any():
        raise GeodataError("REDRAW_BORDER", row=int(np.flatnonzero(wrong)[0]))
    keys = borders.i * n + borders.j
    if len(np.unique(keys)) != len(keys):
        raise GeodataError("REDRAW_BORDER_TWICE")


def _bands(instance: Instance) -> None:
    for band in instance.bands:
        low, high = band.households_min, band.households_max
        if not 0 <= low <= high or not 0 <= band.population_min <= band.population_max or high < 1:
            raise GeodataError("REDRAW_BAND", low=low, high=high)
    if int(instance.units.kind.max()) >= len(instance.bands):
        raise GeodataError("REDRAW_NO_BAND", kind=int(instance.units.kind.max()), bands=len(instance.bands))
    kind = np.full(int(instance.units.group.max()) + 1, -1, dtype=np.int64)
    kind[instance.units.group] = instance.units.kind
    mixed = kind[instance.units.group] != instance.units.kind
    if mixed.any():
        raise GeodataError("REDRAW_GROUP_MIXED", row=int(np.flatnonzero(mixed)[0]))
    weights = instance.weights.array()
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise GeodataError("REDRAW_WEIGHT", name=PARTS[at], value=str(weights[at]))


def _plan(instance: Instance) -> None:
    start = instance.start
    if int(start.min()) < -1 or int(start.max()) > 4 * len(start) + 1_000_000:
        raise GeodataError("REDRAW_START", row=int(np.flatnonzero((start < -1) | (start == start.max()))[0]))


def _locks(instance: Instance) -> None:
    start, locked = instance.start, instance.locked
    loose = locked & (start < 0)
    if loose.any():
        raise GeodataError("REDRAW_LOCK_NOWHERE", row=int(np.flatnonzero(loose)[0]))
    unknown = instance.closed - set(np.unique(start).tolist())
    if unknown:
        raise GeodataError("REDRAW_LOCK_UNKNOWN", grid=min(unknown))
    apart = _locked_apart(instance)
    if len(apart):
        raise GeodataError("REDRAW_LOCK_APART", row=int(apart[0]), grid=int(start[apart[0]]))


def _locked_apart(instance: Instance) -> Ints:
    """Locked units that cannot be in one piece with the other locked units of their grid, whatever is redrawn.

    They lie in other pockets: parts of a group that hold together without closed grids and without the locked units of
    other grids.
    """
    units, start = instance.units, instance.start
    borders = units.borders
    held = instance.locked & ~instance.in_closed()
    apart: list[int] = []
    for grid in np.unique(start[held]):
        mine = held & (start == grid)
        free = ~instance.in_closed() & (~held | mine)
        open_ = borders.crossable & free[borders.i] & free[borders.j]
        open_ &= units.group[borders.i] == units.group[borders.j]
        pocket = components(len(units), borders.i[open_], borders.j[open_])
        members = np.flatnonzero(mine)
        apart.extend(members[pocket[members] != pocket[members[0]]].tolist())
    return np.array(sorted(apart), dtype=np.int64)
