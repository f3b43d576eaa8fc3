"""Plans as pages and the API show them; only what lies where the reader may look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.kept import Kept
from gridmap.services.plans.access import in_force_on, shown, subtree, visible
from gridmap.services.plans.small import require_households, rounded, veiled, veils, withheld_sums
from gridmap.services.versions import state_of_all
from gridmap.sql import query

_kept: Kept[tuple[PlanSummary, ...]] = Kept(64)
STATUSES = ("under", "within", "over", "empty", "unchecked")

#: Sums over grids that tell what lies in none.
_SUMS = ("households", "population", "unassigned_households")


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan and its totals inside the reader's regions.

    ``current_check`` says whether the last check speaks of the plan as it is; ``statuses`` counts grids by status.
    Sums are None where they are withheld; ``estimated_share`` (0 to 1) is then rounded.
    """

    id: int
    name: str
    region_code: str
    region_name: str
    department: str | None
    profile_name: str
    profile_zh: str
    profile_en: str
    state: str
    version: int
    checked_version: int | None
    checked_at: datetime | None
    valid_from: date | None
    valid_to: date | None
    created_at: datetime
    updated_at: datetime
    import_batch_id: int | None
    grids: int
    households: int | None
    population: int | None
    estimated_households: int | None
    estimated_share: float
    missing_households: int
    unassigned_households: int | None
    unassigned_units: int
    statuses: Mapping[str, int]
    errors: int
    warnings: int
    unavoidable: int

    @property
    def current_check(self) -> bool:
        return self.checked_version == self.version


@dataclass(frozen=True, slots=True)
class PlanName:
    """A plan without any figure of it: what a list to choose from needs."""

    id: int
    name: str
    state: str
    version: int
    region_code: str
    region_name: str


@dataclass(frozen=True, slots=True)
class GridInfo:
    """A grid with its counts, the bounds of its class (None where it has none) and how many findings it has.

    ``bbox`` is west, south, east, north in degrees, None where no unit is assigned. Households
    and population are None where they are withheld (:mod:`gridmap.services.plans.small`), ``households_text`` says how.
    """

    id: int
    code: str
    name: str | None
    kind: str
    parent_id: int | None
    workers: int | None
    area_m2: float
    households: int | None
    population: int | None
    buildings: int
    units: int
    estimated_households: int | None
    estimated_share: float | None
    missing_households: int | None
    status: str
    valid_from: date | None
    valid_to: date | None
    region_code: str | None
    region_name: str | None
    settlement: str | None
    households_min: int | None
    households_max: int | None
    bbox: tuple[float, float, float, float] | None
    errors: int
    warnings: int
    rules: tuple[str, ...]
    households_text: str


@dataclass(frozen=True, slots=True)
class GridPage:
    """One page of grids and how many there are in all."""

    rows: tuple[GridInfo, ...]
    total: int


@service
def list_plans(session: Session, actor: Actor, *, archived: bool = False) -> tuple[PlanSummary, ...]:
    """All plans the reader can see any part of: in force first, archived last."""
    actor.require(Role.VIEWER)
    found = _summaries(session, actor, None)
    return tuple(plan for plan in found if archived or plan.state != "archived")


@service
def names(session: Session, actor: Actor) -> tuple[PlanName, ...]:
    """All plans the reader can see any part of, in the order of :func:`list_plans`: milliseconds for any size."""
    actor.require(Role.VIEWER)
    rows = session.execute(query("plans", "names"), _prefixes(actor))
    return tuple(PlanName(*row[:6]) for row in rows if row.public or actor.sees_households(row.prefix))


@service
def to_show(session: Session, actor: Actor, day: date | None = None) -> int | None:
    """The plan that a map shows where none is chosen: in force on ``day``, or today; None where there is none."""
    actor.require(Role.VIEWER)
    return shown(session, actor) if day is None else in_force_on(session, actor, day)


@service
def get(session: Session, actor: Actor, plan_id: int) -> PlanSummary:
    """One plan. Raises ``NotFound`` PLAN_NOT_FOUND."""
    visible(session, actor, plan_id)
    return _summaries(session, actor, plan_id)[0]


def _summaries(session: Session, actor: Actor, plan_id: int | None) -> tuple[PlanSummary, ...]:
    key = (*state_of_all(session), plan_id, actor.grants)  # who may see how few depends on all roles
    return _kept.get(key, lambda: _read(session, actor, plan_id))


def _read(session: Session, actor: Actor, plan_id: int | None) -> tuple[PlanSummary, ...]:
    found = []
    rows = session.execute(query("plans", "summaries"), {"plan": plan_id, **_prefixes(actor)}).mappings().all()
    few = {row["id"]: veils(actor, row["prefix"]) for row in rows}
    shut = withheld_sums(session, [plan for plan, veil in few.items() if veil], actor) if any(few.values()) else {}
    for row in rows:
        values = dict(row)
        public = values.pop("public")
        del values["prefix"]
        share = values["estimated_households"] / values["households"] if values["households"] else 0.0
        values["estimated_share"] = share
        if few[row["id"]]:
            if not public:
                continue
            values |= {"estimated_households": None, "estimated_share": rounded(share)}
            values |= dict.fromkeys(_SUMS) if shut[row["id"]] else {}
        profile = values.pop("profile")
        statuses = {status: values.pop(status) for status in STATUSES}
        titles = {"profile_zh": profile["title_zh"], "profile_en": profile["title_en"]}
        found.append(PlanSummary(**values, **titles, statuses=statuses))
    return tuple(found)


@service
def grids(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    region: str | None = None,
    statuses: Sequence[str] | None = None,
    kind: str | None = None,
    rule: str | None = None,
    text: str | None = None,
    order: str = "code",
    limit: int = 100,
    offset: int = 0,
) -> GridPage:
    """Grids of a plan; ``region`` is a code or a prefix of codes, ``order`` "code", "households" or "errors"."""
    plan, home = visible(session, actor, plan_id)
    filters = {
        "region": subtree(region),
        "statuses": list(statuses) if statuses else None,
        "kind": kind,
        "rule": rule,
        "grid": None,
        "order": order,
        "veiled": veils(actor, home.prefix),
    }
    bounds = {"like": f"%{escaped(text)}%" if text else None, "limit": limit, "offset": offset}
    rows = session.execute(
        query("plans", "grids"), {"plan": plan_id, **filters, **bounds, **_prefixes(actor)}
    ).mappings()
    found = [dict(row) for row in rows]
    total = found[0]["total"] if found else 0
    profile = standards.from_dict(plan.profile)
    return GridPage(tuple(_grid(row, profile) for row in found), total)


@service
def grid(session: Session, actor: Actor, plan_id: int, grid_id: int) -> GridInfo:
    """One grid of a plan. Raises ``NotFound``."""
    plan, home = visible(session, actor, plan_id)
    filters: dict[str, Any] = {
        "region": None,
        "statuses": None,
        "kind": None,
        "rule": None,
        "like": None,
        "grid": grid_id,
        "order": "",
    }
    values = {"plan": plan_id, **filters, "limit": 1, "offset": 0, **_prefixes(actor)}
    values["veiled"] = veils(actor, home.prefix)
    row = session.execute(query("plans", "grids"), values).mappings().one_or_none()
    if row is None:
        raise NotFound("NOT_FOUND")
    return _grid(dict(row), standards.from_dict(plan.profile))


def _grid(values: dict[str, Any], profile: standards.Profile) -> GridInfo:
    del values["total"]
    box = tuple(values.pop(side) for side in ("west", "south", "east", "north"))
    class_ = "" if values["kind"] == "special" else "micro" if values["kind"] == "micro" else values["settlement"] or ""
    bound = profile.bound(class_)
    low, high = (None, None) if bound is None else (bound.households_min, bound.households_max)
    share = values.pop("estimated_share")
    values = veiled(values | {"rules": tuple(values["rules"])})
    few = values["estimated_households"] is None
    values["estimated_share"] = (None if values["households"] is None else rounded(share or 0)) if few else share
    return GridInfo(**values, bbox=None if box[0] is None else box, households_min=low, households_max=high)


@service
def misfits(
    session: Session, actor: Actor, plan_id: int, *, kind: str | None = None, limit: int = 100, offset: int = 0
) -> dict[str, Any]:
    """Places where the drawn grids did not fit: ``rows`` (geometry as GeoJSON), ``total``, and ``kinds`` with sums."""
    _, home = visible(session, actor, plan_id)
    key = {"plan": plan_id, **_prefixes(actor)}
    rows = [
        dict(row)
        for row in session.execute(
            query("plans", "misfits"), {**key, "kind": kind, "limit": limit, "offset": offset}
        ).mappings()
    ]
    total = rows[0]["total"] if rows else 0
    for row in rows:
        del row["total"]
        row["geojson"] = json.loads(row["geojson"]) if row["geojson"] else None
    kinds = [dict(row) for row in session.execute(query("plans", "misfit_kinds"), key).mappings()]
    if veils(actor, home.prefix):
        for row in (*rows, *kinds):
            row["households"] = None
    return {"rows": rows, "total": total, "kinds": kinds}


@service
def outlines(session: Session, actor: Actor, plan_id: int, *, region: str | None = None) -> dict[str, bulk.Objects]:
    """Grids with a place as columns: id, code, name, kind, status, households, population, region_code, geom."""
    _, home = visible(session, actor, plan_id)
    require_households(actor, home.prefix)
    table = bulk.columns(
        session, query("plans", "outlines"), {"plan": plan_id, "region": subtree(region), **_prefixes(actor)}
    )
    return table | {"geom": bulk.shapes(table["geom"])}


def _prefixes(actor: Actor) -> dict[str, list[str]]:
    return {"prefixes": list(actor.prefixes(Role.VIEWER))}


def escaped(text: str) -> str:
    """``text`` for LIKE, its wildcards taken literally."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


@service
def held_on(session: Session, actor: Actor, day: date, region: str | None = None) -> int:
    """The plan that was, is or will be in force on a day; its id. Raises ``NotFound`` IN_FORCE_NONE."""
    actor.require(Role.VIEWER)
    found = in_force_on(session, actor, day, region)
    if found is None:
        raise NotFound("IN_FORCE_NONE", day=day.isoformat())
    return found
