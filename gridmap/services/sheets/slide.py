"""The incident view as one sheet: title, filters, map with heat, legend, sums, hot spots, source."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata.density import BREAKS, PALETTE
from gridmap.services.actor import Actor
from gridmap.services.sheets import town
from gridmap.services.sheets.drawing import FRAME, INK, MUTED, Drawing, Shapes, Words
from gridmap.services.sheets.frame import Frame
from gridmap.services.sheets.view import Shown

#: A sheet of A4 on its side, and a slide of 16 : 9, in mm.
PAPER, SLIDE = (297.0, 210.0), (338.67, 190.5)
#: Twice the pixels that a slide of 16 : 9 has on a plain screen.
SLIDE_PX = 2560
_MARGIN, _SIDE, _GAP = 10.0, 70.0, 6.0
_KINDS, _SPOTS = 6, 3


def case_sheet(session: Session, actor: Actor, shown: Shown, size: tuple[float, float]) -> Drawing:
    """The view on a sheet of ``size`` mm."""
    drawing = Drawing(*size)
    width, height = size
    word = shown.word
    drawing.add(Words(_MARGIN, 17, f"{word('TITLE')} — {shown.place}", size=8, bold=True))
    drawing.add(Words(width - _MARGIN, 17, shown.made_at, size=3.4, anchor="end", colour=MUTED))
    bottom = drawing.paragraph(_MARGIN, 24.5, shown.said, width - 2 * _MARGIN, lines=3, size=3.4, colour="#33414e")
    top = bottom - 1.0
    foot = height - _MARGIN - 5
    frame = Frame.around(shown.bounds, _MARGIN, top, width - 2 * _MARGIN - _SIDE - _GAP, foot - top)
    wanted = shown.view.wanted
    town.draw_ground(session, drawing, frame)
    within = town.draw_heat(session, actor, drawing, frame, wanted, shown.view.bandwidth_m)
    gridded = shown.plan is not None and town.draw_grids(session, actor, drawing, frame, shown.plan.id, wanted.region)
    town.draw_regions(session, actor, drawing, frame, wanted.region)
    frame.furnish(drawing)
    _side(drawing, shown, width - _MARGIN - _SIDE, top, foot, within, gridded)
    drawing.add(Words(_MARGIN, height - _MARGIN, shown.source, size=2.9, colour=MUTED))
    return drawing


def _side(drawing: Drawing, shown: Shown, x: float, y: float, foot: float, within: int, gridded: bool) -> None:
    word, sums = shown.word, shown.sums
    drawing.add(Words(x, y + 7, f"{sums['total']:,}", size=9, bold=True))
    drawing.add(Words(x, y + 12.5, word("TOTAL"), size=3.2, colour=MUTED))
    told = [word("OPEN", n=f"{sums['open']:,}"), word("IN_MAP", n=f"{within:,}")]
    if sums["total"] > sums["located"]:
        told.append(word("UNLOCATED", n=f"{sums['total'] - sums['located']:,}"))
    y = drawing.paragraph(x, y + 18, shown.comma.join(told), _SIDE, size=3.1)
    if shown.change:
        y = drawing.paragraph(x, y, shown.change, _SIDE, size=3.1)
    y = legend(drawing, x, y + 3, word("LEGEND"), word("LEGEND_NOTE", metres=f"{shown.view.bandwidth_m:,.0f}"), _SIDE)
    y = _lines(drawing, shown, x, y + 1, gridded)
    if shown.spots is not None and shown.spots.spots:
        y = _spots(drawing, shown, x, y + 4, foot)
    if y + 16 < foot:
        _kinds(drawing, shown, x, y + 4, foot)


def legend(drawing: Drawing, x: float, y: float, title: str, note: str, width: float, columns: int = 2) -> float:
    """The fixed classes of density in cases per km2, the densest first; where the next line would be."""
    drawing.add(Words(x, y + 2.5, title, size=3.4, bold=True))
    y += 5
    ends = [*(f"{low:,.0f} – {high:,.0f}" for low, high in pairwise(BREAKS)), f"≥ {BREAKS[-1]:,.0f}"]
    rows = -(-len(ends) // columns)
    for k, (text, colour) in enumerate(zip(reversed(ends), reversed(solid_colours()), strict=True)):
        left, row = x + (k // rows) * width / columns, y + (k % rows) * 4.6
        drawing.box(left, row, 7, 3.6, fill=colour, stroke=FRAME, line=0.1)
        drawing.add(Words(left + 8.5, row + 2.9, text, size=3.0))
    return drawing.paragraph(x, y + rows * 4.6 + 3, note, width, size=2.7, colour=MUTED) - 1


def solid_colours() -> list[str]:
    """The classes' colours as they lie on the map's ground."""
    ground = np.array([int(town.GROUND[i : i + 2], 16) for i in (1, 3, 5)])
    share = PALETTE[:, 3:4] / 255 * town.HEAT_OPACITY
    mixed = np.round(PALETTE[:, :3] * share + ground * (1 - share)).astype(int)
    return ["#{:02x}{:02x}{:02x}".format(*row) for row in mixed.tolist()]


def _lines(drawing: Drawing, shown: Shown, x: float, y: float, gridded: bool) -> float:
    marks: list[tuple[str, str, float, tuple[float, float] | None, float]] = [
        ("LINE_REGION", town.BORDER, 0.45, (2.0, 0.9), 28)
    ]
    if gridded:
        marks.append(("LINE_GRID", town.GRID, 0.3, None, 21))
    marks.append(("LINE_ROAD", town.ROAD, 0.5, None, 21))
    at = x
    for name, colour, width, dash, room in marks:
        line = shapely.LineString([(at, y), (at + 7, y)])
        drawing.add(Shapes([line], stroke=colour, line=width, dash=dash))
        drawing.add(Words(at + 8, y + 1.1, shown.word(name), size=2.9))
        at += room
    drawing.box(x, y + 3, 7, 3, fill=town.WATER)
    drawing.add(Words(x + 8, y + 5.6, shown.word("WATER"), size=2.9))
    if shown.plan is not None and not gridded:
        drawing.add(Words(x + 28, y + 5.6, shown.word("TOO_MANY_GRIDS"), size=2.7, colour=MUTED))
    return y + 6


def _spots(drawing: Drawing, shown: Shown, x: float, y: float, foot: float) -> float:
    assert shown.spots is not None
    drawing.add(Words(x, y + 2.5, shown.word("SPOTS"), size=3.4, bold=True))
    y += 7.2
    for number, spot in enumerate(shown.spots.spots[:_SPOTS], start=1):
        lines = min(4, int((foot - y) / 4.1))
        if lines < 2:
            break
        drawing.add(Words(x, y, f"{number}", size=2.9, bold=True))
        y = drawing.paragraph(x + 4, y, spot.sentence, _SIDE - 4, lines=lines, size=2.8) + 1
    return y - 3


def _kinds(drawing: Drawing, shown: Shown, x: float, y: float, foot: float) -> None:
    rows = shown.sums["categories"][: min(_KINDS, int((foot - y - 6) / 4.4))]
    if not rows:
        return
    drawing.add(Words(x, y + 2.5, shown.word("BY_CATEGORY"), size=3.4, bold=True))
    most = max(count for _, count in rows)
    for k, (name, count) in enumerate(rows):
        row = y + 8 + k * 4.4
        drawing.paragraph(x, row, name, 24, lines=1, size=2.9)
        drawing.box(x + 26, row - 2.4, max(0.4, 28 * count / most), 3, fill="#4f81b0")
        drawing.add(Words(x + _SIDE, row, f"{count:,}", size=2.9, anchor="end", colour=INK))
