"""Whether everything is covered: the grids of the plan in force against the standard, and what lies in no grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.services.plans.access import in_force_on, subtree, visible
from gridmap.sql import query

#: A grid with more people than this is crowded.
CROWDED_POPULATION = 2000
#: Digits of a region's own prefix -> digits of the regions listed below it; a community lists itself.
_BELOW = {0: 6, 6: 9, 9: 12, 12: 12}


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """A region's sums over the part of it that the reader may see.

    Micro-grids are counted in their parents. ``oldest`` and ``newest`` are the ends of the units' oldest count dates;
    ``uncovered_*`` lie in units without a grid or in no unit at all (as the buildings stand today).
    """

    code: str
    name: str
    level: str
    grids: int
    within: int
    under: int
    over: int
    empty: int
    unchecked: int
    unavoidable: int
    households: int
    population: int
    people_in_crowded: int
    estimated_households: int
    uncovered_buildings: int
    uncovered_households: int
    oldest: date | None
    newest: date | None

    @property
    def estimated_share(self) -> float:
        """Share of the households in grids that were estimated, 0 to 1."""
        return self.estimated_households / self.households if self.households else 0.0


_SUMMED = tuple(one.name for one in fields(RegionCoverage) if one.type == "int")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The plan looked at (None: none in force that day) and a row for each region directly below the one asked."""

    plan_id: int | None
    rows: tuple[RegionCoverage, ...]

    @property
    def total(self) -> RegionCoverage | None:
        """All rows together, under the code and name of none; None where there are none."""
        if not self.rows:
            return None
        sums = {name: sum(getattr(row, name) for row in self.rows) for name in _SUMMED}
        days = [day for row in self.rows for day in (row.oldest, row.newest) if day is not None]
        return RegionCoverage(
            code="", name="", level="", **sums, oldest=min(days, default=None), newest=max(days, default=None)
        )


@service
def coverage(
    session: Session, actor: Actor, *, plan_id: int | None = None, on: date | None = None, region: str | None = None
) -> Coverage:
    """Sums by child region of ``region`` (12 digits or 6, 9, 12 of its prefix; None: by county).

    Of ``plan_id``, else of the plan in force on the day ``on`` (None: today). Raises ``NotFound`` for a plan that is
    out of the reader's sight; a region out of sight has no rows.
    """
    actor.require(Role.VIEWER)
    if plan_id is None:
        plan_id = in_force_on(session, actor, on or today(), region)
    else:
        visible(session, actor, plan_id)
    if plan_id is None:
        return Coverage(None, ())
    prefix = subtree(region) or ""
    digits = _BELOW.get(len(prefix), 12)
    return Coverage(plan_id, summed(session, actor, (plan_id,), prefix, digits))


def summed(
    session: Session, actor: Actor, plans: Sequence[int], prefix: str, digits: int
) -> tuple[RegionCoverage, ...]:
    """Sums of plans that lie beside each other, by the first ``digits`` of the codes below ``prefix``."""
    values = {
        "plans": list(plans),
        "region": prefix,
        "digits": digits,
        "prefixes": list(actor.prefixes(Role.VIEWER)),
        "crowded": CROWDED_POPULATION,
    }
    rows = session.execute(query("coverage", "sums"), values).mappings()
    return tuple(RegionCoverage(**row) for row in rows)
