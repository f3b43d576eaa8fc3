"""A town of n blocks for the studio: communities, compounds, roads, a river with bridges, a plan with n / 10 grids.

``make_town(n)`` gives arrays; ``load_town(n)`` puts them into the migrated, empty database that the engine is connected
to (20,000 blocks in some seconds, most by COPY) and returns the ids of a plan in force and of a draft beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.adjacency import SharedBorders, shared_borders
from geodata.crs import to_lonlat
from geodata.synth.cells import CELL_M, cells
from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import Barrier, Building, Compound, Plan, Region, Unit
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from gridmap.services.plans.make import AssignmentRow, GridRow
from gridmap.services.versions import raise_version

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

COUNTY = "339902000000"
LON0, _EASTING_M, _NORTHING_M = 120.0, 505_000.0, 3_340_000.0
_UNITS_PER_COMMUNITY, _BLOCK_M, _BRIDGE_M = 240, 3 * CELL_M, 60.0


@dataclass(frozen=True, slots=True)
class Town:
    """``metric`` (n,): blocks in the zone of 120 E; ``lonlat`` the same in degrees. ``community`` (n,) numbers
    ``codes``; ``compound`` (n,) is -1 for none; ``grid`` (n,) the grid of each block, -1 for none, grids numbered
    community by community; ``special`` (g,): grids for a special purpose. ``barriers``: rows of kind, class, bridge and
    line (metric)."""

    metric: Objects
    lonlat: Objects
    households: Ints
    population: Ints
    community: Ints
    codes: tuple[str, ...]
    compound: Ints
    grid: Ints
    special: NDArray[np.bool_]
    barriers: tuple[tuple[str, str, bool, Any], ...]


class Loaded(NamedTuple):
    """Ids of the plan in force and of a draft with other grids in a few places."""

    published: int
    draft: int


def make_town(n: int, seed: int = 1, communities: int | None = None) -> Town:
    """The town of ``n`` blocks and ``seed``; ``communities`` is about how many (default: 240 blocks each)."""
    rng = np.random.default_rng(seed + 1000)
    made = cells(n, seed)
    move = np.array([_EASTING_M, _NORTHING_M])
    metric = shapely.transform(made.polygons, lambda xy: xy + move)
    xy = made.units.xy_m
    side_m = CELL_M * np.sqrt(n)
    columns = max(1, round(np.sqrt(communities or n / _UNITS_PER_COMMUNITY)))
    rows = max(1, round((communities or columns**2) / columns))
    column = np.minimum((xy[:, 0] / side_m * columns).astype(np.int64), columns - 1)
    row = np.minimum((xy[:, 1] / side_m * rows).astype(np.int64), rows - 1)
    known, community = np.unique(row * columns + column, return_inverse=True)
    codes = tuple(f"{COUNTY[:6]}{1 + k // columns:03}{1 + k % columns:03}" for k in known.tolist())
    grid, special = _grids(xy, community, rng)
    households = made.households.copy()
    households[np.isin(grid, np.flatnonzero(special))] = 0
    households[rng.random(n) < 0.03] = 0
    return Town(
        metric,
        np.asarray(to_lonlat(metric, LON0), dtype=object),
        households,
        np.round(households * 2.6).astype(np.int64),
        community.astype(np.int64),
        codes,
        _compounds(grid, rng),
        grid,
        special,
        tuple(_barriers(metric, xy, community.astype(np.int64), row, rows)),
    )


def _grids(xy: Any, community: Ints, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    """About ten blocks a grid, in strips; a few blocks in none, the last grid of every third community special."""
    grid, special, count = np.full(len(xy), -1, dtype=np.int64), [], 0
    for one in range(int(community.max()) + 1):
        mine = np.flatnonzero(community == one)
        strips = max(1, round(np.sqrt(len(mine) / 10)))
        for strip in np.array_split(mine[np.argsort(xy[mine, 0])], strips):
            for part in np.array_split(strip[np.argsort(xy[strip, 1])], max(1, round(len(strip) / 10))):
                grid[part] = count
                special.append(False)
                count += 1
        special[-1] = one % 3 == 0 and len(mine) > 20
    grid[rng.random(len(grid)) < 0.002] = -1
    return grid, np.array(special, dtype=bool)


def _compounds(grid: Ints, rng: np.random.Generator) -> Ints:
    """A compound of two to four blocks in about every second grid."""
    compound, count = np.full(len(grid), -1, dtype=np.int64), 0
    order = np.argsort(grid, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(grid[order])) + 1):
        if grid[members[0]] >= 0 and rng.random() < 0.5:
            compound[members[: rng.integers(2, 5)]] = count
            count += 1
    return compound


def _barriers(metric: Objects, xy: Any, community: Ints, row: Ints, rows: int) -> list[tuple[str, str, bool, Any]]:
    """Primary roads between communities, lanes between blocks of blocks, a river across the middle with bridges."""
    borders = shared_borders(metric)
    block = (xy // _BLOCK_M).astype(np.int64) @ np.array([1, 100_000])
    apart = community[borders.i] != community[borders.j]
    wet = (row[borders.i] < rows // 2) != (row[borders.j] < rows // 2)
    lane = (block[borders.i] != block[borders.j]) & ~apart
    found: list[tuple[str, str, bool, Any]] = []
    for kind, cls, which in (("road", "primary", apart & ~wet), ("road", "residential", lane), ("water", "river", wet)):
        found += [(kind, cls, False, line) for line in _lines(borders.take(which))]
    for start, end in zip(borders.start[wet][::12], borders.end[wet][::12], strict=True):
        middle, along = (start + end) / 2, (end - start) / np.hypot(*(end - start))
        across = np.array([-along[1], along[0]]) * _BRIDGE_M
        found.append(("road", "secondary", True, shapely.LineString([middle - across, middle + across])))
    return found


def _lines(borders: SharedBorders) -> list[Any]:
    if not len(borders.i):
        return []
    return shapely.get_parts(shapely.line_merge(shapely.multilinestrings(borders.lines().tolist()))).tolist()


def load_town(n: int, seed: int = 1, communities: int | None = None) -> Loaded:
    """Load :func:`make_town` as county :data:`COUNTY` and make two plans of it."""
    town = make_town(n, seed, communities)
    with transaction() as session:
        region_ids = _write_regions(session, town)
        _write_ground(session, town, region_ids)
        raise_version(session, "regions", "barriers", "buildings", "units")
    names = [f"第{k + 1}网格" for k in range(len(town.special))]
    moved = town.grid.copy()
    moved[1::97] = np.roll(town.grid, 1)[1::97]
    published, draft = (_plan(town, name, grid, names) for name, grid in (("现行", town.grid), ("草案", moved)))
    plans.put_in_force(SYSTEM, published, date(2026, 1, 1))
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id == draft).values(base_plan_id=published))
        bulk.analyse(session, "region", "barrier", "building", "unit", "plan_unit", "grid")
    return Loaded(published, draft)


def _write_regions(session: Session, town: Town) -> Ints:
    """County, a subdistrict for each row of communities, communities; the ids of the last."""
    grounds = np.array(
        [shapely.coverage_union_all(town.lonlat[town.community == k]) for k in range(len(town.codes))], dtype=object
    )
    levels = dict(zip(town.codes, grounds, strict=True))
    towns = sorted({code[:9] for code in town.codes})
    shapes = [shapely.union_all(grounds)]
    shapes += [shapely.union_all([g for code, g in levels.items() if code.startswith(one)]) for one in towns]
    shapes += grounds.tolist()
    codes = [COUNTY, *(f"{one}000" for one in towns), *town.codes]
    digits = [6, *[9] * len(towns), *[12] * len(grounds)]
    ids = bulk.reserve_ids(session, Region, len(codes))
    id_of = {code[:size]: int(one) for code, size, one in zip(codes, digits, ids, strict=True)}
    bulk.copy(
        session,
        "region",
        {
            "id": ids,
            "code": codes,
            "prefix": [code[:size] for code, size in zip(codes, digits, strict=True)],
            "name": [
                "县",
                *(f"第{k + 1}街道" for k in range(len(towns))),
                *(f"{c[6:9]}-{c[9:]}社区" for c in town.codes),
            ],
            "level": ["county", *["subdistrict"] * len(towns), *["community"] * len(grounds)],
            "settlement": [None] * (1 + len(towns)) + ["urban" if k % 5 else "rural" for k in range(len(grounds))],
            "parent_id": [
                None if size == 6 else id_of[code[: size - 3]] for code, size in zip(codes, digits, strict=True)
            ],
            "geom": bulk.wkb_hex(bulk.multi(np.array(shapes, dtype=object))),
            "area_m2": [1e6] * len(codes),
        },
    )
    return ids[1 + len(towns) :]


def _write_ground(session: Session, town: Town, region_ids: Ints) -> None:
    n = len(town.metric)
    kinds, classes, bridges, lines = (list(column) for column in zip(*town.barriers, strict=True))
    bulk.copy(
        session,
        Barrier.__tablename__,
        {
            "kind": kinds,
            "class": classes,
            "bridge": bridges,
            "geom": bulk.wkb_hex(to_lonlat(np.array(lines, dtype=object), LON0)),
        },
    )
    compounds = bulk.reserve_ids(session, Compound, int(town.compound.max()) + 1)
    bulk.copy(session, "compound", {"id": compounds, "name": [f"明珠苑{k + 1}" for k in range(len(compounds))]})
    ids = bulk.reserve_ids(session, Unit, n)
    region = region_ids[town.community]
    order = np.argsort(town.community, kind="stable")
    number = np.empty(n, dtype=np.int64)
    number[order] = np.arange(n) - np.searchsorted(town.community[order], town.community[order]) + 1
    home = bulk.or_none(town.compound >= 0, np.append(compounds, -1)[town.compound])
    counted = {"region_id": region, "households": town.households, "population": town.population, "compound_id": home}
    bulk.copy(
        session,
        "unit",
        counted
        | {
            "id": ids,
            "number": number,
            "geom": bulk.wkb_hex(bulk.multi(town.lonlat)),
            "area_m2": np.round(shapely.area(town.metric), 3),
            "buildings": [1] * n,
        },
    )
    points = bulk.wkb_hex(to_lonlat(shapely.point_on_surface(town.metric), LON0))
    bulk.copy(session, Building.__tablename__, counted | {"unit_id": ids, "geom": points, "point": points})


def _plan(town: Town, name: str, grid: Ints, names: list[str]) -> int:
    with transaction() as session:
        units = plans.make.living_units(session, COUNTY)
    # living units come by region and number: communities are numbered by code, so blocks in the order of their number
    order = np.argsort(town.community, kind="stable")
    community = np.zeros(len(names), dtype=np.int64)
    community[town.grid[town.grid >= 0]] = town.community[town.grid >= 0]
    first = np.searchsorted(community, community)
    rows = [
        GridRow(f"{town.codes[home]}{k - first[k] + 1:03}", names[k], "special" if town.special[k] else "basic")
        for k, home in enumerate(community.tolist())
    ]
    chosen = [
        AssignmentRow(int(unit), str(code), int(number), None if one < 0 else int(one))
        for unit, code, number, one in zip(
            units["id"], units["region_code"], units["number"], grid[order].tolist(), strict=True
        )
    ]
    return plans.from_assignment(SYSTEM, name, COUNTY, chosen, rows)
