"""The ground of a plan as the studio's browser gets it: everything that lies where the reader may look."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.packed import pack
from geodata.redraw.land import Land, units_on
from geodata.redraw.model import Bools, Borders, Ints
from geodata.topology import Topology
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Plan, Region
from gridmap.errors import NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.services.redraw.empty import joined
from gridmap.services.studio import cache
from gridmap.services.studio.land import FORMAT, Laid, Numbers, looked_up, nothing, read_laid, read_numbers
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Ground:
    """The part of a plan's ground that a reader sees, at one moment.

    ``units``: its rows in ``numbers`` and ``laid``, which tell of all; ``topology`` is theirs alone. ``regions``: the
    columns id, code, name, settlement of those with units or grids, by code; ``region`` (n,): index of each unit's.
    ``compound`` and ``name`` (n,): index of each unit's label, -1 for none. ``borders`` are the engine's, numbered by
    the units seen. ``version`` changes with anything that the packed file holds.
    """

    plan: Plan
    home: Region
    units: Ints
    numbers: Numbers
    laid: Laid
    topology: Topology
    regions: Mapping[str, bulk.Objects]
    region: Ints
    compound: Ints
    compounds: tuple[str, ...]
    name: Ints
    names: tuple[str, ...]
    borders: Borders
    version: str


@service
def packed_ground(session: Session, actor: Actor, plan_id: int, version: str, *, compressed: bool = False) -> bytes:
    """The packed ground of a plan (docs/studio-ground.md) at ``version``, or that file gzipped, which is kept on disk.

    Raises ``NotFound`` PLAN_NOT_FOUND, and GROUND_STALE where the ground is another by now.
    """
    ground = read_ground(session, actor, plan_id)
    if ground.version != version:
        raise NotFound("GROUND_STALE", plan=plan_id)
    if not compressed:
        return packed(ground)
    _, column = cache.fetch(f"{version}-gzip", lambda: _gzipped(packed(ground)))
    return column["gzip"].tobytes()


def _gzipped(content: bytes) -> bytes:
    """A packed file that holds ``content`` gzipped: more effort than the least makes it hardly smaller."""
    return pack({}, {"gzip": np.frombuffer(gzip.compress(content, 1, mtime=0), dtype=np.uint8)})


def read_ground(session: Session, actor: Actor, plan_id: int) -> Ground:
    """The ground of a plan where the actor may look. Raises ``NotFound``, ``Forbidden`` HOUSEHOLDS_FEW."""
    plan, home = visible(session, actor, plan_id)
    require_households(actor, home.prefix)
    numbers = read_numbers(session, plan_id)
    patterns = actor.patterns(Role.VIEWER)
    homes = session.scalars(query("studio", "home_regions"), {"plan": plan_id, "patterns": patterns}).all()
    ids = np.unique(np.concatenate([numbers.region_id, np.array(homes, dtype=np.int64)]))
    regions = bulk.columns(session, query("studio", "regions"), {"ids": ids.tolist()})
    seen = np.array([actor.may(Role.VIEWER, code) for code in regions["code"]], dtype=bool)
    regions = {name: column[seen] for name, column in regions.items()}
    region = looked_up(numbers.region_id, regions["id"].astype(np.int64))
    units = np.flatnonzero(region >= 0)
    laid, borders = nothing(), Borders.plain([], [], [])
    if len(units):
        laid = read_laid(session, plan_id, numbers)
        borders = _part(engine_borders(laid.land, numbers), units, len(region))
    compound, compounds = _labels(session, "compounds", numbers.compound_id[units])
    named = np.where(numbers.named[units] > 0, numbers.id[units], -1)
    name, names = _labels(session, "unit_names", named)
    topology = laid.topology if len(units) == len(region) else laid.topology.take(units)
    ground = Ground(
        plan,
        home,
        units,
        numbers,
        laid,
        topology,
        regions,
        region[units],
        compound,
        compounds,
        name,
        names,
        borders,
        "",
    )
    return replace(ground, version=_version(ground))


def engine_borders(land: Land, numbers: Numbers) -> Borders:
    """The borders of all units as the engine has them, with the ways opened for empty ground.

    Ground of special-purpose grids is no part of a redraw, so the ways of the rest are found without it; the other ways
    are those of all units together.
    """
    special = numbers.special > 0
    whole = _opened(land, numbers, np.arange(len(special)))
    if not special.any():
        return whole
    drawn = np.flatnonzero(~special)
    part = _opened(land.take(drawn), numbers, drawn)
    crossable = whole.crossable.copy()
    crossable[_rows(whole, drawn[part.i], drawn[part.j], len(special))] = part.crossable
    return replace(whole, crossable=crossable)


def _opened(land: Land, numbers: Numbers, units: Ints) -> Borders:
    group = np.unique(numbers.region_id[units], return_inverse=True)[1]
    made, _ = units_on(land, numbers.households[units], numbers.population[units], group=group)
    return joined(made).borders


def _rows(borders: Borders, i: Ints, j: Ints, n: int) -> Ints:
    """Where the pairs ``i``, ``j`` stand in ``borders``, which has them all."""
    keys = borders.i * np.int64(n) + borders.j
    order = np.argsort(keys)
    return order[np.searchsorted(keys[order], i * np.int64(n) + j)]


def _part(borders: Borders, units: Ints, n: int) -> Borders:
    """The pairs whose both sides are among ``units``, numbered by them."""
    number = np.full(n, -1, dtype=np.int64)
    number[units] = np.arange(len(units))
    inside: Bools = (number[borders.i] >= 0) & (number[borders.j] >= 0)
    return Borders(
        number[borders.i[inside]],
        number[borders.j[inside]],
        borders.length_m[inside],
        borders.barrier_m[inside],
        borders.torn_m[inside],
        borders.crossable[inside],
    )


def _labels(session: Session, name: str, ids: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Index (n,) of the label of each id, -1 for none, and the labels."""
    known = np.unique(ids[ids >= 0])
    if not len(known):
        return np.full(len(ids), -1, dtype=np.int64), ()
    rows = session.execute(query("studio", name), {"ids": known.tolist()}).all()
    label = {int(one): str(text) for one, text in rows}
    return looked_up(ids, known), tuple(label[one] for one in known.tolist())


def _version(ground: Ground) -> str:
    told = sha256(f"{FORMAT} {ground.laid.key} {ground.compounds} {ground.names}".encode())
    columns = _unit_columns(ground)
    for column in (*columns.values(), ground.borders.crossable):
        told.update(np.ascontiguousarray(column).tobytes())
    return told.hexdigest()[:24]


def _unit_columns(ground: Ground) -> dict[str, NDArray[Any]]:
    """What is read fresh of each unit."""
    numbers, units = ground.numbers, ground.units

    def small(values: Ints) -> NDArray[np.int32]:
        return values.astype(np.int32)

    return {
        "id": numbers.id[units].astype(np.float64),
        "region": small(ground.region),
        **{
            name: small(getattr(numbers, name)[units])
            for name in ("number", "households", "population", "buildings", "estimated")
        },
        "compound": small(ground.compound),
        "name": small(ground.name),
    }


def packed(ground: Ground) -> bytes:
    """The file of a ground."""
    laid, arcs, pairs, units = ground.laid, ground.topology, ground.borders, ground.units
    meta = {
        "n": len(units),
        "origin": [arcs.lattice.x0, arcs.lattice.y0],
        "step": arcs.lattice.step,
        "tolerance_m": laid.tolerance_m,
        "compounds": ground.compounds,
        "names": ground.names,
    }
    return pack(
        meta,
        {
            **_unit_columns(ground),
            "area_m2": laid.land.area_m2[units],
            "perimeter_m": laid.land.perimeter_m[units],
            "x": laid.inside[units, 0],
            "y": laid.inside[units, 1],
            **arcs.arrays(),
            "arc_barrier": _barriers(ground),
            "pair_i": pairs.i.astype(np.int32),
            "pair_j": pairs.j.astype(np.int32),
            "pair_length_m": pairs.length_m,
            "pair_barrier_m": pairs.barrier_m,
            "pair_torn_m": pairs.torn_m,
            "pair_crossable": pairs.crossable,
        },
    )


def _barriers(ground: Ground) -> NDArray[np.uint8]:
    """``arc_barrier`` of the arcs seen."""
    whole = ground.laid.topology
    seen = np.zeros(len(whole.unit_rings), dtype=bool)  # the last entry stands for -1
    seen[ground.units] = True
    return ground.laid.arc_barrier[seen[whole.arc_left] | seen[whole.arc_right]]
