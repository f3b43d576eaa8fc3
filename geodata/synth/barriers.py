"""Streets, river, railway, ponds, walls and the outlines of compounds of one county."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth import names
from geodata.synth.ground import HEIGHT, RAIL_U, RIVER_V, WIDTH, Floats, Geometries, Ground, boxes, segments
from geodata.synth.landuse import USES, reach
from geodata.synth.layout import URBAN_COLUMNS, Layout

if TYPE_CHECKING:
    import geopandas

ROAD_WIDTH_M = {"trunk": 40.0, "primary": 36.0, "secondary": 24.0, "tertiary": 16.0, "residential": 9.0, "service": 5.0}
COMPOUND_INSET_M = 7.0
BRIDGE_HALF_M, UNDERPASS_HALF_M = 55.0, 40.0


@dataclass(slots=True)
class _Drawn:
    """Plan geometries with their attributes, collected row by row."""

    rows: list[tuple[object, str, str | None, str | None, bool, bool, float | None]]

    def add(
        self,
        geometry: object,
        kind: str,
        cls: str | None = None,
        name: str | None = None,
        *,
        tunnel: bool = False,
        bridge: bool = False,
        width_m: float | None = None,
    ) -> None:
        self.rows.append((geometry, kind, cls, name, tunnel, bridge, width_m))


def barriers(
    layout: Layout,
    ground: Ground,
    origin: tuple[float, float],
    compound_names: list[str | None],
    rng: np.random.Generator,
) -> geopandas.GeoDataFrame:
    """All barriers with the columns of ``Kind.BARRIERS``; compound outlines are rows of kind "compound"."""
    import geopandas

    land = shapely.union_all(boxes(layout.communities))
    drawn = _Drawn([])
    _arterials(drawn, layout, land, rng)
    _streets(drawn, layout, land, rng)
    _waters(drawn, layout, land, origin, rng)
    for line, bridge in _pieces(RAIL_U, 0.0, HEIGHT, [RIVER_V], BRIDGE_HALF_M):
        drawn.add(shapely.intersection(line, land), "rail", "rail", "沿江铁路", bridge=bridge, width_m=12.0)
    for block, name in enumerate(compound_names):
        if name:
            drawn.add(_inset(layout, block), "compound", None, name)
        elif layout.block_use[block] == "factory":
            drawn.add(
                shapely.LineString(shapely.get_coordinates(_inset(layout, block))), "wall", "wall", None, width_m=0.3
            )
    columns = ["geometry", "kind", "class", "name", "tunnel", "bridge", "width_m"]
    frame = pd.DataFrame(drawn.rows, columns=columns)
    shapes: Geometries
    shapes, row = shapely.get_parts(np.array(frame["geometry"].tolist(), dtype=object), return_index=True)
    present = ~shapely.is_empty(shapes)
    shapes, row = shapes[present], row[present]
    shapes = shapely.transform(shapes, lambda uv: uv + np.array(origin))
    frame = frame.iloc[row].reset_index(drop=True).drop(columns="geometry")
    return geopandas.GeoDataFrame(frame, geometry=ground.place(shapes), crs="EPSG:4490")


def _arterials(drawn: _Drawn, layout: Layout, land: shapely.Geometry, rng: np.random.Generator) -> None:
    """Through roads of the frame: bridges over the river, underpasses below the railway."""
    titles = names.roads(len(layout.columns) + len(layout.rows), rng)
    for i, u in enumerate(layout.columns[1:-1], start=1):
        cls = "trunk" if i == URBAN_COLUMNS else "primary" if i < URBAN_COLUMNS else "secondary"
        name = "环城东路" if cls == "trunk" else titles.pop()
        for line, bridge in _pieces(u, 0.0, HEIGHT, [RIVER_V], BRIDGE_HALF_M):
            drawn.add(shapely.intersection(line, land), "road", cls, name, bridge=bridge, width_m=ROAD_WIDTH_M[cls])
    for v in layout.rows[1:-1]:
        if v == RIVER_V:
            continue
        name = titles.pop()
        for line, tunnel in _pieces(v, 0.0, WIDTH, [RAIL_U], UNDERPASS_HALF_M, across=True):
            drawn.add(shapely.intersection(line, land), "road", "primary", name, tunnel=tunnel, width_m=36.0)


def _pieces(
    at: float, start: float, end: float, crossings: list[float], half_m: float, across: bool = False
) -> list[tuple[shapely.Geometry, bool]]:
    """A straight line cut at ``crossings``: pieces, and whether each is the crossing itself."""
    stops = [start, *(edge for c in crossings for edge in (c - half_m, c + half_m)), end]
    pieces: list[tuple[shapely.Geometry, bool]] = []
    for i, (a, b) in enumerate(pairwise(stops)):
        ends = [(a, at), (b, at)] if across else [(at, a), (at, b)]
        pieces.append((shapely.LineString(ends), i % 2 == 1))
    return pieces


def _streets(drawn: _Drawn, layout: Layout, land: shapely.Geometry, rng: np.random.Generator) -> None:
    """The guillotine's cuts; among fields only some carry a road, the others are hedges and paths."""
    lines = shapely.intersection(segments(layout.cuts), land)
    middle = (layout.cuts[:, :2] + layout.cuts[:, 2:]) / 2
    rural = (middle[:, 0] > layout.columns[URBAN_COLUMNS]) & ~_within(layout.communities[layout.seat], middle)
    length = shapely.length(lines)
    classes = np.where(rural & (layout.cut_class == "secondary"), "tertiary", layout.cut_class)
    bare = rural & (classes == "residential") & (rng.random(len(lines)) < 0.35)
    bare |= rural & (classes == "service") & (reach(middle, layout.hamlets) > 1.15)
    titled = np.isin(classes, ("secondary", "tertiary")) & ~rural
    roads = iter(names.roads(int(titled.sum()), rng))
    lanes = iter(names.lanes(int((~titled & (classes == "residential") & ~rural).sum()), rng))
    embankment = np.isin(
        np.abs(middle[:, 1] - RIVER_V), np.abs(layout.blocks[layout.block_use == "bank"][:, [1, 3]] - RIVER_V)
    )
    for i in np.flatnonzero(~bare & (length > 0)):
        cls = str(classes[i])
        name: str | None = None
        if titled[i]:
            name = next(roads)
            name = ("江北大道" if middle[i, 1] > RIVER_V else "江南大道") if embankment[i] else name
        elif cls == "residential" and not rural[i]:
            name = next(lanes)
        drawn.add(lines[i], "road", cls, name, width_m=ROAD_WIDTH_M[cls])


def _within(rect: Floats, points: Floats) -> np.ndarray:
    inside: np.ndarray = np.all((points >= rect[:2]) & (points <= rect[2:]), axis=1)
    return inside


def _waters(
    drawn: _Drawn, layout: Layout, land: shapely.Geometry, origin: tuple[float, float], rng: np.random.Generator
) -> None:
    """The river (its width swells along its course), ponds among the fields, lakes in some parks."""
    u = np.arange(0.0, WIDTH + 1, 20.0)
    half = 36 + 7 * np.sin(2 * np.pi * (u + origin[0]) / 3000) + 4 * np.sin(2 * np.pi * (u + origin[0]) / 750)
    bank = np.concatenate([np.column_stack([u, RIVER_V + half]), np.column_stack([u, RIVER_V - half])[::-1]])
    river = shapely.intersection(shapely.Polygon(bank), land)
    for part in shapely.get_parts(river):
        drawn.add(part, "water", "river", "澄江", width_m=72.0)
    lakes = 0
    for block in np.flatnonzero(np.isin(layout.block_use, ("field", "park"))):
        rect = layout.blocks[block]
        park = layout.block_use[block] == "park"
        if rng.random() > (0.5 if park else 0.18) or (not park and rect[0] < layout.columns[URBAN_COLUMNS]):
            continue
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        radius = 1 + 0.18 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.1 * np.sin(3 * angle + rng.uniform(0, 6))
        half_uv = (rect[2:] - rect[:2]) * rng.uniform(0.12, 0.25)
        shore = (rect[:2] + rect[2:]) / 2 + half_uv * np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        drawn.add(shapely.Polygon(shore), "water", "lake" if park else "pond", names.lake(lakes) if park else None)
        lakes += park


def _inset(layout: Layout, block: int) -> shapely.Geometry:
    """The wall of a block: its rectangle moved inwards, further where it fronts an arterial."""
    rect, community = layout.blocks[block], layout.communities[layout.block_community[block]]
    inset = np.where(rect == community, 20.0, COMPOUND_INSET_M) * np.array([1, 1, -1, -1])
    u0, v0, u1, v1 = rect + inset
    return shapely.Polygon([(u0, v0), (u1, v0), (u1, v1), (u0, v1)])


def compound_names(layout: Layout, rng: np.random.Generator) -> list[str | None]:
    """A name for every block that a wall closes, None for the others."""
    closed = [USES[name].compound for name in layout.block_use]
    pool = iter(names.compounds(sum(closed), rng))
    return [next(pool) if is_closed else None for is_closed in closed]
