"""The part of a plan that is redrawn, as the engine's arrays, and what their indices stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from geodata.crs import middle_lon, to_metric
from geodata.redraw.model import NO_LIMIT, Band, Bools, Floats, Instance, Ints, Units, Weights
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, Region
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.barriers import read_barriers
from gridmap.services.plans.access import visible
from gridmap.services.redraw.empty import joined
from gridmap.services.redraw.wish import Wish
from gridmap.services.standards import class_of
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.units import Barriers

Table = Mapping[str, bulk.Objects]


@dataclass(frozen=True, slots=True)
class Ground:
    """An instance with the plan it was read from (at ``version``).

    ``unit_ids`` (n,); ``grid_ids``, ``grid_codes`` and ``grid_names`` (k,) of the start plan's numbers; ``codes`` and
    ``names`` of the communities, one per group. ``scope_code`` is the region of the plan to be made. ``left_out`` names
    communities without a bound in the standard, ``kept`` counts grids that stay by the reason.
    """

    plan_id: int
    plan_name: str
    version: int
    region_id: int
    region_code: str
    region_name: str
    scope_code: str
    profile: standards.Profile
    instance: Instance
    unit_ids: Ints
    grid_ids: Ints
    grid_codes: bulk.Objects
    grid_names: bulk.Objects
    codes: bulk.Objects
    names: bulk.Objects
    left_out: tuple[str, ...]
    kept: Mapping[str, int]


@service
def reach(session: Session, actor: Actor, plan_id: int, region_code: str | None) -> tuple[Plan, Region, Region]:
    """The plan, the region to redraw (None: all of the plan's) and that of the plan to be made, for who may plan there.

    A planner of the whole plan gets a proposal of the whole plan, one of a part gets a proposal of that part. Raises
    ``NotFound``, ``Forbidden``, ``Conflict`` PLAN_STATE, ``Invalid`` PLAN_REDRAW_EMPTY.
    """
    plan, home = visible(session, actor, plan_id)
    region = home if region_code is None else _region(session, actor, region_code)
    actor.require(Role.PLANNER, region.code)
    if plan.state == "archived":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    if not session.scalar(query("redraw", "any_unit"), {"plan": plan_id, "prefix": region.prefix}):
        raise Invalid("PLAN_REDRAW_EMPTY", region=region.name)
    return plan, region, home if actor.may(Role.PLANNER, home.code) else region


@service
def read(session: Session, actor: Actor, plan_id: int, wish: Wish) -> Ground:
    """Everything that the engine looks at. Raises as :func:`reach` and :func:`check_locks`, and ``Invalid``
    PLAN_REDRAW_NO_BOUND.
    """
    plan, region, scope = reach.within(session, actor, plan_id, wish.region_code)
    profile = standards.from_dict(plan.profile)
    units = bulk.columns(session, query("redraw", "units"), {"plan": plan_id, "prefix": region.prefix})
    grids = bulk.columns(session, query("redraw", "grids"), {"plan": plan_id})
    check_locks(session, plan_id, wish)
    units, left_out = _drawn(units, grids, profile, region)
    codes, first, group = np.unique(units["region_code"].astype(str), return_index=True, return_inverse=True)
    classes = [class_of(profile, units["settlement"][at]) or "" for at in first]
    named = sorted(set(classes))
    start, here = _start(units, grids)
    kept = _kept(grids, here, np.bincount(start[start >= 0], minlength=len(here)), wish.locks)
    instance = Instance.of(
        _units(session, units, group.astype(np.int64), np.array([named.index(c) for c in classes])[group]),
        tuple(_band(profile, one) for one in named),
        start=start,
        closed=np.flatnonzero(np.any(list(kept.values()), axis=0)),
        weights=Weights(**wish.weights),
    )
    return Ground(
        plan_id=plan.id,
        plan_name=plan.name,
        version=plan.version,
        region_id=region.id,
        region_code=region.code,
        region_name=region.name,
        scope_code=scope.code,
        profile=profile,
        instance=instance,
        unit_ids=units["id"].astype(np.int64),
        grid_ids=grids["id"][here].astype(np.int64),
        grid_codes=grids["code"][here],
        grid_names=grids["name"][here],
        codes=codes.astype(object),
        names=units["region_name"][first],
        left_out=left_out,
        kept={reason: int(which.sum()) for reason, which in kept.items() if which.any()},
    )


def check_locks(session: Session, plan_id: int, wish: Wish) -> None:
    """Raise ``Invalid`` PLAN_REDRAW_LOCK_UNKNOWN for the first code that no grid of the plan has."""
    known = session.scalars(sa.select(Grid.code).where(Grid.plan_id == plan_id, Grid.code.in_(wish.locks)))
    unknown = set(wish.locks) - set(known)
    if unknown:
        raise Invalid("PLAN_REDRAW_LOCK_UNKNOWN", grid=min(unknown))


def _region(session: Session, actor: Actor, code: str) -> Region:
    actor.require(Role.VIEWER, code)
    region = session.scalar(sa.select(Region).where(Region.code == code))
    if region is None:
        raise NotFound("REGION_NOT_FOUND", region=code)
    return region


def _drawn(
    units: Table, grids: Table, profile: standards.Profile, region: Region
) -> tuple[dict[str, bulk.Objects], tuple[str, ...]]:
    """Units that take part, and the communities that cannot. Ground of special-purpose grids is no part of the task."""
    bounded = np.array([class_of(profile, value) is not None for value in units["settlement"]], dtype=bool)
    if not bounded.any():
        raise Invalid("PLAN_REDRAW_NO_BOUND", region=region.name, standard=profile.title_zh)
    special = np.isin(bulk.ints(units["grid_id"]), grids["id"][grids["kind"] == "special"].astype(np.int64))
    left_out = tuple(np.unique(units["region_name"][~bounded].astype(str)).tolist())
    drawn = bounded & ~special
    if not drawn.any():
        raise Invalid("PLAN_REDRAW_EMPTY", region=region.name)
    return {name: column[drawn] for name, column in units.items()}, left_out


def _band(profile: standards.Profile, class_: str) -> Band:
    """Households of the class, and its population limit; "about" 1,000 people is a wish that the check speaks of."""
    bound = profile.bound(class_)
    assert bound is not None
    people = NO_LIMIT if bound.population is None else bound.population.limit
    return Band(bound.households_min, bound.households_max, population_max=people)


def _start(units: Table, grids: Table) -> tuple[Ints, Ints]:
    """The start grid of each unit (n,), -1 unassigned, and the row in ``grids`` of each start grid (k,)."""
    row = {int(grid): k for k, grid in enumerate(grids["id"])}
    rows = np.array([-1 if grid is None else row[int(grid)] for grid in units["grid_id"]], dtype=np.int64)
    here = np.unique(rows[rows >= 0])
    return np.where(rows >= 0, np.searchsorted(here, rows), -1), here


def _kept(grids: Table, here: Ints, units_here: Ints, locks: tuple[str, ...]) -> dict[str, Bools]:
    """Which start grids (k,) stay as they are: locked or chosen, with ground outside, or divided into micro-grids."""
    return {
        "locked": grids["locked"][here].astype(bool) | np.isin(grids["code"][here].astype(str), locks),
        "outside": grids["units"][here].astype(np.int64) > units_here,
        "divided": grids["divided"][here].astype(bool),
    }


def _units(session: Session, units: Table, group: Ints, kind: Ints) -> Units:
    """Neighbours, borders and barriers from the ground itself, in the local metric CRS."""
    from geodata.redraw.build import units_from_coverage

    shapes = bulk.shapes(units["geom"])
    lon0 = middle_lon(shapes)
    built, _ = units_from_coverage(
        to_metric(shapes, lon0),
        bulk.ints(units["households"]),
        population=bulk.ints(units["population"]),
        group=group,
        kind=kind,
        compound=_numbered(units["compound_id"]),
        workload=units["cases"].astype(np.float64),
        barriers=_barriers(session, shapes, lon0),
    )
    return joined(replace(built, xy_m=_homes(units, lon0, built.xy_m)))


def _numbered(values: bulk.Objects) -> Ints:
    """``values`` as numbers from 0 on, None as -1."""
    known, number = ~bulk.null(values), np.full(len(values), -1, dtype=np.int64)
    number[known] = np.unique(values[known].astype(np.int64), return_inverse=True)[1]
    return number


def _homes(units: Table, lon0: float, centres: Floats) -> Floats:
    """Where the households of each unit live (n, 2), metres; its centre where no building says so."""
    known = ~bulk.null(units["lon"])
    homes = centres.copy()
    if known.any():
        lonlat = np.column_stack([units["lon"][known], units["lat"][known]]).astype(np.float64)
        homes[known] = to_metric(lonlat, lon0)
    return homes


def _barriers(session: Session, shapes: bulk.Objects, lon0: float) -> Barriers | None:
    sides = zip(("west", "south", "east", "north"), shapely.total_bounds(shapes).tolist(), strict=True)
    found = read_barriers(session, dict(sides), lon0)
    return found if len(found.kind) else None
