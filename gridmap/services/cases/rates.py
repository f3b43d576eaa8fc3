"""Cases per 1,000 households of a plan's grids, raw and smoothed, all of them or those in view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import SRID, Grid
from gridmap.services import heat
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.grids import GridTable, count_by_grid

_ALL = CaseFilter()


@dataclass(frozen=True, slots=True)
class GridRates:
    """``rows`` as of :func:`by_grid`, each with ``smoothed``, the most cases first; of ``grids`` with ``cases`` in all.

    ``unplaced`` of a row's cases were put down on one point because their address was not found: they count, but they
    need not have happened there.
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
    order: str = "cases",
    limit: int | None = None,
) -> GridRates:
    """Cases by grid of a plan within ``wanted.region``, with rates smoothed by empirical Bayes over all of them.

    The first ``limit`` rows by ``order`` ("cases", "per_1000_households", "smoothed"; the most first) are given;
    ``bounds`` (west, south, east, north in degrees) keeps those of grids that touch it; a grid's rate is the same
    whatever is in view. Raises ``NotFound`` PLAN_NOT_FOUND.
    """
    from geodata.incidents.rates import rates

    table, cases = count_by_grid(session, actor, plan_id, wanted)
    seen = table.by_code[(table.seen_by(actor) & table.within(wanted.region))[table.by_code]]
    found = rates(cases[seen], table.households[seen])
    by = {"cases": cases[seen], "per_1000_households": found.raw, "smoothed": found.smoothed}[order]
    lived = table.households[seen] > 0
    rated = by if order == "cases" else np.where(lived, by, -1.0)  # no households, no rate: last
    chosen = np.lexsort((-cases[seen], -rated))  # where they are equal by cases, then by code
    if bounds is not None:
        box = sa.func.ST_MakeEnvelope(*bounds, SRID)
        near = session.scalars(sa.select(Grid.id).where(Grid.plan_id == plan_id, Grid.geom.op("&&")(box))).all()
        chosen = chosen[np.isin(table.id[seen[chosen]], near)]
    elsewhere = np.zeros_like(cases)
    if heat.known_stacks(session).unplaced.any():
        elsewhere = cases - count_by_grid(session, actor, plan_id, replace(wanted, placed=True))[1]
    rows = [
        _row(table, cases, seen[k], found.raw[k], found.smoothed[k], int(elsewhere[seen[k]]))
        for k in chosen[:limit].tolist()
    ]
    mean = None if np.isnan(found.mean) else round(found.mean, 2)
    return GridRates(rows=tuple(rows), grids=len(seen), cases=int(cases[seen].sum()), mean=mean)


def _row(
    table: GridTable, cases: NDArray[np.int64], k: int, raw: float, smoothed: float, unplaced: int
) -> Mapping[str, Any]:
    lived = int(table.households[k]) > 0
    return {
        "grid_id": int(table.id[k]),
        "code": table.code[k],
        "name": table.name[k],
        "kind": table.kind[k],
        "households": int(table.households[k]),
        "region_code": table.region_code[k],
        "region_name": table.region_name[k],
        "cases": int(cases[k]),
        "per_1000_households": round(float(raw), 2) if lived else None,
        "smoothed": round(float(smoothed), 2) if lived else None,
        "unplaced": unplaced,
    }
