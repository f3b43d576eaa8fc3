"""Hot spots of released figures, for whoever may not see exact ones: computed from what is published and nothing else.

A grid that shows "<5" counts as two cases, one that is withheld as the rate of all gives its households: the same for
everybody, made from the publication, so nothing more follows from it than from the publication itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.cases import released
from gridmap.services.cases.grids import grid_table, neighbours
from gridmap.services.incidents.spots import among, tested
from gridmap.services.incidents.words import where

if TYPE_CHECKING:
    from geodata.redraw.model import Ints

SPOTS_MAX = 10
_SMALL = 2


@dataclass(frozen=True, slots=True)
class ReleasedSpot:
    """Neighbouring grids (id, code, community) with far more cases than others: ``cases`` that are shown of them.

    ``ratio``: to the rate of all; ``whole`` where no grid of it is withheld.
    """

    grids: tuple[tuple[int, str, str], ...]
    cases: int
    whole: bool
    ratio: float
    sentence: str


@service
def released_spots(
    session: Session, actor: Actor, *, since: str | None = None, until: str | None = None, region: str | None = None
) -> tuple[ReleasedSpot, ...]:
    """Hot spots of released months, the most cases beyond expectation first. Raises as ``released.figures``."""
    from geodata.incidents.hotspots import hot_spots

    actor.require(Role.VIEWER)
    found = released.figures.within(session, actor, since=since, until=until, region=region)
    rows = {row.grid_id: row for row in found.rows}
    if found.plan_id is None or not any(row.households for row in found.rows):
        return ()
    table = grid_table(session, found.plan_id)
    seen = np.array([k for k, number in enumerate(table.id.tolist()) if number in rows], dtype=np.int64)
    own = [rows[number] for number in table.id[seen].tolist()]
    cases, homes = _filled(own)
    i, j = among(neighbours(session, found.plan_id), seen, len(table.id))
    local, _ = tested(cases, homes, i, j)
    made = []
    for one in hot_spots(cases, homes, i, j, local)[:SPOTS_MAX]:
        parts = [own[k] for k in one.grids.tolist()]
        names = {int(table.id[seen[k]]): table.region_name[seen[k]] or "" for k in one.grids.tolist()}
        grids = tuple((row.grid_id or 0, row.code, names[row.grid_id or 0]) for row in parts)
        known = sum(row.cases for row in parts if row.cases is not None)
        whole = all(row.cases is not None for row in parts)
        ratio = round(float(one.ratio), 1)
        told = messages.sentence(
            "SPOT_RELEASED" if whole else "SPOT_RELEASED_LEAST",
            actor.locale, where=where(grids, actor.locale), cases=f"{known:,}", ratio=f"{ratio:.1f}")  # fmt: skip
        made.append(ReleasedSpot(grids, known, whole, ratio, told))
    return tuple(made)


def _filled(rows: Sequence[released.Figure]) -> tuple[Ints, Ints]:
    """Cases and households of grids, with something in the place of what is withheld."""
    shown = [row.households for row in rows if row.households is not None]
    usual = int(np.median(shown)) if shown else 0
    homes = [
        usual if row.households_text == "—" else _SMALL if row.households is None else row.households for row in rows
    ]
    both = [(row.cases, home) for row, home in zip(rows, homes, strict=True) if row.cases is not None]
    rate = sum(n for n, _ in both) / max(sum(home for _, home in both), 1)
    cases = [
        row.cases if row.cases is not None else _SMALL if row.text == "<5" else round(rate * home)
        for row, home in zip(rows, homes, strict=True)
    ]
    return np.array(cases, dtype=np.int64), np.array(homes, dtype=np.int64)
