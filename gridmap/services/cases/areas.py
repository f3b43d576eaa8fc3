"""Cases and rates by community, where a view holds more grids than are drawn one by one."""

from __future__ import annotations

import json

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Region
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.grids import count_by_grid
from gridmap.services.coverage.areas import borders
from gridmap.services.mapdata import MAX_FEATURES

#: Digits of the codes of communities, and of subdistricts, which stand for them where there are too many.
_COMMUNITY, _SUBDISTRICT = 12, 9


@service
def case_areas(session: Session, actor: Actor, plan_id: int, wanted: CaseFilter) -> str:
    """The communities that hold grids of a plan, with the cases in these, as GeoJSON (text; EPSG:4490).

    Each has ``grids``, ``cases``, ``households``, and ``smoothed``: cases per 1,000 households, drawn to the rate of
    all by empirical Bayes, null without households. Beyond 2,000 communities: subdistricts. Raises ``NotFound``
    PLAN_NOT_FOUND, ``Forbidden`` CASES_SMALL_NUMBERS.
    """
    from geodata.incidents.rates import rates

    table, cases = count_by_grid(session, actor, plan_id, wanted)
    homed = np.array([code is not None for code in table.region_code], dtype=bool)
    seen = np.flatnonzero(homed & table.seen_by(actor) & table.within(wanted.region))
    codes = table.region_code[seen].astype(f"U{_COMMUNITY}")
    if len(np.unique(codes)) > MAX_FEATURES:
        codes = codes.astype(f"U{_SUBDISTRICT}")
    parts, of = np.unique(codes, return_inverse=True)
    sums = [
        np.bincount(of, values[seen], len(parts)).astype(np.int64)
        for values in (cases, table.households, np.ones(len(table.id)))
    ]
    found = rates(sums[0], sums[1])
    shapes = borders(session, parts.tolist())
    named = session.execute(sa.select(Region.prefix, Region.code, Region.name).where(Region.prefix.in_(parts.tolist())))
    name_of = {row.prefix: row for row in named}
    features = []
    for k, part in enumerate(parts.tolist()):
        told = {
            "code": name_of[part].code, "name": name_of[part].name, "cases": int(sums[0][k]),
            "households": int(sums[1][k]), "grids": int(sums[2][k]),
            "smoothed": round(float(found.smoothed[k]), 2) if sums[1][k] else None,
        }  # fmt: skip
        said = json.dumps(told, ensure_ascii=False)
        features.append(f'{{"type":"Feature","id":"{told["code"]}","properties":{said},"geometry":{shapes[part]}}}')
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'
