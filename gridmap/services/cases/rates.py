"""Cases per 1,000 households of a plan's grids, raw and smoothed, all of them or those in view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import SRID, Grid
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.read import by_grid
from gridmap.services.plans.access import subtree, visible

_ALL = CaseFilter()


@dataclass(frozen=True, slots=True)
class GridRates:
    """``rows`` as of :func:`by_grid`, each with ``smoothed``, the most cases first; of ``grids`` with ``cases`` in all.

    ``mean``: cases per 1,000 households of all these grids together; None where nobody lives.
    """

    rows: tuple[Mapping[str, Any], ...]
    grids: int
    cases: int
    mean: float | None


@service
def rates_by_grid(
    session: Session,
    actor: Actor,
    plan_id: int,
    wanted: CaseFilter = _ALL,
    *,
    bounds: tuple[float, float, float, float] | None = None,
) -> GridRates:
    """Cases by grid of a plan within ``wanted.region``, with rates smoothed by empirical Bayes over all of them.

    ``bounds`` (west, south, east, north in degrees) keeps the rows of grids that touch it; a grid's rate is the same
    whatever is in view. Raises ``NotFound`` PLAN_NOT_FOUND.
    """
    from geodata.incidents.rates import rates

    visible(session, actor, plan_id)
    within = subtree(wanted.region) or ""
    rows = [
        row
        for row in by_grid.within(session, actor, plan_id, wanted)
        if (row["region_code"] or row["code"]).startswith(within)
    ]
    found = rates([row["cases"] for row in rows], [row["households"] for row in rows])
    smoothed = [
        {**row, "smoothed": round(rate, 2) if row["households"] else None}
        for row, rate in zip(rows, found.smoothed.tolist(), strict=True)
    ]
    kept = smoothed
    if bounds is not None:
        box = sa.func.ST_MakeEnvelope(*bounds, SRID)
        seen = set(session.scalars(sa.select(Grid.id).where(Grid.plan_id == plan_id, Grid.geom.op("&&")(box))))
        kept = [row for row in smoothed if row["grid_id"] in seen]
    return GridRates(
        rows=tuple(kept),
        grids=len(rows),
        cases=sum(row["cases"] for row in rows),
        mean=None if np.isnan(found.mean) else round(found.mean, 2),
    )
