"""Rows of footprints on every plot: where each building stands, how big and how high it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.synth.barriers import ROAD_WIDTH_M
from geodata.synth.ground import HEIGHT, RAIL_U, RIVER_V, STEP, WIDTH, Floats, Geometries, Ground, segments
from geodata.synth.landuse import USES, reach
from geodata.synth.layout import Ints, Layout

#: Metres from the edge of a plot to the first wall: arterial or community border, street, lane inside the block.
SETBACK_M = (23.0, 11.5, 4.2)
ROUND_M = 0.01
KERB_M = 0.2


@dataclass(frozen=True, slots=True)
class Footprints:
    """Buildings as arrays of equal length; ``uv`` (n, 2) is the centre in the county's own plan metres."""

    uv: Floats
    size_m: Floats
    block: Ints
    floors: Ints
    turn: Floats

    def __len__(self) -> int:
        return len(self.block)

    def take(self, chosen: NDArray[np.bool_] | Ints) -> Footprints:
        return Footprints(
            self.uv[chosen], self.size_m[chosen], self.block[chosen], self.floors[chosen], self.turn[chosen]
        )

    def polygons(self, ground: Ground, origin: tuple[float, float]) -> tuple[Geometries, Geometries]:
        """The footprints as rectangles turned with the street: in lon/lat (EPSG:4490), and in local metres."""
        centre, heading, scale = ground.axes(self.uv + np.array(origin))
        half = self.size_m * np.minimum(scale, 1.0) / 2
        angle = heading + self.turn
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        du, dv = half[:, :1] * np.array([-1, 1, 1, -1, -1]), half[:, 1:] * np.array([-1, -1, 1, 1, -1])
        corners = np.stack([centre[:, :1] + cos * du - sin * dv, centre[:, 1:] + sin * du + cos * dv], axis=-1)
        lonlat = ground.lonlat(corners.reshape(-1, 2)).reshape(-1, 5, 2)
        return np.asarray(shapely.polygons(lonlat), object), np.asarray(shapely.polygons(corners), object)


def build(
    layout: Layout, ground: Ground, origin: tuple[float, float], count: int, rng: np.random.Generator
) -> Footprints:
    """At most ``count`` buildings on the layout, none over another, none in the river or on the railway."""
    names = list(USES)
    use = np.array([names.index(name) for name in layout.plot_use])
    rects = layout.plots + _setbacks(layout) * np.array([1, 1, -1, -1])
    placed = _rows(rects, use, layout, rng)
    clear = (np.abs(placed.uv[:, 1] - RIVER_V) > 70) & (np.abs(placed.uv[:, 0] - RAIL_U) > 32)
    placed = placed.take(clear & _kept(placed, layout, rng))
    placed = placed.take(_off_the_roads(placed.polygons(ground, origin)[1], layout, ground, origin))
    placed = placed.take(_apart(placed.polygons(ground, origin)[1]))
    return placed.take(_thin(placed, layout, count, rng))


def _setbacks(layout: Layout) -> Floats:
    """Setback of each side of each plot (n, 4), by whether it lies on a community border, a street or a lane."""
    block = layout.blocks[layout.plot_block]
    community = layout.communities[layout.block_community[layout.plot_block]]
    arterial, street, lane = SETBACK_M
    return np.where(layout.plots == community, arterial, np.where(layout.plots == block, street, lane))


def _rows(rects: Floats, use: Ints, layout: Layout, rng: np.random.Generator) -> Footprints:
    """Fill each rectangle with rows and columns of its use's footprint, the room between them evened out."""
    table = np.array([[u.length_m, u.depth_m, u.gap_u_m, u.gap_v_m, u.most, *u.floors] for u in USES.values()])[use]
    length, depth, gap_u, gap_v, most = table[:, :5].T
    length = length * rng.uniform(0.88, 1.12, len(rects))
    width, height = rects[:, 2] - rects[:, 0], rects[:, 3] - rects[:, 1]
    columns = np.maximum(np.floor((width + gap_u) / (length + gap_u)), 0).astype(int)
    rows = np.maximum(np.floor((height + gap_v) / (depth + gap_v)), 0).astype(int)
    single = most == 1
    columns, rows = np.where(single & (columns > 0), 1, columns), np.where(single & (rows > 0), 1, rows)
    number = columns * rows
    plot = np.repeat(np.arange(len(rects)), number)
    k = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    few = k < most[plot]
    plot, k = plot[few], k[few]
    pitch_u, pitch_v = width[plot] / columns[plot], height[plot] / rows[plot]
    uv = np.column_stack(
        [rects[plot, 0] + (k % columns[plot] + 0.5) * pitch_u, rects[plot, 1] + (k // columns[plot] + 0.5) * pitch_v]
    )
    loose = np.isin(use[plot], [list(USES).index(name) for name in ("old", "infill", "hamlet", "field")])
    vary = np.where(loose, 0.16, 0.03)
    size = np.column_stack([length, depth])[plot] * (1 + vary[:, None] * rng.uniform(-1, 1, (len(plot), 2)))
    slack = np.maximum(np.column_stack([pitch_u, pitch_v]) - size - 1.2, 0) / 2
    uv += slack * rng.uniform(-1, 1, uv.shape) * np.where(loose, 0.7, 0.08)[:, None]
    turn = np.where(loose, rng.normal(0, 0.035, len(plot)), 0.0)
    low, high = table[plot, 5], table[plot, 6]
    plot_floors = rng.random(len(rects))[plot]
    spread = np.where(loose, rng.random(len(plot)), 0.75 * plot_floors + 0.25 * rng.random(len(plot)))
    floors = np.floor(low + spread * (high - low + 0.999)).astype(int)
    return Footprints(uv, np.round(size / ROUND_M) * ROUND_M, layout.plot_block[plot], floors, turn)


def _kept(placed: Footprints, layout: Layout, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Leave plots empty as their use has it, and the middle of fields and parks, where ponds may lie."""
    use = layout.block_use[placed.block]
    keep = np.array([USES[name].keep for name in layout.block_use])[placed.block]
    rect = layout.blocks[placed.block]
    middle, half = (rect[:, :2] + rect[:, 2:]) / 2, (rect[:, 2:] - rect[:, :2]) / 2
    pond = (np.abs((placed.uv - middle) / half).max(axis=1) < 0.72) & np.isin(use, ("field", "park"))
    chosen: NDArray[np.bool_] = (rng.random(len(placed)) < keep) & ~pond
    return chosen


def _off_the_roads(
    polygons: Geometries, layout: Layout, ground: Ground, origin: tuple[float, float]
) -> NDArray[np.bool_]:
    """Mark the polygons that no carriageway touches: where the ground is squeezed, setbacks shrink."""
    frame = [(u, 0.0, u, HEIGHT) for u in layout.columns[1:-1]] + [(0.0, v, WIDTH, v) for v in layout.rows[1:-1]]
    widths = [ROAD_WIDTH_M["trunk"]] * len(frame) + [ROAD_WIDTH_M[name] for name in layout.cut_class]
    plan = shapely.segmentize(segments(np.vstack([np.array(frame), layout.cuts])), STEP)
    roads = shapely.transform(plan, lambda uv: ground.metres(uv + np.array(origin)))
    carriageways = shapely.buffer(roads, np.array(widths) / 2 + KERB_M)
    clear = np.ones(len(polygons), bool)
    clear[shapely.STRtree(carriageways).query(polygons, predicate="intersects")[0]] = False
    return clear


def _apart(polygons: Geometries) -> NDArray[np.bool_]:
    """Mark all but the later one of every two polygons that touch."""
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    alone = np.ones(len(polygons), bool)
    alone[second[second > first]] = False
    return alone


def _thin(placed: Footprints, layout: Layout, count: int, rng: np.random.Generator) -> Ints:
    """Indices of ``count`` buildings in block order: hamlets grow outwards, in clumps, until the number is reached.

    Where the town alone has too many, small houses go at random.
    """
    use = layout.block_use[placed.block]
    hamlet = np.flatnonzero(use == "hamlet")
    uv = placed.uv[hamlet]
    clump = 0.16 * np.sin(uv[:, 0] / 31 + uv[:, 1] / 83) * np.cos(uv[:, 1] / 27 - uv[:, 0] / 71)
    distance = reach(uv, layout.hamlets) + clump + rng.normal(0, 0.07, len(uv))
    town = len(placed) - len(hamlet)
    kept = use != "hamlet"
    kept[hamlet[np.argsort(distance, kind="stable")[: max(count - town, 0)]]] = True
    houses = np.flatnonzero(np.isin(use, ("old", "infill")))
    kept[rng.choice(houses, min(max(town - count, 0), len(houses)), replace=False)] = False
    order = np.lexsort((placed.uv[:, 0], -placed.uv[:, 1], placed.block))
    chosen: Ints = order[kept[order]]
    return chosen
