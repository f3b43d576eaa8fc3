"""Two periods side by side: how cases a day changed, in all, by category, community and grid, and how surely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike
from sqlalchemy.orm import Session

from gridmap.db.engine import engine, service
from gridmap.db.models import Case, Region
from gridmap.errors import Invalid
from gridmap.services import heat
from gridmap.services.actor import Actor, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.filters import ASIDE, condition
from gridmap.services.cases.grids import GridTable, Ints, count_by_grid
from gridmap.services.kept import Kept
from gridmap.services.plans.access import visible
from gridmap.services.sensitive import sensitive
from gridmap.services.sight import require_exact
from gridmap.services.versions import versions

if TYPE_CHECKING:
    from geodata.incidents.periods import Changes

#: So many changes are told, the largest first.
TOLD_MAX = 200
_DAY_S = 86_400
Named = tuple[int | None, str | None, str]  # id, code, name
_SHARE_FALSE = 0.05
_kept: Kept[Comparison] = Kept(32)


@dataclass(frozen=True, slots=True)
class Changed:
    """Cases in both periods and the ratio of cases a day with its interval (95 %).

    ``ratio`` None where nothing was before (or nothing at all), ``high`` None where it has no bound. ``word``: "more",
    "fewer" or "same" (no more than chance may do, among all that stand in the same table).
    """

    id: int | None
    code: str | None
    name: str
    before: int
    after: int
    ratio: float | None
    low: float
    high: float | None
    word: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two spans (half-open), and what changed: over all, by category, community and grid (empty without a plan)."""

    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]
    whole: Changed
    categories: tuple[Changed, ...]
    regions: tuple[Changed, ...]
    grids: tuple[Changed, ...]


@service
def two_periods(
    session: Session,
    actor: Actor,
    wanted: CaseFilter,
    before: tuple[datetime, datetime],
    *,
    plan_id: int | None = None,
) -> Comparison:
    """The cases that are ``wanted`` (which has start and end) beside those of the span ``before``.

    Raises ``Invalid`` CASES_PERIODS for a span without length or end, ``NotFound`` PLAN_NOT_FOUND.
    """
    actor.require(Role.VIEWER)
    if wanted.start is None or wanted.end is None or wanted.start >= wanted.end or before[0] >= before[1]:
        raise Invalid("CASES_PERIODS")
    require_exact(actor, wanted.region)
    version = None if plan_id is None else visible(session, actor, plan_id)[0].version
    state = heat.state(session) if wanted.by_columns else None
    if state is None:  # few, or of one grid: counted anew each time
        return _compared(session, actor, wanted, before, plan_id)
    key = (
        *(str(engine().url), state, plan_id, version, *versions(session).values(), *sensitive()),
        *(actor.prefixes(Role.VIEWER), wanted, before),
    )
    return _kept.get(key, lambda: _compared(session, actor, wanted, before, plan_id))


def _compared(
    session: Session, actor: Actor, wanted: CaseFilter, before: tuple[datetime, datetime], plan_id: int | None
) -> Comparison:
    assert wanted.start is not None and wanted.end is not None
    after = (wanted.start, wanted.end)
    days = _days(before), _days(after)
    kinds_then, places_then = _counted(session, actor, replace(wanted, start=before[0], end=before[1]))
    kinds_now, places_now = _counted(session, actor, wanted)
    whole = _told([(None, None, "")], [kinds_then.total()], [kinds_now.total()], days)[0]
    known = list(kinds_then | kinds_now)
    of_kinds = [kinds_then[name] for name in known], [kinds_now[name] for name in known]
    categories = _told([(None, None, name) for name in known], *of_kinds, days)
    ids = list(places_then | places_now)
    rows = session.execute(sa.select(Region.id, Region.code, Region.name).where(Region.id.in_(ids)))
    names: dict[int, Named] = {row.id: (None, row.code, row.name) for row in rows}
    of_places = [places_then[region] for region in ids], [places_now[region] for region in ids]
    regions = _told([names[region] for region in ids], *of_places, days)
    grids: tuple[Changed, ...] = ()
    if plan_id is not None:
        table, later = count_by_grid(session, actor, plan_id, wanted)
        _, earlier = count_by_grid(session, actor, plan_id, replace(wanted, start=before[0], end=before[1]))
        chosen = np.flatnonzero(table.seen_by(actor) & table.within(wanted.region) & ((later > 0) | (earlier > 0)))
        grids = _told(_Grids(table, chosen), earlier[chosen], later[chosen], days)
    return Comparison(before, after, whole, categories, regions, grids)


def _days(span: tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]).total_seconds() / _DAY_S


def _counted(session: Session, actor: Actor, wanted: CaseFilter) -> tuple[Counter[str], Counter[int]]:
    """Cases by category, and by region (id); from the heat store where it can answer."""
    where = condition(session, actor, wanted)
    stored = None
    if wanted.by_columns and not wanted.placed:
        stored = heat.by_category(session, actor, wanted.span), heat.by_region(session, actor, wanted.span)
    kinds, places = Counter[str](), Counter[int]()
    if stored is not None and stored[0] is not None and stored[1] is not None:
        kinds, places, where = Counter(stored[0]), Counter(stored[1]), sa.and_(where, ASIDE)
    rows = session.execute(
        sa.select(Case.category, Case.region_id, sa.func.count()).where(where).group_by(Case.category, Case.region_id)
    )
    for category, region, cases in rows:
        kinds[category] += cases
        if region is not None:
            places[region] += cases
    return kinds, places


class _Grids(Sequence[Named]):
    """Some grids of a table, told one by one: few of them ever are."""

    def __init__(self, table: GridTable, chosen: Ints) -> None:
        self.table, self.chosen = table, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, at: Any) -> Any:
        k, of = self.chosen[at], self.table
        return int(of.id[k]), of.code[k], of.region_name[k] or ""


def _told(of: Sequence[Named], then: ArrayLike, now: ArrayLike, days: tuple[float, float]) -> tuple[Changed, ...]:
    """The changes of so many cases; what changed surely first, then by how many cases beyond the same rate."""
    from geodata.incidents.hotspots import false_share
    from geodata.incidents.periods import compared_all

    if not len(of):
        return ()
    earlier, later = np.asarray(then, dtype=np.int64), np.asarray(now, dtype=np.int64)
    found = compared_all(earlier, later, *days)
    sure = false_share(found.p) <= _SHARE_FALSE
    excess = np.abs(later - earlier * (days[1] / days[0]))
    order = np.lexsort((-excess, ~sure))
    if len(of) > TOLD_MAX:  # those that are equal to the last go by their names
        last = order[TOLD_MAX - 1]
        order = np.flatnonzero((sure > sure[last]) | ((sure == sure[last]) & (excess >= excess[last])))
    names = {k: of[k][1] or of[k][2] for k in order.tolist()}
    first = sorted(names, key=lambda k: (not sure[k], -excess[k], names[k]))[:TOLD_MAX]
    return tuple(_changed(of[k], int(earlier[k]), int(later[k]), found, k, bool(sure[k]), days) for k in first)


def _changed(
    named: Named, then: int, now: int, found: Changes, k: int, sure: bool, days: tuple[float, float]
) -> Changed:
    number, code, name = named
    more = now * days[0] > then * days[1]
    return Changed(
        id=number,
        code=code,
        name=name,
        before=then,
        after=now,
        ratio=float(found.ratio[k]) if then else None,
        low=float(found.low[k]),
        high=float(found.high[k]) if then else None,
        word="same" if not sure else "more" if more else "fewer",
    )
