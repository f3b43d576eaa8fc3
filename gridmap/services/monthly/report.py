"""The monthly report as a PDF: sentences, figures, the map of heat, hot spots, and every community with its map."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Region
from gridmap.errors import Forbidden, NotFound
from gridmap.services import audit
from gridmap.services.actor import EXACT, Actor, Grant, Role
from gridmap.services.monthly import months
from gridmap.services.monthly.content import CommunityMonth, Month, read
from gridmap.services.monthly.words import percent, summary
from gridmap.services.reports.paper import printed
from gridmap.services.sheets import slide, town
from gridmap.services.sheets.as_svg import svg
from gridmap.services.sheets.drawing import Drawing, Words
from gridmap.services.sheets.frame import Frame
from gridmap.services.sheets.view import DEFAULT_BANDWIDTH_M

#: So many communities, those with the most cases, get a map of their own.
MOST_MAPS = 60
_MAP, _SMALL, _LEGEND = (134.0, 102.0), (57.0, 45.0), 44.0
_SMALL_PX = 290
Say = Callable[[float, str], None]


def may_read(actor: Actor, prefix: str) -> bool:
    """Whether exact figures of all of a region are the reader's: a report stays what it is, whoever opens it."""
    return any(actor.may(role, prefix) for role in EXACT)


def region_of(session: Session, actor: Actor, code: str) -> Region:
    """The region to report on. Raises ``NotFound`` out of sight, ``Forbidden`` CASES_SMALL_NUMBERS."""
    actor.require(Role.VIEWER, code)
    region = session.scalar(sa.select(Region).where(Region.code == code))
    if region is None:
        raise NotFound("REGION_NOT_FOUND", region=code)
    if not may_read(actor, region.prefix):
        raise Forbidden("CASES_SMALL_NUMBERS")
    return region


@service
def monthly_pdf(
    session: Session,
    actor: Actor,
    region_code: str,
    month: date,
    path: Path,
    *,
    locale: str | None = None,
    progress: Say = lambda share, doing: None,
) -> str:
    """Write the report of a region's month (its first day) to ``path``; its summary in sentences.

    It holds exact figures, and no address of a single case, whoever has it made. Raises ``NotFound``, ``Forbidden``
    CASES_SMALL_NUMBERS, ``Invalid`` REPORT_MONTH_NOT_OVER.
    """
    region = region_of(session, actor, region_code)
    months.over(month)
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    # of this region, as a planner sees it: the same file for everybody who may open it
    reader = Actor(actor.login, (Grant(Role.PLANNER, region.prefix),), None, actor.name, language)
    progress(0.05, "统计 / counting")
    found = read(session, reader, region, month)
    progress(0.35, "地图 / maps")
    drawn = _map(session, reader, found)
    small: dict[str, str] = {}
    shown = found.communities[:MOST_MAPS]
    for k, one in enumerate(shown):
        progress(0.4 + 0.35 * k / len(shown), f"{one.name} / {one.name}")
        small[one.code] = _small(session, reader, found, one)
    progress(0.8, "排版 / setting pages")
    told = summary(found)
    page = {"month": found, "word": found.word, "told": told, "percent": percent, "bars": _bars(found)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(printed("reports/monthly.html", map=drawn, map_bars=page.pop("bars"), map_small=small, **page))
    audit.record(session, actor, "report.make", "region", region.code, region_code=region.code, month=f"{month:%Y-%m}")
    return " ".join(told[:2]) if language == "en" else "".join(told[:2])


def _map(session: Session, reader: Actor, found: Month) -> str:
    drawing = Drawing(_MAP[0] + 4 + _LEGEND, _MAP[1])
    frame = Frame.around(found.bbox, 0, 0, *_MAP)
    town.draw_ground(session, drawing, frame)
    town.draw_heat(session, reader, drawing, frame, found.wanted, DEFAULT_BANDWIDTH_M)
    if found.plan is not None:
        town.draw_grids(session, reader, drawing, frame, found.plan.id, found.region_code)
    town.draw_regions(session, reader, drawing, frame, found.region_code)
    frame.furnish(drawing)
    note = found.word("LEGEND_NOTE", metres=f"{DEFAULT_BANDWIDTH_M:.0f}")
    slide.legend(drawing, _MAP[0] + 4, 1.2, found.word("LEGEND"), note, _LEGEND, columns=1)
    return svg(drawing)


def _small(session: Session, reader: Actor, found: Month, one: CommunityMonth) -> str:
    drawing = Drawing(*_SMALL)
    frame = Frame.around(one.bbox, 0.2, 0.2, _SMALL[0] - 0.4, _SMALL[1] - 0.4, margin=0.05)
    town.draw_ground(session, drawing, frame)
    town.draw_heat(session, reader, drawing, frame, found.wanted, DEFAULT_BANDWIDTH_M, most_px=_SMALL_PX)
    if found.plan is not None:
        town.draw_grids(session, reader, drawing, frame, found.plan.id, one.code)
    town.draw_regions(session, reader, drawing, frame, one.code, names=False)
    drawing.box(frame.x, frame.y, frame.width, frame.height, stroke="#8a949e", line=0.2)
    return svg(drawing)


def _bars(found: Month) -> str:
    """Cases of the last thirteen months; this month dark."""
    width, height, foot = 182.0, 34.0, 5.0
    drawing = Drawing(width, height)
    most = max((count for _, count in found.history), default=0) or 1
    step = width / len(found.history)
    for k, (name, count) in enumerate(found.history):
        tall = (height - foot - 5) * count / most
        this = k == len(found.history) - 1
        alike = this or k == 0
        if tall > 0:
            colour = "#163a5b" if this else "#4f81b0" if alike else "#a9c3dc"
            drawing.box(k * step + 1.5, height - foot - tall, step - 3, tall, fill=colour)
        middle = (k + 0.5) * step
        drawing.add(
            Words(middle, height - foot - tall - 1, f"{count:,}", size=2.6, anchor="middle", bold=this),
            Words(
                middle,
                height - 1.2,
                name if k == 0 or name.endswith("-01") or this else name[5:],
                size=2.6,
                anchor="middle",
            ),
        )
    drawing.box(0, height - foot, width, 0.15, fill="#14202b")
    return svg(drawing)
