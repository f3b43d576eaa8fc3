"""The part of a plan that is redrawn, as the engine's arrays, and what their indices stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from geodata.crs import to_metric
from geodata.redraw.land import units_on
from geodata.redraw.model import NO_LIMIT, Band, Bools, Instance, Ints, Units, Weights
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, Region
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.redraw.empty import joined
from gridmap.services.redraw.wish import Wish
from gridmap.services.standards import class_of
from gridmap.services.studio.land import Numbers, looked_up, read_laid, read_numbers
from gridmap.sql import query

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
    numbers = read_numbers(session, plan_id)
    grids = bulk.columns(session, query("redraw", "grids"), {"plan": plan_id})
    check_locks(session, plan_id, wish)
    drawn, group, regions, left_out = _drawn(session, numbers, profile, region)
    classes = [class_of(profile, settlement) or "" for settlement in regions["settlement"]]
    named = sorted(set(classes))
    start, here = _start(numbers.top_grid_id[drawn], grids)
    kept = _kept(grids, here, np.bincount(start[start >= 0], minlength=len(here)), wish.locks)
    instance = Instance.of(
        _units(session, plan_id, numbers, drawn, group, np.array([named.index(c) for c in classes])[group]),
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
        unit_ids=numbers.id[drawn],
        grid_ids=grids["id"][here].astype(np.int64),
        grid_codes=grids["code"][here],
        grid_names=grids["name"][here],
        codes=regions["code"],
        names=regions["name"],
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
    session: Session, numbers: Numbers, profile: standards.Profile, region: Region
) -> tuple[Ints, Ints, dict[str, bulk.Objects], tuple[str, ...]]:
    """The units that take part, the community of each, columns of these communities, and names of those that cannot.

    Ground of special-purpose grids is no part of the task.
    """
    homes = np.unique(numbers.region_id).tolist()
    table = bulk.columns(session, query("studio", "regions"), {"ids": homes})
    inside = np.array([code.startswith(region.prefix) for code in table["code"]], dtype=bool)
    bounded = np.array([class_of(profile, value) is not None for value in table["settlement"]], dtype=bool)
    if not (inside & bounded).any():
        raise Invalid("PLAN_REDRAW_NO_BOUND", region=region.name, standard=profile.title_zh)
    home = looked_up(numbers.region_id, table["id"].astype(np.int64))
    drawn = np.flatnonzero((inside & bounded)[home] & (numbers.special == 0))
    if not len(drawn):
        raise Invalid("PLAN_REDRAW_EMPTY", region=region.name)
    left_out = tuple(sorted(set(table["name"][inside & ~bounded].tolist())))
    used, group = np.unique(home[drawn], return_inverse=True)
    return drawn, group.astype(np.int64), {name: column[used] for name, column in table.items()}, left_out


def _band(profile: standards.Profile, class_: str) -> Band:
    """Households of the class, and its population limit; "about" 1,000 people is a wish that the check speaks of."""
    bound = profile.bound(class_)
    assert bound is not None
    people = NO_LIMIT if bound.population is None else bound.population.limit
    return Band(bound.households_min, bound.households_max, population_max=people)


def _start(grid_id: Ints, grids: Table) -> tuple[Ints, Ints]:
    """The start grid of each unit (n,), -1 unassigned, and the row in ``grids`` of each start grid (k,)."""
    rows = looked_up(grid_id, grids["id"].astype(np.int64))
    here = np.unique(rows[rows >= 0])
    return np.where(rows >= 0, np.searchsorted(here, rows), -1), here


def _kept(grids: Table, here: Ints, units_here: Ints, locks: tuple[str, ...]) -> dict[str, Bools]:
    """Which start grids (k,) stay as they are: locked or chosen, with ground outside, or divided into micro-grids."""
    return {
        "locked": grids["locked"][here].astype(bool) | np.isin(grids["code"][here].astype(str), locks),
        "outside": grids["units"][here].astype(np.int64) > units_here,
        "divided": grids["divided"][here].astype(bool),
    }


def _units(session: Session, plan_id: int, numbers: Numbers, drawn: Ints, group: Ints, kind: Ints) -> Units:
    """Neighbours, borders and barriers as the ground of the whole plan has them, in its local metric CRS."""
    laid = read_laid(session, plan_id, numbers)
    cases = bulk.packed_ints(session, query("redraw", "cases"), {"plan": plan_id}, 2)
    at = looked_up(cases[:, 0], numbers.id)
    workload = np.zeros(len(numbers.id))
    workload[at] = cases[:, 1]
    compound = numbers.compound_id[drawn]
    built, _ = units_on(
        laid.land.take(drawn),
        numbers.households[drawn],
        numbers.population[drawn],
        group=group,
        kind=kind,
        compound=np.where(compound >= 0, np.searchsorted(np.unique(compound[compound >= 0]), compound), -1),
        workload=workload[drawn],
    )
    homes = laid.land.xy_m.copy()
    lived = bulk.packed(session, query("redraw", "homes"), {"plan": plan_id}, 3)
    if len(lived):
        homes[looked_up(lived[:, 0].astype(np.int64), numbers.id)] = to_metric(lived[:, 1:], laid.lon0)
    return joined(replace(built, xy_m=homes[drawn]))
