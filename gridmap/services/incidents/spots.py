"""Named hot spots of a plan's grids: rates that are too high for chance, compared with the period before.

Cases per household are smoothed (geodata.incidents.rates), tested with those of the grids beside (Gi*, with control of
false finds) and grouped. Points where cases were put down whose place was not found are left out of it and told by
themselves: the office of a community would else be the hottest spot of town.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import engine, service
from gridmap.db.models import SRID, Case
from gridmap.services import heat
from gridmap.services.actor import Actor, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.filters import condition
from gridmap.services.cases.grids import GridTable, count_by_grid, neighbours
from gridmap.services.incidents.words import sentence
from gridmap.services.kept import Kept
from gridmap.services.plans.access import subtree, visible
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact, require_raw
from gridmap.services.versions import versions

if TYPE_CHECKING:
    from geodata.incidents.hotspots import HotSpot, Local
    from geodata.redraw.model import Ints

#: So many hot spots, categories and places of one are told.
SPOTS_MAX, KINDS_MAX, PLACES_MAX = 20, 3, 3
#: Of so many grids of a hot spot, those with most cases, categories and places are looked up.
GRIDS_MAX = 8
#: Answers that a process keeps while neither plan nor cases change.
_kept: Kept[HotSpots] = Kept(32)


@dataclass(frozen=True, slots=True)
class Spot:
    """A hot spot, or one of the period before that faded.

    ``grids``: id, code and community of its grids, those with most cases first. ``rate`` per 1,000 households,
    ``detailed``: cases of its busiest :data:`GRIDS_MAX` grids, of which ``categories`` and ``places`` are told;
    ``ratio`` to that of all grids, ``excess``: cases beyond it; ``q``: share of false finds among spots as sure as
    this. ``kind``: new, lasting, fading, None without a period before; ``before``: cases then.
    """

    grids: tuple[tuple[int, str, str], ...]
    kind: str | None
    cases: int
    before: int | None
    households: int
    rate: float | None
    ratio: float | None
    excess: float
    q: float
    detailed: int
    categories: tuple[tuple[str, int], ...]
    places: tuple[tuple[str, int], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Many cases on one point: its most frequent place name (None where none is written), how many there are, degrees.

    ``unplaced``: so many names say that it is not where these cases happened; they are in no hot spot.
    """

    place: str | None
    lonlat: tuple[float, float]
    cases: int
    addresses: int
    unplaced: bool


@dataclass(frozen=True, slots=True)
class HotSpots:
    """Hot spots, the most cases beyond expectation first, then those that fade; ``stacks`` as they are told.

    ``rate``: cases per 1,000 households in all grids. ``grids`` took part in the test; ``compared``: with the period
    ``before`` (its bounds). Without ``raw`` places and stacked addresses are not told: they are single cases.
    """

    spots: tuple[Spot, ...]
    stacks: tuple[Stack, ...]
    rate: float | None
    grids: int
    before: tuple[datetime, datetime] | None
    raw: bool


@service
def hot_spots(session: Session, actor: Actor, plan_id: int, wanted: CaseFilter) -> HotSpots:
    """Where the cases that are ``wanted`` concentrate in the grids of a plan that the reader may see (of the region).

    With ``wanted.start`` they are compared with as long a time before. Who may not see single cases is told no place
    and no stacked address. Raises ``NotFound`` PLAN_NOT_FOUND, ``Forbidden`` CASES_SMALL_NUMBERS.
    """
    require_exact(actor, wanted.region)
    plan, _ = visible(session, actor, plan_id)
    raw = actor.sees_raw(subtree(wanted.region) or "")
    if raw:
        require_raw(session, actor, wanted, "places", plan=plan_id)
    cases = heat.state(session)
    if cases is None:  # few: counted anew each time
        return _hot_spots(session, actor, plan_id, wanted, raw=raw)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    key = (
        *(str(engine().url), cases, plan_id, plan.version, *versions(session).values(), *sensitive()),
        *(actor.prefixes(Role.VIEWER), actor.locale, raw, wanted, None if wanted.end else hour),
    )
    return _kept.get(key, lambda: _hot_spots(session, actor, plan_id, wanted, raw=raw))


def _hot_spots(session: Session, actor: Actor, plan_id: int, wanted: CaseFilter, *, raw: bool) -> HotSpots:
    from geodata.incidents.hotspots import hot
    from geodata.incidents.hotspots import hot_spots as grouped

    known = replace(wanted, placed=True)
    table, cases = count_by_grid(session, actor, plan_id, known)
    seen = np.flatnonzero(table.seen_by(actor, wanted.region))
    cases, homes = cases[seen], table.households[seen]
    i, j = among(neighbours(session, plan_id), seen, len(table.id))
    local, rate = tested(cases, homes, i, j)
    span, then, was_hot = _span_before(wanted), None, None
    if span is not None:
        then = count_by_grid(session, actor, plan_id, replace(known, start=span[0], end=span[1]))[1][seen]
        was_hot = hot(tested(then, homes, i, j)[0], then, homes)
    found = grouped(cases, homes, i, j, local, before=was_hot)[:SPOTS_MAX] if len(seen) else []
    kinds, places = _details(session, actor, known, table, [seen[one.grids[:GRIDS_MAX]] for one in found], places=raw)
    spots = tuple(_spot(one, table, seen, then, kinds[k], places[k], actor.locale) for k, one in enumerate(found))
    stacks = _stacks(session, actor, wanted) if raw else ()
    return HotSpots(spots, stacks, rate, int((homes > 0).sum()), span, raw)


def tested(cases: Ints, homes: Ints, i: Ints, j: Ints) -> tuple[Local, float | None]:
    """Gi* of smoothed rates; grids where nobody lives take no part."""
    from geodata.incidents.hotspots import local_g
    from geodata.incidents.rates import rates

    found = rates(cases, homes)
    values = np.where(homes > 0, found.smoothed, np.nan)
    return local_g(values, i, j), None if np.isnan(found.mean) else found.mean


def _span_before(wanted: CaseFilter) -> tuple[datetime, datetime] | None:
    """As long a time as is wanted, right before it; None where nothing is before, or the start is still to come."""
    end = wanted.end or datetime.now(UTC)
    if wanted.start is None or end <= wanted.start:
        return None
    try:
        return wanted.start - (end - wanted.start), wanted.start
    except OverflowError:  # before the first year of the calendar
        return None


def _stacks(session: Session, actor: Actor, wanted: CaseFilter) -> tuple[Stack, ...]:
    """The stacked addresses that hold enough of the cases that are ``wanted``, the most first."""
    from geodata.incidents.stacks import LEAST

    known = heat.known_stacks(session)
    if not len(known.lonlat):
        return ()
    point = sa.func.unnest(*(sa.cast(side.tolist(), sa.ARRAY(sa.Double)) for side in known.lonlat.T))
    at = point.table_valued("lon", "lat", with_ordinality="number", joins_implicitly=True).render_derived()
    there = sa.and_(
        Case.point.op("&&")(sa.func.ST_SetSRID(sa.func.ST_MakePoint(at.c.lon, at.c.lat), SRID)),
        sa.func.ST_X(Case.point) == at.c.lon,
        sa.func.ST_Y(Case.point) == at.c.lat,
    )
    rows = session.execute(
        sa.select(at.c.number, sa.func.mode().within_group(Case.place), sa.func.count(Case.place.distinct()),
                  sa.func.count())
        .select_from(at.join(Case, there)).where(condition(session, actor, wanted)).group_by(at.c.number)
        .having(sa.func.count() >= LEAST).order_by(sa.func.count().desc(), at.c.number)
    )  # fmt: skip
    return tuple(
        Stack(
            place,
            (float(known.lonlat[k - 1, 0]), float(known.lonlat[k - 1, 1])),
            n,
            addresses,
            bool(known.unplaced[k - 1]),
        )
        for k, place, addresses, n in rows
    )


def among(pairs: tuple[Ints, Ints], seen: Ints, count: int) -> tuple[Ints, Ints]:
    """Of ``pairs`` of ``count`` grids those of grids that are ``seen``, as indices into these."""
    number = np.full(count, -1, dtype=np.int64)
    number[seen] = np.arange(len(seen))
    i, j = number[pairs[0]], number[pairs[1]]
    both = (i >= 0) & (j >= 0)
    return i[both], j[both]


def _details(
    session: Session, actor: Actor, wanted: CaseFilter, table: GridTable, spots: Sequence[Ints], *, places: bool
) -> tuple[list[Counter[str]], list[Counter[str]]]:
    """Categories, and the most frequent places, of the cases in each of some groups of grids (indices)."""
    spot_of = np.full(len(table.id) + 1, -1, dtype=np.int64)
    for k, grids in enumerate(spots):
        spot_of[grids] = k
    spot = spot_of[table.grid_of]
    inside = np.flatnonzero(spot >= 0)
    # by units, of which there is an index: few grids of a city hold few of its cases
    columns = (sa.cast(one[inside].tolist(), sa.ARRAY(sa.BigInteger)) for one in (table.unit, spot))
    of = sa.func.unnest(*columns).table_valued("unit", "spot", joins_implicitly=True).render_derived()
    chosen = (
        sa.select(of.c.spot, Case.category, Case.place)
        .select_from(of.join(Case, Case.unit_id == of.c.unit))
        .where(condition(session, actor, wanted))
        .cte("chosen")
        .prefix_with("MATERIALIZED")
    )
    by_kind = sa.select(chosen.c.spot, sa.true().label("kind"), chosen.c.category.label("name"), sa.func.count())
    count = sa.func.count()
    by_place = (
        sa.select(
            chosen.c.spot,
            sa.false().label("kind"),
            chosen.c.place.label("name"),
            count.label("count"),
            sa.func.row_number()
            .over(partition_by=chosen.c.spot, order_by=(count.desc(), chosen.c.place))
            .label("rank"),
        )
        .where(chosen.c.place != "")
        .group_by(chosen.c.spot, chosen.c.place)
        .subquery()
    )
    ranked = sa.select(by_place.c.spot, by_place.c.kind, by_place.c.name, by_place.c.count)
    asked: Any = by_kind.group_by(chosen.c.spot, chosen.c.category)
    if places:
        asked = sa.union_all(asked, ranked.where(by_place.c.rank <= PLACES_MAX))
    found: tuple[list[Counter[str]], list[Counter[str]]] = ([], [])
    for _ in spots:
        found[0].append(Counter())
        found[1].append(Counter())
    for number, kind, name, cases in session.execute(asked):
        found[0 if kind else 1][number][name] = cases
    return found


def _spot(
    one: HotSpot,
    table: GridTable,
    seen: Ints,
    then: Ints | None,
    kinds: Counter[str],
    named: Counter[str],
    locale: str,
) -> Spot:
    own = seen[one.grids].tolist()
    spot = Spot(
        grids=tuple((int(table.id[grid]), table.code[grid], table.region_name[grid] or "") for grid in own),
        kind=one.kind,
        cases=one.cases,
        before=None if then is None else int(then[one.grids].sum()),
        households=one.households,
        rate=None if np.isnan(one.rate) else one.rate,
        ratio=None if np.isnan(one.ratio) else one.ratio,
        excess=one.excess,
        q=one.q,
        detailed=kinds.total(),
        categories=tuple(kinds.most_common(KINDS_MAX)),
        places=tuple((name, n) for name, n in named.most_common(PLACES_MAX) if n > 1),
        sentence="",
    )
    return replace(spot, sentence=sentence(spot, locale))
