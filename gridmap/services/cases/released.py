"""Figures of releases: what everybody who looks at a region may see of its cases.

Every answer is a sum of cells that were published (:mod:`gridmap.services.cases.release`); nothing is decided anew for
a question, and where one cell of a sum is withheld so is the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.cases.release import want
from gridmap.services.cases.released_table import UNKNOWN, Table, table
from gridmap.services.plans.access import subtree
from gridmap.services.plans.small import SMALL
from gridmap.sql import query

#: The right that every question needs.
VIEWER = Role.VIEWER
LEVELS = ("all", "county", "subdistrict", "community", "grid")


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its span (half-open), the plan of its grids, and the node of each column by facet and key."""

    id: int
    since: datetime
    until: datetime
    plan_id: int | None
    plan_name: str | None
    columns: Mapping[str, Mapping[str, int]]

    @property
    def months(self) -> list[str]:
        """Its months ("2025-01"), the first first."""
        return [key for key in self.columns["time"] if "-" in key]


@dataclass(frozen=True, slots=True)
class Periods:
    """What was released. ``due``: something has closed and is being made, or is from ``settled`` on.

    ``grids``: how many the newest release has.
    """

    releases: tuple[Release, ...]
    months: tuple[str, ...]
    categories: tuple[str, ...]
    due: bool
    settled: datetime | None
    grids: int


@dataclass(frozen=True, slots=True)
class Figure:
    """Cases of a place: ``cases`` None where they are not shown, ``text`` says how: a number, "<5" or "—".

    ``households`` and ``per_1000_households`` of grids, None where unknown or not shown; ``households_text`` as above.
    """

    level: str
    code: str
    name: str | None
    region_code: str
    grid_id: int | None
    cases: int | None
    text: str
    households: int | None
    households_text: str
    per_1000_households: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Places with the most cases first, those withheld by their place in the ranking last; ``plan_id`` of the grids."""

    rows: tuple[Figure, ...]
    total: int
    plan_id: int | None
    since: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One bar of a chart."""

    key: str
    cases: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One place along each attribute by itself."""

    level: str
    code: str
    name: str | None
    whole: Cell
    months: tuple[Cell, ...]
    categories: tuple[Cell, ...]
    weekdays: tuple[Cell, ...]
    hours: tuple[Cell, ...]


@service
def periods(session: Session, actor: Actor) -> Periods:
    """What was released; what is due is asked of the worker."""
    actor.require(Role.VIEWER)
    found = _releases(session)
    waiting = want(session)
    return Periods(
        releases=tuple(found),
        months=tuple(month for one in found for month in one.months),
        categories=tuple(sorted({name for one in found for name in one.columns["category"]})),
        due=bool(waiting.spans),
        settled=waiting.settled,
        grids=session.scalar(query("release", "size"), {"release": found[-1].id}) or 0 if found else 0,
    )


@service
def figures(
    session: Session,
    actor: Actor,
    *,
    level: str = "grid",
    since: str | None = None,
    until: str | None = None,
    categories: Sequence[str] = (),
    region: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Figures:
    """Cases of the months ``since`` to ``until`` ("2025-01", both included) by place of a level inside ``region``.

    Raises ``Invalid`` CASES_RELEASE_MONTHS for months that are in no release or the wrong way round,
    CASES_RELEASE_WHOLE for categories of a part of a release.
    """
    actor.require(Role.VIEWER)
    if level not in LEVELS:
        raise Invalid("CASES_RELEASE_LEVEL", level=level)
    found = _releases(session)
    chosen = _chosen(found, since, until, categories)
    if not chosen:
        return Figures((), 0, None, since, until)
    months = _months(found, since, until)
    made = _table(session, actor, level, chosen, region)
    shown = range(len(made.code))[offset : None if limit is None else offset + limit]
    rows = tuple(_figure(made, k) for k in shown)
    return Figures(rows, len(made.code), chosen[-1][0].plan_id, months[0], months[-1])


def of_grids(
    session: Session, actor: Actor, *, since: str | None = None, until: str | None = None, region: str | None = None
) -> tuple[Table, int | None]:
    """All grids of :func:`figures` as columns, and the plan they are of; None where nothing is released."""
    actor.require(Role.VIEWER)
    chosen = _chosen(_releases(session), since, until, ())
    if not chosen:
        nothing, none = np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
        return Table("grid", nothing, nothing, nothing, none, none, none), None
    return _table(session, actor, "grid", chosen, region), chosen[-1][0].plan_id


def _table(
    session: Session, actor: Actor, level: str, chosen: Sequence[tuple[Release, list[int]]], region: str | None
) -> Table:
    asked = [(release.id, release.plan_id, nodes) for release, nodes in chosen]
    return table(session, level, asked, {"patterns": actor.patterns(Role.VIEWER), "region": subtree(region) or ""})


@service
def profile(session: Session, actor: Actor, *, region: str | None = None, grid_id: int | None = None) -> Profile:
    """All that was released of one region (or of all, for who may look everywhere) or grid, attribute by attribute.

    Raises ``NotFound`` where there is no such place in what the actor may see.
    """
    actor.require(Role.VIEWER)
    found = _releases(session)
    keys = {"patterns": actor.patterns(Role.VIEWER), "grid": grid_id, "code": region or ""}
    known = {row.release_id: row for row in session.execute(query("release", "place"), keys)}
    if not known:
        raise NotFound("NOT_FOUND")
    chosen = [(one, known[one.id].shown) for one in found if one.id in known]
    last = known[chosen[-1][0].id]

    def bars(facet: str, keys: Iterable[str]) -> tuple[Cell, ...]:
        made = []
        for key in keys:
            of = [shown[one.columns[facet][key]] for one, shown in chosen if key in one.columns[facet]]
            made.append(Cell(key, *_told(of)))
        return tuple(made)

    names = sorted({name for one, _ in chosen for name in one.columns["category"]})
    return Profile(
        level=last.level,
        code=last.code,
        name=last.name,
        whole=Cell("", *_told([shown[0] for _, shown in chosen])),
        months=bars("time", [month for one, _ in chosen for month in one.months]),
        categories=bars("category", names),
        weekdays=bars("weekday", map(str, range(7))),
        hours=bars("hours", map(str, range(6))),
    )


def _releases(session: Session) -> list[Release]:
    made = []
    for row in session.execute(query("release", "list")):
        columns: dict[str, dict[str, int]] = {"time": {}, "category": {}, "weekday": {}, "hours": {}}
        for one in row.columns:
            columns[one["facet"]][one["key"]] = one["node"]
        made.append(Release(row.id, row.since, row.until, row.plan_id, row.plan_name, columns))
    return made


def _months(found: Sequence[Release], since: str | None, until: str | None) -> list[str]:
    """The released months of a span; ``Invalid`` where there is none or the span reaches beyond."""
    known = [month for one in found for month in one.months]
    first, last = since or known[0], until or known[-1]
    if first not in known or last not in known or first > last:
        raise Invalid("CASES_RELEASE_MONTHS", first=known[0], last=known[-1])
    return [month for month in known if first <= month <= last]


def _chosen(
    found: Sequence[Release], since: str | None, until: str | None, categories: Sequence[str]
) -> list[tuple[Release, list[int]]]:
    """The releases that make up a span, and the fewest nodes of each."""
    if not found:
        return []
    wanted = set(_months(found, since, until))
    made = []
    for release in found:
        mine = [month for month in release.months if month in wanted]
        if not mine:
            continue
        if categories:
            if len(mine) < len(release.months):
                raise Invalid("CASES_RELEASE_WHOLE", first=release.months[0], last=release.months[-1])
            known = release.columns["category"]
            made.append((release, [known[name] for name in dict.fromkeys(categories) if name in known]))
        else:
            made.append((release, _cover(release, mine)))
    return made


def _cover(release: Release, months: Sequence[str]) -> list[int]:
    """Whole years before quarters before months."""
    if len(months) == len(release.months):
        return [0]
    left, nodes = set(months), []
    for size in (4, 6, 7):  # "2025", "2025Q1", "2025-01"
        for key, node in release.columns["time"].items():
            if len(key) == size and ("-" in key) == (size == 7):
                inside = {month for month in release.months if _within(month, key)}
                if inside and inside <= left:
                    nodes.append(node)
                    left -= inside
    return nodes


def _within(month: str, key: str) -> bool:
    year, number = month.split("-")
    return key in (month, year, f"{year}Q{(int(number) + 2) // 3}")


def _told(cells: Sequence[int]) -> tuple[int | None, str]:
    """The sum of published cells and how it is shown."""
    if all(cell >= 0 for cell in cells):
        return sum(cells), str(sum(cells))
    return None, "<5" if list(cells) == [SMALL] else "—"


def _figure(of: Table, k: int) -> Figure:
    cases, text = _told([int(of.cases[k])])
    home, grid = int(of.households[k]), int(of.grid_id[k])
    households = home if home >= 0 else None
    return Figure(
        level=of.level,
        code=of.code[k],
        name=of.name[k],
        region_code=of.region_code[k],
        grid_id=None if grid < 0 else grid,
        cases=cases,
        text=text,
        households=households,
        households_text="" if home == UNKNOWN else _told([home])[1],
        per_1000_households=round(1000 * cases / households, 2) if cases is not None and households else None,
    )
