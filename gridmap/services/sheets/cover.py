"""The coverage view as a file: a map by status (or of regions by their share out of standard), sums, and the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services import audit, coverage, mapdata, plans
from gridmap.services.actor import Actor
from gridmap.services.days import today
from gridmap.services.exports.plan import fresh_path
from gridmap.services.mapdata import Bounds
from gridmap.services.plans.read import STATUSES
from gridmap.services.reports.paper import printed
from gridmap.services.sheets import town
from gridmap.services.sheets.as_png import png
from gridmap.services.sheets.as_svg import svg
from gridmap.services.sheets.drawing import FRAME, MUTED, Drawing, Shapes, Words
from gridmap.services.sheets.frame import Frame
from gridmap.services.sheets.slide import PAPER, SLIDE, SLIDE_PX
from gridmap.services.sheets.view import local, region_name
from gridmap.sql import query

_MARGIN, _SIDE, _GAP = 10.0, 70.0, 6.0
#: Shares out of standard up to which a colour goes, as on the screen, and the last for all beyond.
_SHARES = ((0.0, "#e6f2ea"), (0.10, "#cfe3ee"), (0.25, "#f6e3a8"), (0.50, "#eeb479"), (1.0, "#d9796b"))


@dataclass(frozen=True, slots=True)
class CoverView:
    """Coverage of a plan, or of the one in force on a day, in a region."""

    plan_id: int | None = None
    on: date | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What the sheet says in one language."""

    place: str
    bounds: Bounds
    region: str | None
    plan: plans.PlanSummary
    found: coverage.Coverage
    total: coverage.RegionCoverage
    day: date
    made_at: str
    made_by: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase (``SHEET_...`` in the messages)."""
        return messages.sentence(f"SHEET_{name}", self.locale, **params)

    def status(self, name: str) -> str:
        """The word of a status."""
        return messages.sentence(f"REPORT_STATUS_{name.upper()}", self.locale)

    @property
    def said(self) -> str:
        """What was asked for, as one line."""
        colon = ": " if self.locale == "en" else "："
        told = (
            ("REGION", self.place),
            ("PLAN", f"{self.plan.name} v{self.plan.version}"),
            ("DAY", self.day.isoformat()),
        )
        return "  ·  ".join(f"{self.word(name)}{colon}{words}" for name, words in told)


@service
def cover_pdf(
    session: Session, actor: Actor, cover: CoverView, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the view as PDF: the map, then the table; where it stands.

    Raises ``NotFound`` for what is out of sight, ``Invalid`` SHEET_NOTHING where no plan was in force.
    """
    found = _read(session, actor, cover, locale)
    path = path or _path(found, ".pdf")
    drawn = svg(cover_sheet(session, actor, found, PAPER))
    path.write_bytes(printed("reports/cover.html", cover=found, word=found.word, map=drawn))
    _record(session, actor, found, "pdf")
    return path


@service
def cover_png(
    session: Session, actor: Actor, cover: CoverView, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the view as a slide; where it stands. Raises as :func:`cover_pdf`."""
    found = _read(session, actor, cover, locale)
    path = path or _path(found, ".png")
    path.write_bytes(png(cover_sheet(session, actor, found, SLIDE), SLIDE_PX))
    _record(session, actor, found, "png")
    return path


#: Every form by the suffix of its address.
COVER_FORMATS: Mapping[str, Callable[..., Path]] = {"pdf": cover_pdf, "png": cover_png}


def _read(session: Session, actor: Actor, asked: CoverView, locale: str | None) -> Cover:
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    place = region_name(session, actor, asked.region)
    bounds = mapdata.scene.within(session, actor, asked.region).bounds
    day = asked.on or today()
    found = coverage.coverage.within(session, actor, plan_id=asked.plan_id, on=day, region=asked.region)
    if asked.region is None and len(found.rows) == 1:  # one county: its parts say more than itself
        code = found.rows[0].code
        found = coverage.coverage.within(session, actor, plan_id=asked.plan_id, on=day, region=code)
    if bounds is None or found.plan_id is None or found.total is None:
        raise Invalid("SHEET_NOTHING")
    return Cover(
        place=place or messages.sentence("SHEET_EVERYWHERE", language),
        bounds=bounds,
        region=asked.region,
        plan=plans.get.within(session, actor, found.plan_id),
        found=found,
        total=found.total,
        day=day,
        made_at=local(datetime.now(tz=ZoneInfo("UTC"))),
        made_by=actor.name or actor.login,
        locale=language,
    )


def cover_sheet(session: Session, actor: Actor, found: Cover, size: tuple[float, float]) -> Drawing:
    """The view on a sheet of ``size`` mm."""
    drawing = Drawing(*size)
    width, height = size
    drawing.add(Words(_MARGIN, 17, f"{found.word('COVER_TITLE')} — {found.place}", size=8, bold=True))
    drawing.add(Words(width - _MARGIN, 17, found.made_at, size=3.4, anchor="end", colour=MUTED))
    bottom = drawing.paragraph(_MARGIN, 24.5, found.said, width - 2 * _MARGIN, lines=2, size=3.4, colour="#33414e")
    top, foot = bottom - 1.0, height - _MARGIN - 5
    frame = Frame.around(found.bounds, _MARGIN, top, width - 2 * _MARGIN - _SIDE - _GAP, foot - top)
    town.draw_ground(session, drawing, frame)
    gridded = town.draw_grids(session, actor, drawing, frame, found.plan.id, found.region, filled=True)
    if gridded:
        town.draw_regions(session, actor, drawing, frame, found.region)
    else:
        _shares(session, actor, drawing, frame, found)
    frame.furnish(drawing)
    _side(drawing, found, width - _MARGIN - _SIDE, top, gridded)
    source = found.word("COVER_SOURCE", at=found.made_at, by=found.made_by)
    drawing.add(Words(_MARGIN, height - _MARGIN, source, size=2.9, colour=MUTED))
    return drawing


def _shares(session: Session, actor: Actor, drawing: Drawing, frame: Frame, found: Cover) -> None:
    """The regions of the table by their share out of standard; the share stands on each."""
    keys = town.view_keys(actor, frame.bounds, found.region, 2000)
    level = found.found.rows[0].level
    table = bulk.columns(session, query("sheets", "regions"), {"level": level, **keys})
    shares = {one.code: one.share_out for one in found.found.rows}
    drawn = frame.paper(bulk.shapes(table["geom"])) if len(table["code"]) else []
    for code, name, shape in zip(table["code"], table["name"], drawn, strict=True):
        if code not in shares or shapely.is_empty(shape):
            continue
        colour = next(colour for upto, colour in _SHARES if shares[code] <= upto)
        drawing.add(Shapes([shape], fill=colour, stroke=town.BORDER, line=0.3))
        place = shapely.point_on_surface(shape)
        if shapely.area(shape) > 40:
            drawing.add(Words(place.x, place.y + 1, f"{100 * shares[code]:.0f}%", size=2.9, anchor="middle", halo=True))
        if shapely.area(shape) > 300:
            drawing.add(
                Words(place.x, place.y - 2.6, str(name), size=2.9, anchor="middle", colour=town.BORDER, halo=True)
            )


def _side(drawing: Drawing, found: Cover, x: float, y: float, gridded: bool) -> None:
    word, total = found.word, found.total
    drawing.add(
        Words(x, y + 7, f"{total.grids:,}", size=9, bold=True),
        Words(x, y + 12.5, word("GRIDS_COUNT"), size=3.2, colour=MUTED),
    )
    y += 20
    drawing.add(Words(x, y, word("STATUS_LEGEND"), size=3.4, bold=True))
    for status in STATUSES:
        y += 5.2
        count = int(getattr(total, status))
        if gridded:
            drawing.box(x, y - 2.9, 7, 3.6, status=status, stroke=FRAME, line=0.1)
        share = f"{100 * count / total.grids:.0f}%" if total.grids else ""
        drawing.add(
            Words(x + 8.5, y, found.status(status), size=3.1),
            Words(x + 52, y, f"{count:,}", size=3.1, anchor="end"),
            Words(x + _SIDE, y, share, size=3.1, anchor="end", colour=MUTED),
        )
    y += 7
    if not gridded:
        drawing.add(Words(x, y, word("SHARE_OUT"), size=3.4, bold=True))
        ends = ("0%", "≤ 10%", "≤ 25%", "≤ 50%", "> 50%")
        for text, (_, colour) in zip(ends, _SHARES, strict=True):
            y += 5
            drawing.box(x, y - 2.9, 7, 3.6, fill=colour, stroke=FRAME, line=0.1)
            drawing.add(Words(x + 8.5, y, text, size=3.0))
        y += 7
    facts = (
        ("HOUSEHOLDS", _told(total.households)),
        ("LOOSE_BUILDINGS", f"{total.uncovered_buildings:,}"),
        ("LOOSE_HOUSEHOLDS", _told(total.uncovered_households)),
        ("UNAVOIDABLE", f"{total.unavoidable:,}"),
        ("CROWDED", _told(total.people_in_crowded)),
        ("ESTIMATED", f"{100 * total.estimated_share:.1f}%"),
        ("OLDEST", f"{total.oldest or '—'}"),
        ("NEWEST", f"{total.newest or '—'}"),
    )
    for name, text in facts:
        drawing.paragraph(x, y, word(name), 46, lines=1, size=3.1, colour=MUTED)
        drawing.add(Words(x + _SIDE, y, text, size=3.1, anchor="end"))
        y += 5.2


def _told(count: int | None) -> str:
    return "—" if count is None else f"{count:,}"


def _path(found: Cover, suffix: str) -> Path:
    words = (found.word("COVER_TITLE"), found.place, found.plan.name, found.day.isoformat())
    return fresh_path(f"{'-'.join(words)}{suffix}")


def _record(session: Session, actor: Actor, found: Cover, fmt: str) -> None:
    audit.record(session, actor, "coverage.export", "plan", found.plan.id, region_code=found.region, format=fmt)
