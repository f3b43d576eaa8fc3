"""Whether everything is covered: the grids of the plan in force against the standard, and what lies in no grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services.actor import Actor, Role
from gridmap.services.coverage.store import NEVER, SHUT, SUMMED, Table, table
from gridmap.services.days import today
from gridmap.services.plans.access import in_force_on, subtree, visible
from gridmap.services.plans.small import rounded
from gridmap.sql import query

#: Digits of a region's own prefix -> digits of the regions listed below it; a community lists itself.
_BELOW = {0: 6, 6: 9, 9: 12, 12: 12}
#: What must not be told where a column of ``SHUT`` holds.
_TOLD_BY = (("households", "population", "people_in_crowded"), ("uncovered_households",), ("people_in_crowded",))


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """A region's sums over the part of it that the reader may see.

    Micro-grids are counted in their parents. ``oldest`` and ``newest`` are the ends of the units' oldest count dates;
    ``uncovered_*`` lie in units without a grid or in no unit at all (as the buildings stand today). ``estimated_share``
    (0 to 1) is of the households in grids. To those who are told no small counts, what would tell one is None, so are
    estimates, and their share is rounded.
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
    households: int | None
    population: int | None
    people_in_crowded: int | None
    estimated_households: int | None
    uncovered_buildings: int
    uncovered_households: int | None
    oldest: date | None
    newest: date | None
    estimated_share: float

    @property
    def share_out(self) -> float:
        """Share of the grids that are under or over the standard, 0 to 1."""
        return (self.under + self.over) / self.grids if self.grids else 0.0

    @property
    def crowded_share(self) -> float:
        """Share of the people in grids who live in crowded ones, 0 to 1."""
        return (self.people_in_crowded or 0) / self.population if self.population else 0.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The plan looked at (None: none in force that day) and a row for each region directly below the one asked."""

    plan_id: int | None
    rows: tuple[RegionCoverage, ...]
    #: All rows together, under the code and name of none; None where there are none.
    total: RegionCoverage | None = None


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
    veiled = not actor.sees_households(prefix)
    found = parts(table(session, (plan_id,)), actor.prefixes(Role.VIEWER), prefix, digits)
    return Coverage(plan_id, called(session, found, veiled=veiled), together(found, veiled=veiled))


def summed(
    session: Session, actor: Actor, plans: Sequence[int], prefix: str, digits: int
) -> tuple[RegionCoverage, ...]:
    """Sums of plans beside each other, by the first ``digits`` of codes below ``prefix``, as all may be told."""
    return called(session, parts(table(session, plans), actor.prefixes(Role.VIEWER), prefix, digits), veiled=True)


def parts(found: Table, mine: tuple[str, ...], prefix: str, digits: int) -> dict[str, dict[str, Any]]:
    """Sums of communities below ``prefix`` that begin with one of ``mine``, by their first ``digits``."""
    rows = [k for k, code in enumerate(found.code) if code.startswith(prefix) and code.startswith(mine)]
    keys = [found.code[k][:digits] for k in rows]
    starts = [i for i in range(len(keys)) if i == 0 or keys[i] != keys[i - 1]]  # codes are in order
    if not starts:
        return {}
    sums = np.add.reduceat(found.sums[rows], starts)
    oldest = np.minimum.reduceat(found.oldest[rows], starts)
    newest = np.maximum.reduceat(found.newest[rows], starts)
    shut = np.add.reduceat(found.shut[rows], starts)
    return {
        keys[start]: {
            **dict(zip(SUMMED, sums[i].tolist(), strict=True)),
            **dict(zip(SHUT, shut[i].tolist(), strict=True)),
            "oldest": _day(oldest[i]),
            "newest": _day(newest[i]),
        }
        for i, start in enumerate(starts)
    }


def called(session: Session, found: dict[str, dict[str, Any]], *, veiled: bool) -> tuple[RegionCoverage, ...]:
    """The sums with their regions' names, in order of code; ``veiled``: for those who are told no small counts."""
    rows = session.execute(query("coverage", "called"), {"parts": list(found)}).all()
    named = sorted(rows, key=lambda row: str(row.code))
    return tuple(_row(row.code, row.name, row.level, found[row.prefix], veiled=veiled) for row in named)


def together(found: dict[str, dict[str, Any]], *, veiled: bool) -> RegionCoverage | None:
    """All of the sums as one; None of none."""
    if not found:
        return None
    sums = {name: sum(one[name] for one in found.values()) for name in (*SUMMED, *SHUT)}
    days = [day for one in found.values() for day in (one["oldest"], one["newest"]) if day is not None]
    ends = {"oldest": min(days, default=None), "newest": max(days, default=None)}
    return _row("", "", "", sums | ends, veiled=veiled)


def _row(code: str, name: str, level: str, sums: dict[str, Any], *, veiled: bool) -> RegionCoverage:
    told = {key: value for key, value in sums.items() if key not in SHUT}
    share = sums["estimated_households"] / sums["households"] if sums["households"] else 0.0
    if veiled:
        share, told["estimated_households"] = rounded(share), None
        for shut, names in zip(SHUT, _TOLD_BY, strict=True):
            told |= dict.fromkeys(names) if sums[shut] else {}
    return RegionCoverage(code, name, level, **told, estimated_share=share)


def _day(number: Any) -> date | None:
    return None if abs(int(number)) >= NEVER else date(2000, 1, 1) + timedelta(days=int(number))
