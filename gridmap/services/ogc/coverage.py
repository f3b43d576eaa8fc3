"""Coverage of counties, subdistricts and communities as features: their borders with the sums of what is in force."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.coverage.sums import RegionCoverage, summed
from gridmap.services.days import today
from gridmap.services.ogc.pages import Bounds, FeaturePage, Part, box, cut, planned
from gridmap.services.plans.access import subtree
from gridmap.services.plans.force import Span, in_force
from gridmap.sql import query

#: Levels of regions and the digits that codes of each share.
LEVELS: Mapping[str, int] = {"county": 6, "subdistrict": 9, "community": 12}
_SUMS = (
    *("grids", "within", "under", "over", "empty", "unchecked", "unavoidable", "households", "population"),
    *("people_in_crowded", "uncovered_buildings", "uncovered_households"),
)


@service
def areas(
    session: Session,
    actor: Actor,
    level: str,
    *,
    part: Part | None = None,
    span: Span | None = None,
    bounds: Bounds | None = None,
    region: str | None = None,
) -> FeaturePage:
    """Regions of a level that the reader sees whole, in order of code, with the sums of the last day of ``span``."""
    actor.require(Role.VIEWER)
    return _page(session, actor, level, part or Part(), span, bounds, {"region": region})


@service
def area(session: Session, actor: Actor, level: str, code: str, *, span: Span | None = None) -> str:
    """One region as a GeoJSON feature. Raises ``NotFound`` OGC_NO_FEATURE."""
    actor.require(Role.VIEWER)
    found = _page(session, actor, level, Part(1), span, None, {"id": code, "region": code})
    if not found.features:
        raise NotFound("OGC_NO_FEATURE", feature=code)
    return found.features[0]


def _page(
    session: Session,
    actor: Actor,
    level: str,
    part: Part,
    span: Span | None,
    bounds: Bounds | None,
    chosen: Mapping[str, str | None],
) -> FeaturePage:
    planned(session)
    region = subtree(chosen["region"])
    values = {"id": None, **chosen, **box(bounds), "level": level, "region": region}
    codes = session.scalars(query("ogc", "region_codes"), values | {"patterns": actor.patterns(Role.VIEWER)}).all()
    here, before, after = cut(codes, part, str)
    day = span.day if span else today()
    plans = in_force(session, actor, Span(day, day))
    sums = {}
    if codes[here]:
        rows = summed(session, actor, [plan.id for plan in plans], region or "", LEVELS[level])
        sums = {row.code: row for row in rows}
    features = []
    for row in session.execute(query("ogc", "outlines"), {"codes": list(codes[here])}):
        said = sums.get(row.code)
        told = [plan.name for plan in plans if row.code.startswith(plan.prefix) or plan.prefix.startswith(row.code)]
        facts = {"settlement": row.settlement, "area_m2": row.area_m2, "plan_name": "、".join(told) or None}
        features.append(_feature(row.code, level, said, facts, day.isoformat(), row.geometry))
    return FeaturePage(tuple(features), len(codes), before, after)


def _feature(
    code: str, level: str, said: RegionCoverage | None, facts: Mapping[str, object], day: str, geometry: str
) -> str:
    """``said`` None: no community lies there yet."""
    properties: dict[str, object] = {"code": code, "name": said.name if said else None, "level": level, **facts}
    properties |= {"date": day}
    properties |= {name: getattr(said, name) if said else 0 for name in _SUMS}
    grids = said.grids if said else 0
    properties |= {
        "share_within": round(said.within / grids, 4) if said and grids else None,
        "estimated_share": round(said.estimated_share, 4) if said and said.households else None,
        "oldest_data": said.oldest.isoformat() if said and said.oldest else None,
        "newest_data": said.newest.isoformat() if said and said.newest else None,
    }
    text = json.dumps(properties, ensure_ascii=False)
    return f'{{"type":"Feature","id":"{code}","properties":{text},"geometry":{geometry}}}'
