"""The tree of counties, subdistricts and communities, with what lives in each and how its grids stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.kept import Kept
from gridmap.services.plans.access import overlap, shown, subtree, visible
from gridmap.services.plans.read import STATUSES
from gridmap.services.plans.small import rounded, veils
from gridmap.services.versions import state_of_all
from gridmap.sql import query

_kept: Kept[tuple[RegionInfo, ...]] = Kept(64)


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """A region and the sums of its communities; ``statuses`` counts the grids of the plan shown.

    ``bbox`` is west, south, east, north in degrees; ``oldest_data`` the oldest count inside. Who is told no small
    counts gets None for them, for what would tell them, and for estimates, whose share (0 to 1) is then rounded.
    """

    id: int
    code: str
    name: str
    level: str
    settlement: str | None
    urban_rural_code: str | None
    parent_code: str | None
    area_m2: float
    source: str | None
    data_date: date | None
    bbox: tuple[float, float, float, float]
    communities: int
    units: int
    households: int | None
    population: int | None
    buildings: int
    estimated_households: int | None
    estimated_share: float
    missing_households: int
    oldest_data: date | None
    grids: int
    statuses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A region by name; ``bbox`` is west, south, east, north in degrees."""

    code: str
    name: str
    level: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step from the county down; ``open`` False where the reader sees the name only."""

    code: str
    name: str
    level: str
    open: bool


@service
def tree(session: Session, actor: Actor, *, plan_id: int | None = None) -> tuple[RegionInfo, ...]:
    """All regions of the reader in order of code (a parent before its children), for the plan given or shown."""
    actor.require(Role.VIEWER)
    return _totals(session, actor, plan_id)


@service
def places(session: Session, actor: Actor) -> tuple[Place, ...]:
    """All regions of the reader in order of code, without any sum: what a page offers to choose from."""
    actor.require(Role.VIEWER)
    rows = session.execute(query("regions", "places"), {"prefixes": list(actor.prefixes(Role.VIEWER))})
    return tuple(Place(row.code, row.name, row.level, tuple(row.bbox)) for row in rows)


@service
def get(session: Session, actor: Actor, code: str, *, plan_id: int | None = None) -> RegionInfo:
    """One region. Raises ``NotFound``."""
    actor.require(Role.VIEWER, code)
    found = _totals(session, actor, plan_id, code=code)
    if not found:
        raise NotFound("REGION_NOT_FOUND", region=code)
    return found[0]


@service
def children(session: Session, actor: Actor, code: str, *, plan_id: int | None = None) -> tuple[RegionInfo, ...]:
    """The regions directly below ``code`` that the reader may see."""
    actor.require(Role.VIEWER)
    return _totals(session, actor, plan_id, parent=code)


@service
def breadcrumb(session: Session, actor: Actor, code: str) -> tuple[Crumb, ...]:
    """From the county down to ``code``; regions above the reader's own by name only. Raises ``NotFound``."""
    actor.require(Role.VIEWER)
    if not any(overlap(subtree(code) or "", prefix) for prefix in actor.prefixes(Role.VIEWER)):
        raise NotFound("REGION_NOT_FOUND", region=code)
    rows = session.execute(query("regions", "breadcrumb"), {"code": code}).all()
    if not rows:
        raise NotFound("REGION_NOT_FOUND", region=code)
    return tuple(Crumb(row.code, row.name, row.level, actor.may(Role.VIEWER, row.code)) for row in rows)


@service
def outlines(session: Session, actor: Actor, *, level: str | None = None, within: str | None = None) -> dict[str, Any]:
    """Borders as a GeoJSON FeatureCollection (lon/lat, EPSG:4490), with code, name, level and settlement.

    ``level`` "county" also shows the counties above the reader's regions; ``within`` is a region code or prefix.
    """
    actor.require(Role.VIEWER)
    prefixes = list(actor.prefixes(Role.VIEWER))
    if level == "county":
        rows = session.execute(query("regions", "county_outlines"), {"prefixes": prefixes})
    else:
        values = {"level": level, "within": subtree(within), "prefixes": prefixes}
        rows = session.execute(query("regions", "outlines"), values)
    features = [
        {
            "type": "Feature",
            "id": row.code,
            "geometry": json.loads(row.geojson),
            "properties": {"code": row.code, "name": row.name, "level": row.level, "settlement": row.settlement},
        }
        for row in rows
    ]
    return {"type": "FeatureCollection", "features": features}


def _totals(
    session: Session, actor: Actor, plan_id: int | None, *, code: str | None = None, parent: str | None = None
) -> tuple[RegionInfo, ...]:
    if plan_id is None:
        plan_id = shown(session, actor, subtree(code or parent))
    else:
        visible(session, actor, plan_id)
    prefixes = actor.prefixes(Role.VIEWER)
    values = {"code": code, "parent": parent, "plan": plan_id, "prefixes": list(prefixes)}

    def read() -> tuple[RegionInfo, ...]:
        rows = session.execute(query("regions", "totals"), values).mappings()
        return tuple(_info(dict(row), veiled=veils(actor, subtree(row["code"]) or "")) for row in rows)

    return _kept.get((*state_of_all(session), code, parent, plan_id, actor.grants), read)


def _info(values: dict[str, Any], *, veiled: bool) -> RegionInfo:
    shown, households = values.pop("shown"), values["households"]
    share = values["estimated_households"] / households if households else 0.0
    if veiled:
        values["estimated_households"], share = None, rounded(share)
        values |= {"households": None, "population": None} if shown is None or shown < 0 else {"households": shown}
    box = values.pop("west"), values.pop("south"), values.pop("east"), values.pop("north")
    statuses = {status: values.pop(status) for status in STATUSES}
    return RegionInfo(**values, bbox=box, statuses=statuses, estimated_share=share)
