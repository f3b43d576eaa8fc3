"""Exact counts of cases in the squares of the map, of what the reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.heat import keeper
from gridmap.services.heat.chosen import choice, where
from gridmap.services.mapdata import Bounds
from gridmap.services.sensitive import sensitive
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Bins, Wanted


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
    placed: bool = False,
) -> Bins:
    """Cases in ``bounds`` (west, south, east, north in degrees; west and south belong to it) by square of the web map.

    2**``level`` squares span the world. ``since`` belongs to the span, ``until`` does not. ``categories`` None or empty
    are all, ``region`` is a code and stands for its subtree. All that is committed is counted, but no sensitive
    category; with ``placed`` without cases that only stand where they do because their place was not found
    (:mod:`gridmap.services.heat.stacks`). Raises ``Forbidden`` CASES_SMALL_NUMBERS; ``Invalid`` (HEAT_RANGE) for naive
    times, a span or bounds that make no sense, too fine a level or too many squares.
    """
    from geodata.heat import Wanted

    actor.require(Role.VIEWER)
    kept = keeper.current(session)
    chosen = choice(session, actor, kept, since, until, categories, region)
    wanted = Wanted(bounds, level, chosen.since, chosen.until, chosen.categories, chosen.regions)
    try:
        if kept is None:
            return _of_postgis(session, wanted, where(actor, region) | {"since": since, "until": until}, placed)
        found = kept.store.bins(wanted)
        kept.tail.add(found, wanted)
        if placed:
            kept.unplaced.add(found, wanted)
    except ValueError as error:
        raise Invalid("HEAT_RANGE") from error
    return found


def _of_postgis(session: Session, wanted: Wanted, asked: dict[str, object], placed: bool) -> Bins:
    """The same from the table itself, where there is no store."""
    from geodata.heat import Cases, Wanted, bins_of

    box = dict(zip(("west", "south", "east", "north"), wanted.bounds, strict=True))
    kinds = {"categories": None if wanted.categories is None else list(wanted.categories), "sensitive": sensitive()}
    points = bulk.packed(session, query("heat", "view"), asked | box | kinds, width=2)
    if placed:
        known = keeper.known_stacks(session)
        points = points[~np.append(known.unplaced, False)[known.of(points[:, 0], points[:, 1])]]
    none = np.zeros(len(points), dtype=np.int64)
    cases = Cases(points[:, 0].copy(), points[:, 1].copy(), none, none, none, ("",), (0,))
    return bins_of(cases, Wanted(wanted.bounds, wanted.level))
