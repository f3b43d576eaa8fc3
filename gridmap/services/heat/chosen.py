"""Which cases are asked for, as a store takes it: within the regions of whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree
from gridmap.services.sensitive import plain
from gridmap.services.sight import require_exact
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Choice
    from gridmap.services.heat.keeper import Kept

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def choice(
    session: Session,
    actor: Actor,
    kept: Kept | None,
    since: datetime | None = None,
    until: datetime | None = None,
    categories: Sequence[str] | None = None,
    region: str | None = None,
) -> Choice:
    """The choice of a reader; ``region`` is a code and stands for its subtree, no categories are all but the sensitive.

    Of ``kept``, or of what SQL makes of it, which leaves the sensitive categories out by itself. Every exact figure of
    a store passes here: raises ``Forbidden`` CASES_SMALL_NUMBERS; ``Invalid`` (HEAT_RANGE) as :func:`check_span`.
    """
    from geodata.heat import Choice

    require_exact(actor, region)
    check_span(since, until)
    if kept is None:
        kinds = tuple(categories) if categories else None
    else:
        kinds = plain(categories, (*kept.store.categories, *kept.tail.categories))
    everywhere = actor.everywhere(Role.VIEWER) and region is None
    return Choice(
        since=None if since is None else micros(since),
        until=None if until is None else micros(until),
        categories=kinds,
        regions=None if everywhere else session.scalars(query("heat", "regions"), where(actor, region)).all(),
    )


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raise ``Invalid`` (HEAT_RANGE) for times without a zone, or a span that ends before it begins."""
    spans = [moment for moment in (since, until) if moment is not None]
    if any(moment.tzinfo is None for moment in spans) or (len(spans) == 2 and spans[0] >= spans[1]):
        raise Invalid("HEAT_RANGE")


def where(actor: Actor, region: str | None) -> dict[str, object]:
    """The same place as SQL takes it."""
    return {"patterns": actor.patterns(Role.VIEWER), "region": subtree(region)}


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
