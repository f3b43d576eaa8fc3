"""What a page of cases shows, read once for whatever leaves the house: the filters in words, and all its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.models import Grid, Region
from gridmap.errors import Invalid
from gridmap.services import cases, heat, incidents, mapdata, plans, regions
from gridmap.services.actor import Actor
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.read import ALL
from gridmap.services.mapdata import Bounds
from gridmap.services.sight import require_exact
from gridmap.settings import settings

DEFAULT_BANDWIDTH_M = 250.0


@dataclass(frozen=True, slots=True)
class CaseView:
    """The state of the page of cases: which cases, in whose grids (None: none), how smoothed, what of the map.

    ``bounds`` (west, south, east, north in degrees; None: of the region) is what the map shows, not what is counted.
    ``grid_id`` is the grid that sums are of (None: all), ``before`` a span that the one wanted is compared with.
    """

    wanted: CaseFilter = ALL
    plan_id: int | None = None
    bandwidth_m: float = DEFAULT_BANDWIDTH_M
    bounds: Bounds | None = None
    grid_id: int | None = None
    before: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The figures of a view in one language.

    ``sums`` as :func:`gridmap.services.cases.totals`, ``grids`` as ``rates_by_grid`` has them (none without a plan),
    ``filters`` pairs of label and words.
    """

    view: CaseView
    place: str
    bounds: Bounds
    sums: Mapping[str, Any]
    plan: plans.PlanSummary | None
    grids: tuple[Mapping[str, Any], ...]
    spots: incidents.HotSpots | None
    compared: incidents.Comparison | None
    grid: str | None
    filters: tuple[tuple[str, str], ...]
    made_at: str
    made_by: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase (``SHEET_...`` in the messages)."""
        return messages.sentence(f"SHEET_{name}", self.locale, **params)

    @property
    def comma(self) -> str:
        """What stands between the members of a list."""
        return ", " if self.locale == "en" else "、"

    @property
    def colon(self) -> str:
        """What stands between a label and its words."""
        return ": " if self.locale == "en" else "："

    @property
    def before(self) -> str:
        """The span that is compared with, in words; empty where nothing is compared."""
        if self.compared is None:
            return ""
        start, end = self.compared.before
        return span(CaseFilter(start=start, end=end), self.locale)

    @property
    def change(self) -> str:
        """How the whole changed, in a sentence; empty where nothing is compared."""
        if self.compared is None:
            return ""
        whole = self.compared.whole
        if whole.ratio is None:
            return self.word("COMPARED_NONE")
        told = {"before": f"{whole.before:,}", "word": self.word(f"IS_{whole.word.upper()}")}
        return self.word("COMPARED", **told, ratio=_figure(whole.ratio), low=_figure(whole.low), high=_bound(whole))

    def times(self, one: incidents.Changed) -> str:
        """The ratio of cases a day with its interval; a dash where nothing was before."""
        return "—" if one.ratio is None else f"{_figure(one.ratio)} ({_figure(one.low)}–{_bound(one)})"

    @property
    def said(self) -> str:
        """The filters as one line."""
        return "  ·  ".join(f"{label}{self.colon}{words}" for label, words in self.filters)

    @property
    def why_no_places(self) -> str | None:
        """Why places and stacked addresses are not told, to whom they are not."""
        if self.spots is None or self.spots.raw:
            return None
        return messages.sentence("CASES_RAW", self.locale)

    @property
    def source(self) -> str:
        """Where the figures come from, and when and by whom the sheet was made."""
        return self.word("SOURCE", at=self.made_at, by=self.made_by)


def _figure(ratio: float) -> str:
    """Two decimals, fewer where they say nothing."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"


def _bound(one: incidents.Changed) -> str:
    return "∞" if one.high is None else _figure(one.high)


def read(session: Session, actor: Actor, view: CaseView, locale: str | None) -> Shown:
    """The figures of a view. Raises ``NotFound`` for a plan or region out of sight, ``Invalid`` for a senseless filter.

    What the reader may see of cases is decided by the services it asks.
    """
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    reader = replace(actor, locale=language)
    wanted = view.wanted
    require_exact(actor, wanted.region)
    if wanted.start is not None and wanted.end is not None and wanted.start >= wanted.end:
        raise Invalid("CASE_TIMES")
    place, bounds = _place(session, reader, view)
    plan = None if view.plan_id is None else plans.get.within(session, reader, view.plan_id)
    shown = Shown(
        view=view,
        place=place or messages.sentence("SHEET_EVERYWHERE", language),
        bounds=bounds,
        sums=cases.totals.within(session, reader, replace(wanted, grid_id=view.grid_id, plan_id=view.plan_id)),
        plan=plan,
        grids=() if plan is None else cases.rates_by_grid.within(session, reader, plan.id, wanted).rows,
        spots=None if plan is None else incidents.hot_spots.within(session, reader, plan.id, wanted),
        compared=_compared(session, reader, view),
        grid=_grid(session, view),
        filters=(),
        made_at=local(datetime.now(tz=ZoneInfo("UTC"))),
        made_by=actor.name or actor.login,
        locale=language,
    )
    return replace(shown, filters=filters(shown))


def _compared(session: Session, actor: Actor, view: CaseView) -> incidents.Comparison | None:
    if view.before is None:
        return None
    wanted = replace(view.wanted, grid_id=view.grid_id, plan_id=view.plan_id)
    return incidents.two_periods.within(session, actor, wanted, view.before, plan_id=view.plan_id)


def _grid(session: Session, view: CaseView) -> str | None:
    """Name and code of the grid that sums are of; who may see it was asked when they were made."""
    if view.grid_id is None:
        return None
    found = session.get(Grid, view.grid_id)
    return None if found is None else f"{found.name or ''} {found.code}".strip()


def filters(shown: Shown) -> tuple[tuple[str, str], ...]:
    """What was asked for, in words."""
    wanted, word = shown.view.wanted, shown.word
    kinds = shown.comma.join(wanted.categories) if wanted.categories else word("ALL")
    found = [
        (word("TIME"), span(wanted, shown.locale)),
        (word("REGION"), shown.place),
        (word("CATEGORIES"), kinds),
        (word("BANDWIDTH"), f"{shown.view.bandwidth_m:,.0f} m"),
    ]
    if shown.plan is not None:
        found.append((word("PLAN"), f"{shown.plan.name} v{shown.plan.version}"))
    if shown.grid is not None:
        found.append((word("GRID"), shown.grid))
    if shown.compared is not None:
        found.append((word("AGAINST"), shown.before))
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        found.append((word("EXTENT"), f"{west:.4f}–{east:.4f}°E, {south:.4f}–{north:.4f}°N"))
    return tuple(found)


def span(wanted: CaseFilter, locale: str) -> str:
    """The time asked for, in days of the calendar; the last day belongs to it."""
    zone = ZoneInfo(settings().time_zone)

    def day(moment: datetime, *, last: bool) -> str:
        here = moment.astimezone(zone)
        if here.hour or here.minute or here.second:
            return f"{here:%Y-%m-%d %H:%M}"
        return f"{here - timedelta(days=1) if last else here:%Y-%m-%d}"

    since = None if wanted.start is None else day(wanted.start, last=False)
    until = None if wanted.end is None else day(wanted.end, last=True)
    if since and until:
        name = "SHEET_ON" if since == until else "SHEET_FROM_TO"
    else:
        name = "SHEET_SINCE" if since else "SHEET_UNTIL" if until else "SHEET_ALL_TIME"
    return messages.sentence(name, locale, since=since or "", until=until or "")


def local(moment: datetime) -> str:
    """A moment as it is written on paper, in the zone of the settings."""
    return f"{moment.astimezone(ZoneInfo(settings().time_zone)):%Y-%m-%d %H:%M}"


def region_name(session: Session, actor: Actor, code: str | None) -> str:
    """A region with the one above it; without ``code`` the only county that the reader sees, or nothing.

    Raises ``NotFound`` REGION_NOT_FOUND.
    """
    if code:
        return "".join(one.name for one in regions.breadcrumb.within(session, actor, code)[-2:])
    counties = sa.select(Region.name).where(actor.visible(Region.code), Region.level == "county").limit(2)
    found = session.scalars(counties).all()
    return found[0] if len(found) == 1 else ""


def _place(session: Session, actor: Actor, view: CaseView) -> tuple[str, Bounds]:
    """Name of the region (empty: all that the reader sees), and what the map shows."""
    scene = mapdata.scene.within(session, actor, view.wanted.region)
    name = region_name(session, actor, view.wanted.region)
    bounds = view.bounds or scene.bounds
    if bounds is None:
        raise Invalid("SHEET_NOTHING")
    if not heat.BANDWIDTHS_M[0] <= view.bandwidth_m <= heat.BANDWIDTHS_M[-1]:
        raise Invalid("HEAT_RANGE")
    return name, bounds


__all__ = ["CaseView", "Shown", "local", "read", "region_name", "span"]
