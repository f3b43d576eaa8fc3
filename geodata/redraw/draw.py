"""A redraw before and after as two maps side by side: what is drawn, whatever it is drawn on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.closing import close_micro_gaps
from geodata.redraw.fit import Geometries
from geodata.redraw.measure import STATUS, Grids, tabulate
from geodata.redraw.model import Ints
from geodata.redraw.result import Redrawn
from geodata.redraw.task import Task

#: Fill and ink of each status, as in the reports and on the screen; the patterns are drawn by their names.
STYLES: Mapping[str, tuple[str, str]] = {
    "in_band": ("#b5dcc4", "#1d6b45"),
    "under": ("#bcd8f0", "#1b5a8a"),
    "over": ("#f3b9ad", "#a3242b"),
    "none": ("#e6e9ec", "#5b6673"),
}
WORDS: Mapping[str, tuple[str, str]] = {
    "in_band": ("达标", "in the band"),
    "under": ("户数不足", "below the minimum"),
    "over": ("户数超标", "above the maximum"),
    "none": ("未划入网格", "in no grid"),
}
UNAVOIDABLE = ("已证明无法避免", "proved unavoidable")
_SIMPLIFY_PX = 0.4
_MOST_UNITS = 4_000


@dataclass(frozen=True, slots=True)
class Panel:
    """One map in pixels, y down: areas with status, label and tooltip, and the outlines of units (or none)."""

    title_zh: str
    title_en: str
    shapes: Geometries
    status: Sequence[str]
    labels: Sequence[str]
    notes: Sequence[str]
    units: Geometries


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels of one size, with the legend and the pixels that a metre takes."""

    title_zh: str
    title_en: str
    panels: list[Panel]
    width: float
    height: float
    px_per_m: float


def picture(task: Task, redrawn: Redrawn, *, title: str, width_px: float, height_px: float) -> Picture:
    """Today's grids (or, without a start plan, the units) and the new ones, to fit into that size each."""
    ground = _coverage(task)
    west, south, east, north = shapely.total_bounds(ground)
    px = min(width_px / max(east - west, 1.0), height_px / max(north - south, 1.0))

    def paper(shapes: Geometries) -> Geometries:
        moved: Geometries = shapely.transform(
            shapes, lambda xy: np.column_stack([(xy[:, 0] - west) * px, (north - xy[:, 1]) * px])
        )
        return moved

    drawn = shapely.coverage_simplify(paper(ground), _SIMPLIFY_PX)
    units = drawn if len(drawn) <= _MOST_UNITS else drawn[:0]
    proved = {found.grid for found in redrawn.violations if not found.avoidable}
    start = task.instance.start if task.grids else np.full(len(task.units), -1, dtype=np.int64)
    before = _panel(task, start, drawn, units, set(), ("现状", "Before"))
    after = _panel(task, redrawn.plan, drawn, units, proved, ("优化后", "After"))
    return Picture(
        f"网格重划：{title}", f"Redraw of {title}", [before, after], (east - west) * px, (north - south) * px, px
    )


def scale_m(px_per_m: float, wanted_px: float = 120.0) -> int:
    """A round number of metres (1, 2 or 5 times a power of ten) that takes at most about ``wanted_px``."""
    wanted_m = max(wanted_px / px_per_m, 1.0)
    unit = 10 ** np.floor(np.log10(wanted_m))
    return int(max(step * unit for step in (1, 2, 5) if step * unit <= wanted_m))


def metres(length_m: int) -> str:
    """A length for a scale bar."""
    return f"{length_m // 1000} km" if length_m >= 1000 else f"{length_m} m"


def label_size(shape: Any, label: str, largest: float) -> float:
    """Height in pixels of a label that fits into ``shape``."""
    return float(min(largest, 0.8 * np.sqrt(shape.area) / max(0.6 * len(label), 1.0)))


def _coverage(task: Task) -> Geometries:
    """The ground of the units without slivers, so that grids have clean outlines."""
    built = task.built
    if built.tiled:
        return built.geoms
    shapes = built.geoms.copy()
    shapes[built.stacked[:, 0]] = shapely.Polygon()
    return close_micro_gaps(shapes, built.tolerance_m).geoms


def _panel(
    task: Task, plan: Ints, ground: Geometries, units: Geometries, proved: set[int], words: tuple[str, str]
) -> Panel:
    held = plan >= 0
    grids = tabulate(task.instance, plan) if held.any() else None
    names = task.grid_names(plan) if held.any() else {}
    shapes, status, labels, notes = [], [], [], []
    if not held.all():
        shapes.append(shapely.coverage_union_all(ground[~held]))
        status.append("none")
        labels.append("")
        notes.append(f"{WORDS['none'][0]} {WORDS['none'][1]}: {int((~held).sum())}")
    order = np.argsort(plan, kind="stable")
    for slot, grid in enumerate([] if grids is None else grids.grid.tolist()):
        first, last = np.searchsorted(plan[order], [grid, grid + 1])
        shapes.append(shapely.coverage_union_all(ground[order[first:last]]))
        status.append(STATUS[int(grids.status[slot])] if grids is not None else "none")
        labels.append(names[grid] + ("*" if grid in proved else ""))
        notes.append(_note(names[grid], grids, slot, grid in proved))
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    title_zh, title_en = words
    if grids is None:
        title_zh, title_en = f"{title_zh}：{len(plan)} 个单元，尚无网格", f"{title_en}: {len(plan)} units, no grids yet"
    else:
        in_band, k = int((grids.status == 0).sum()), len(grids.grid)
        title_zh, title_en = (
            f"{title_zh}：{k} 个网格，{in_band} 个达标",
            f"{title_en}: {k} grids, {in_band} in the band",
        )
    return Panel(title_zh, title_en, made, status, labels, notes, units)


def _note(name: str, grids: Grids | None, slot: int, proved: bool) -> str:
    if grids is None:
        return name
    zh, en = WORDS[STATUS[int(grids.status[slot])]]
    people = f" · {int(grids.population[slot])} 人" if grids.population[slot] else ""
    return (
        f"{name} · {int(grids.households[slot])} 户{people} · {zh} {en}"
        f"{' (' + UNAVOIDABLE[0] + ' ' + UNAVOIDABLE[1] + ')' if proved else ''}"
        f" · PP {grids.polsby_popper[slot]:.2f} · {int(grids.pieces[slot])} 块"
    )
