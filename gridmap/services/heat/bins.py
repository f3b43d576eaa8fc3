"""Exact counts of cases in the squares of the map, of what the reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.cases.sensitive import plain, sensitive
from gridmap.services.cases.sight import require_exact
from gridmap.services.heat import keeper
from gridmap.services.mapdata import Bounds
from gridmap.services.plans.access import subtree
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Bins

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@service
def bins(
    session: Session,
    actor: Actor,
    bounds: Bounds,
    level: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    categories: Sequence[str] | None = None,
    region: str | None = None,
) -> Bins:
    """Cases in ``bounds`` (west, south, east, north in degrees; west and south belong to it) by square of the web map.

    2**``level`` squares span the world. ``since`` belongs to the span, ``until`` does not. ``categories`` None or empty
    are all, ``region`` is a code and stands for its subtree. All that is committed is counted, but no sensitive
    category. Raises ``Forbidden`` CASES_SMALL_NUMBERS; ``Invalid`` (HEAT_RANGE) for naive times, a span or bounds that
    make no sense, too fine a level or too many squares.
    """
    from geodata.heat import Wanted

    require_exact(actor, region)
    spans = [moment for moment in (since, until) if moment is not None]
    if any(moment.tzinfo is None for moment in spans) or (len(spans) == 2 and spans[0] >= spans[1]):
        raise Invalid("HEAT_RANGE")
    kept = keeper.current(session)
    try:
        if kept is None:
            return _of_postgis(session, actor, bounds, level, since, until, categories, region)
        everywhere = actor.everywhere(Role.VIEWER) and region is None
        wanted = Wanted(
            bounds=bounds,
            level=level,
            since=None if since is None else _micros(since),
            until=None if until is None else _micros(until),
            categories=plain(categories, (*kept.store.categories, *kept.tail.categories)),
            regions=None if everywhere else session.scalars(query("heat", "regions"), _where(actor, region)).all(),
        )
        found = kept.store.bins(wanted)
        kept.tail.add(found, wanted)
    except ValueError as error:
        raise Invalid("HEAT_RANGE") from error
    return found


def _of_postgis(
    session: Session,
    actor: Actor,
    bounds: Bounds,
    level: int,
    since: datetime | None,
    until: datetime | None,
    categories: Sequence[str] | None,
    region: str | None,
) -> Bins:
    """The same from the table itself, where there is no store."""
    from geodata.heat import Cases, Wanted, bins_of

    west, south, east, north = bounds
    chosen = {
        "since": since,
        "until": until,
        "categories": list(categories) if categories else None,
        "sensitive": sensitive(),
    }
    box = {"west": west, "south": south, "east": east, "north": north}
    points = bulk.packed(session, query("heat", "view"), {**box, **chosen, **_where(actor, region)}, width=2)
    none = np.zeros(len(points), dtype=np.int64)
    cases = Cases(points[:, 0].copy(), points[:, 1].copy(), none, none, none, ("",), (0,))
    return bins_of(cases, Wanted(bounds, level))


def _where(actor: Actor, region: str | None) -> dict[str, object]:
    return {"patterns": actor.patterns(Role.VIEWER), "region": subtree(region)}


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
