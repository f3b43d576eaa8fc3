"""The ground of a plan as arrays: numbers read fresh, and what its polygons and barriers say, kept on disk.

The polygon of a unit never changes: a rebuild, an import and a cut make new units. So topology, borders and barriers
are made once for a set of units with the barriers around them; the address of the file is a hash of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from geodata.redraw.land import Land
from geodata.redraw.model import Borders, Floats, Ints
from geodata.topology import Lattice, Topology, topology
from gridmap.db import bulk
from gridmap.services.barriers import read_barriers
from gridmap.services.studio import cache
from gridmap.sql import query

#: Raised when the content of a file or the way it is made changes.
FORMAT = 1
#: Barriers are taken this far around the units.
MARGIN_DEG = 0.0005

_COLUMNS = (
    *("id", "region_id", "number", "households", "population", "buildings", "estimated", "compound_id", "grid_id"),
    *("named", "hash"),
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a plan's units are now (n,), in the order of the ground (region code, number, id); -1 where there is none.

    ``grid_id`` is the (micro-)grid, ``top_grid_id`` the one above it or itself. ``special``: in a special-purpose grid.
    """

    id: Ints
    region_id: Ints
    number: Ints
    households: Ints
    population: Ints
    buildings: Ints
    estimated: Ints
    compound_id: Ints
    grid_id: Ints
    named: Ints
    hash: Ints
    top_grid_id: Ints
    special: Ints


@dataclass(frozen=True, slots=True)
class Laid:
    """The land and the arcs of the n units of a plan.

    ``key`` names the content. ``lon0``: longitude whose zone the metres are of. ``inside`` (n, 2): a point in each
    unit. ``arc_barrier`` (m,): kind of barrier each arc follows (:func:`gridmap.services.studio.survey.followed`).
    """

    key: str
    lon0: float
    tolerance_m: float
    land: Land
    topology: Topology
    inside: NDArray[np.int32]
    arc_barrier: NDArray[np.uint8]


def read_numbers(session: Session, plan_id: int) -> Numbers:
    """The numbers of all units of a plan."""
    table = bulk.packed_ints(session, query("studio", "units"), {"plan": plan_id}, len(_COLUMNS))
    column = dict(zip(_COLUMNS, table.T, strict=True))
    homes = np.unique(column["region_id"])
    regions = bulk.columns(session, query("studio", "regions"), {"ids": homes.tolist()})  # by code
    rank = looked_up(column["region_id"], regions["id"].astype(np.int64))
    order = np.lexsort((column["id"], column["number"], rank))
    column = {name: values[order] for name, values in column.items()}
    grid, top, special = bulk.packed_ints(session, query("studio", "parents"), {"plan": plan_id}, 3).T
    at = looked_up(column["grid_id"], grid)
    return Numbers(**column, top_grid_id=np.append(top, -1)[at], special=np.append(special, 0)[at])


def looked_up(ids: Ints, known: Ints) -> Ints:
    """The place of each id (n,) in ``known``, -1 where it has none."""
    if not len(known):
        return np.full(len(ids), -1, dtype=np.int64)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known[order], ids), len(known) - 1)]
    return np.where(known[at] == ids, at, -1)


def read_laid(session: Session, plan_id: int, numbers: Numbers) -> Laid:
    """Land and arcs of the units that ``numbers`` tells of, from disk or made now. There must be one unit."""
    around = dict(session.execute(query("studio", "around"), {"plan": plan_id}).mappings().one())
    sides = (("west", -1), ("south", -1), ("east", 1), ("north", 1))
    box = {side: around[side] + sign * MARGIN_DEG for side, sign in sides}
    barriers = session.execute(query("studio", "barriers_hash"), box).scalar_one()
    told = sha256(f"{FORMAT} {barriers} ".encode())
    told.update(np.stack([numbers.id, numbers.hash]).tobytes())
    key = told.hexdigest()[:32]
    return laid_of(key, *cache.fetch(key, partial(_make, session, plan_id, box, numbers)))


def nothing() -> Laid:
    """The ground of no unit at all."""
    empty = np.zeros(0)
    land = Land(empty, empty, np.zeros((0, 2)), Borders.plain([], [], []), np.zeros((0, 2), dtype=np.int64))
    none = np.zeros((0, 2), dtype=np.int32)
    return Laid("", 0.0, 0.0, land, topology(empty.astype(object)), none, np.zeros(0, dtype=np.uint8))


def _make(session: Session, plan_id: int, box: Mapping[str, float], numbers: Numbers) -> bytes:
    from gridmap.services.studio.survey import survey

    table = bulk.columns(session, query("studio", "geometry"), {"plan": plan_id})
    shapes = bulk.shapes(table["geom"][looked_up(numbers.id, table["id"].astype(np.int64))])
    lon0 = middle_lon(shapes)
    barriers = read_barriers(session, box, lon0)
    return survey(shapes, to_metric(shapes, lon0), lon0, barriers if len(barriers.kind) else None, topology(shapes))


def laid_of(key: str, meta: Mapping[str, Any], column: Mapping[str, NDArray[Any]]) -> Laid:
    """What the file ``key`` says (:func:`gridmap.services.studio.survey.survey`)."""

    def whole(name: str) -> Ints:
        return column[name].astype(np.int64)

    borders = Borders(
        whole("pair_i"),
        whole("pair_j"),
        column["pair_length_m"],
        column["pair_barrier_m"],
        column["pair_torn_m"],
        column["pair_open"].astype(bool),
    )
    stacked = np.stack([whole("stacked"), whole("keeper")], axis=1)
    xy_m: Floats = np.stack([column["x_m"], column["y_m"]], axis=1)
    names = ("arc_start", "arc_x", "arc_y", "arc_left", "arc_right", "unit_rings", "ring_start", "ring_arc")
    return Laid(
        key,
        meta["lon0"],
        meta["tolerance_m"],
        Land(column["area_m2"], column["perimeter_m"], xy_m, borders, stacked),
        Topology(Lattice(*meta["lattice"]), *(column[name] for name in names)),
        np.stack([column["x"], column["y"]], axis=1),
        column["arc_barrier"],
    )
