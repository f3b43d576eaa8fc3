"""Exact sums of cases by time and by unit from the store: milliseconds for millions of cases. None where there is none.

What a store does not hold (cases without a place or a region) is not in these sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.services.actor import Actor
from gridmap.services.heat import keeper
from gridmap.services.heat.chosen import choice
from gridmap.settings import settings

if TYPE_CHECKING:
    from geodata.heat import Choice, Slots

Ints = NDArray[np.int64]
_MONTH_US = 30 * 86_400_000_000


class Span(NamedTuple):
    """Which cases: as :func:`gridmap.services.heat.bins` takes them."""

    since: datetime | None = None
    until: datetime | None = None
    categories: Sequence[str] | None = None
    region: str | None = None


def by_calendar(session: Session, actor: Actor, asked: Span) -> tuple[dict[str, Ints], tuple[str, ...]] | None:
    """Counts (months, 168) of each category by month and hour of the week, local time, and the months' names."""
    from geodata.heat import calendar

    kept = keeper.current(session)
    if kept is None:
        return None
    wanted = choice(session, actor, kept, *asked)
    reach = _reach(kept, wanted)
    if reach is None:
        return {}, ()
    try:
        # rounded, so that the table of a sliding span is made once
        first, last = reach[0] // _MONTH_US * _MONTH_US, (reach[1] // _MONTH_US + 1) * _MONTH_US
        slots, months = calendar(first, last, settings().time_zone)
        found = _counted(kept, wanted, slots)
    except ValueError:  # cases of a time when clocks were other than now
        return None
    return {name: counts.reshape(len(months), -1) for name, counts in found.items()}, months


def by_quarter(session: Session, actor: Actor, asked: Span) -> tuple[Ints, Ints] | None:
    """Beginnings of the quarters of an hour (seconds since 1970) in which something happened, and how many cases.

    Clocks differ by whole quarters: any histogram with edges at full hours, days or months follows exactly.
    """
    from geodata.heat import QUARTER_S, quarters

    kept = keeper.current(session)
    if kept is None:
        return None
    wanted = choice(session, actor, kept, *asked)
    reach = _reach(kept, wanted)
    none = np.empty(0, dtype=np.int64)
    if reach is None:
        return none, none
    try:
        slots = quarters(*reach)
        counts = sum(_counted(kept, wanted, slots).values(), np.zeros(slots.size, dtype=np.int64))
    except ValueError:
        return None
    held = np.flatnonzero(counts)
    return slots.first + held * QUARTER_S, counts[held]


def by_unit(session: Session, actor: Actor, asked: Span, *, placed: bool = False) -> tuple[Ints, Ints] | None:
    """Ids of units (ascending, 0: in none) and their cases; ``placed``: without those whose place was not found."""
    kept = keeper.current(session)
    if kept is None:
        return None
    wanted = choice(session, actor, kept, *asked)
    parts = [kept.store.units(wanted), kept.tail.units(wanted)]
    if placed:
        parts.append(kept.unplaced.units(wanted))
    ids, of = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    sums = np.bincount(of, weights=np.concatenate([part[1] for part in parts]), minlength=len(ids))
    return ids, sums.astype(np.int64)


def by_category(session: Session, actor: Actor, asked: Span) -> dict[str, int] | None:
    """Cases of each category."""
    found = by_calendar(session, actor, asked)
    return None if found is None else {name: int(table.sum()) for name, table in found[0].items()}


def by_region(session: Session, actor: Actor, asked: Span) -> dict[int, int] | None:
    """Cases of each region (id)."""
    kept = keeper.current(session)
    if kept is None:
        return None
    wanted = choice(session, actor, kept, *asked)
    found = Counter(kept.store.in_regions(wanted))
    found.update(kept.tail.in_regions(wanted))
    return {region: cases for region, cases in found.items() if cases}


def _counted(kept: keeper.Kept, wanted: Choice, slots: Slots) -> dict[str, Ints]:
    names, table = kept.store.slots(wanted, slots)
    found = dict(zip(names, table, strict=True))
    for name, counts in kept.tail.slots(wanted, slots).items():
        found[name] = found[name] + counts if name in found else counts
    return {name: counts for name, counts in found.items() if counts.any()}


def _reach(kept: keeper.Kept, wanted: Choice) -> tuple[int, int] | None:
    """The first and the last moment that a chosen case can have; None where there is no case."""
    of, at = kept.store.columns, kept.tail.changes.at
    ends = [
        *((of.period_first[0], of.period_last[-1]) if kept.store.cases else ()),
        *at[:1].tolist(),
        *at[-1:].tolist(),
    ]
    since, until = wanted.span
    first, last = (max(int(min(ends)), since), min(int(max(ends)), until - 1)) if ends else (0, -1)
    return (first, last) if first <= last else None
