"""Households of small grids: below 5 "<5" to those who only look, and with them the grids that would give them away.

Which others are withheld is decided for all plans that were in force together
(:mod:`gridmap.services.plans.households`); drafts are not shown to them at all, nor anything finer than a grid or the
difference of two plans (docs/privacy.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from gridmap.errors import Forbidden
from gridmap.services.actor import Actor, Role
from gridmap.sql import query

#: Counts below this are small.
LEAST = 5
#: How a cell that is not shown stands in a table: "<5", withheld.
SMALL, WITHHELD = -1, -2
#: The level of what lies in no grid.
OUTSIDE = "outside"
#: A share that is told instead of a count of estimates is rounded to so much.
_STEP = 0.05
_VEILED = ("households", "population", "estimated_households", "missing_households")


def veils(actor: Actor, prefix: str) -> bool:
    """Whether small households of a plan of the region ``prefix`` are withheld from the actor."""
    return not actor.sees_households(prefix)


def require_households(actor: Actor, prefix: str) -> None:
    """Raise ``Forbidden`` HOUSEHOLDS_FEW where small households of a region are withheld from the actor."""
    if veils(actor, prefix):
        raise Forbidden("HOUSEHOLDS_FEW")


def veiled(row: dict[str, Any]) -> dict[str, Any]:
    """A row with ``hidden`` and ``published`` as it may be shown; ``households_text``: a number, "<5" or "—"."""
    hidden, published = row.pop("hidden"), row.pop("published")
    if not hidden:
        return row | {"households_text": str(row["households"])}
    return row | dict.fromkeys(_VEILED) | {"households_text": "<5" if published == -1 else "—"}


def withheld_sums(session: Session, plans: Sequence[int], actor: Actor) -> dict[int, set[str]]:
    """By plan: communities (codes) where the reader may look whose households in grids, and in none, are not told."""
    out: dict[int, set[str]] = {plan: set() for plan in plans}
    keys = {"plans": list(plans), "patterns": actor.patterns(Role.VIEWER)}
    for row in session.execute(query("households", "withheld_sums"), keys):
        out[row.plan_id].add(row.region_code)
    return out


def rounded(share: float) -> float:
    """A share of estimated households as those see it who are told no small counts: to 5 per cent."""
    return round(round(share / _STEP) * _STEP, 2)
