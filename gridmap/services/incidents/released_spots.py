"""Hot spots of released figures, for whoever may not see exact ones: computed from what is published and nothing else.

A grid that shows "<5" counts as two cases, one that is withheld as the rate of all gives its households: the same for
everybody, made from the publication, so nothing more follows from it than from the publication itself.
"""

from __future__ import annotations

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
from gridmap.services.plans.small import SMALL, WITHHELD

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
    found, plan_id = released.of_grids(session, actor, since=since, until=until, region=region)
    if plan_id is None or not (found.households > 0).any():
        return ()
    table = grid_table(session, plan_id)
    # what the publication knows of the grids that still are
    order = np.argsort(found.grid_id)
    at = np.minimum(np.searchsorted(found.grid_id[order], table.id), len(order) - 1)
    seen = np.flatnonzero(found.grid_id[order][at] == table.id)
    own = order[at[seen]]
    cases, homes = _filled(found.cases[own], found.households[own])
    i, j = among(neighbours(session, plan_id), seen, len(table.id))
    local, _ = tested(cases, homes, i, j)
    made = []
    for one in hot_spots(cases, homes, i, j, local)[:SPOTS_MAX]:
        told = found.cases[own[one.grids]]
        names = [table.region_name[k] or "" for k in seen[one.grids].tolist()]
        codes = found.code[own[one.grids]].tolist()
        grids = tuple(zip(found.grid_id[own[one.grids]].tolist(), codes, names, strict=True))
        known = int(told[told >= 0].sum())
        whole = bool((told >= 0).all())
        ratio = round(float(one.ratio), 1)
        said = messages.sentence(
            "SPOT_RELEASED" if whole else "SPOT_RELEASED_LEAST",
            actor.locale, where=where(grids, actor.locale), cases=f"{known:,}", ratio=f"{ratio:.1f}")  # fmt: skip
        made.append(ReleasedSpot(grids, known, whole, ratio, said))
    return tuple(made)


def _filled(cases: Ints, households: Ints) -> tuple[Ints, Ints]:
    """Cases and households of grids, with something in the place of what is withheld."""
    shown = households[households >= 0]
    usual = int(np.median(shown)) if len(shown) else 0
    homes = np.where(households == WITHHELD, usual, np.where(households < 0, _SMALL, households))
    rate = int(cases[cases >= 0].sum()) / max(int(homes[cases >= 0].sum()), 1)
    filled = np.where(cases >= 0, cases, np.where(cases == SMALL, _SMALL, np.round(rate * homes).astype(np.int64)))
    return filled, homes
