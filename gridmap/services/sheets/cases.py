"""The incident view as a file: PDF to print, PNG for slides, XLSX to go on counting with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.days import today
from gridmap.services.exports.plan import fresh_path
from gridmap.services.reports.paper import printed
from gridmap.services.sheets.as_png import png
from gridmap.services.sheets.as_svg import svg
from gridmap.services.sheets.slide import PAPER, SLIDE, SLIDE_PX, case_sheet
from gridmap.services.sheets.view import CaseView, Shown, read
from gridmap.services.sheets.workbook import case_frames

#: Rows of a printed table; the workbook has all.
MOST_PRINTED = 50
MOST_COMPARED = 20


@service
def case_pdf(
    session: Session, actor: Actor, view: CaseView, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the view as PDF: the map on a sheet, then the comparison, hot spots, ranking and sums; where it stands.

    Raises ``NotFound`` for a plan or region out of sight, ``Forbidden`` where exact counts are not the reader's.
    """
    shown = read(session, actor, view, locale)
    path = path or _path(shown, ".pdf")
    drawn = svg(case_sheet(session, actor, shown, PAPER))
    limits = {"most": MOST_PRINTED, "most_compared": MOST_COMPARED}
    path.write_bytes(printed("reports/cases.html", shown=shown, word=shown.word, map=drawn, **limits))
    _record(session, actor, shown, "pdf")
    return path


@service
def case_png(
    session: Session, actor: Actor, view: CaseView, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the view as a slide of 2,560 pixels across; where it stands. Raises as :func:`case_pdf`."""
    shown = read(session, actor, view, locale)
    path = path or _path(shown, ".png")
    path.write_bytes(png(case_sheet(session, actor, shown, SLIDE), SLIDE_PX))
    _record(session, actor, shown, "png")
    return path


@service
def case_xlsx(
    session: Session, actor: Actor, view: CaseView, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write what is on the screen as a workbook; where it stands. Raises as :func:`case_pdf`."""
    from geodata.writers import write_xlsx

    shown = read(session, actor, view, locale)
    path = path or _path(shown, ".xlsx")
    write_xlsx(case_frames(shown), path)
    _record(session, actor, shown, "xlsx")
    return path


#: Every form by the suffix of its address.
FORMATS: Mapping[str, Callable[..., Path]] = {"pdf": case_pdf, "png": case_png, "xlsx": case_xlsx}


def _path(shown: Shown, suffix: str) -> Path:
    words = [shown.word("FILE"), shown.place, *shown.view.wanted.categories[:2], shown.filters[0][1]]
    return fresh_path(f"{'-'.join(words)}-{today():%Y%m%d}{suffix}")


def _record(session: Session, actor: Actor, shown: Shown, fmt: str) -> None:
    wanted = shown.view.wanted
    audit.record(
        session,
        actor,
        "cases.export",
        "plan" if shown.plan else None,
        shown.plan.id if shown.plan else None,
        region_code=wanted.region,
        format=fmt,
        filters=dict(shown.filters),
        cases=shown.sums["total"],
    )
