"""Households of small grids: below 5 "<5" to those who only look, and with them the grids that would give them away.

Which other grids are withheld is decided once for a plan in force (:func:`publish`), with the rule of releases. What is
covered by that and what is not is told in docs/privacy.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.models import HouseholdPlace
from gridmap.services.actor import Actor
from gridmap.services.versions import raise_version

#: Counts below this are small.
LEAST = 5
_VEILED = ("households", "population", "estimated_households", "missing_households")


def veils(actor: Actor, prefix: str) -> bool:
    """Whether small households of a plan of the region ``prefix`` are withheld from the actor."""
    return not actor.sees_households(prefix)


def veiled(row: dict[str, Any]) -> dict[str, Any]:
    """A row with ``hidden`` and ``published`` as it may be shown; ``households_text``: a number, "<5" or "—"."""
    hidden, published = row.pop("hidden"), row.pop("published")
    if not hidden:
        return row | {"households_text": str(row["households"])}
    small = published == -1 or (published is None and row["households"] < LEAST)
    return row | dict.fromkeys(_VEILED) | {"households_text": "<5" if small else "—"}


def publish(session: Session, plan_id: int) -> bool:
    """Decide once which grids of a plan are withheld; False where that was done."""
    from geodata.privacy.suppress import suppress
    from geodata.privacy.trees import Tree
    from gridmap.services.cases.town import SMALL, WITHHELD, town

    if session.scalar(sa.select(sa.exists().where(HouseholdPlace.plan_id == plan_id))):
        return False
    places = town(session, plan_id)
    counts = np.zeros((len(places.tree), 1), dtype=np.int64)
    for node, households in places.households.items():
        counts[node, 0] += households
    out = suppress(places.tree.fill(counts), places.tree, Tree.of([-1]))
    shown = np.where(out.state == 0, out.counts, np.where(out.state == 1, SMALL, WITHHELD))[:, 0]
    places.write(session, HouseholdPlace.__tablename__, shown, plan_id=[plan_id] * len(places.rows))
    raise_version(session, "plans")
    return True
