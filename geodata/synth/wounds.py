"""The faults that years of drawing by hand leave in grids: gaps, overlaps, cut buildings, codes given twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from geodata.synth.footprints import Footprints
from geodata.synth.ground import Floats, Geometries
from geodata.synth.layout import Ints, Layout


@dataclass(slots=True)
class Draft:
    """Grids while they are drawn: for each its community, kind, plots, and its polygon in plan space."""

    community: list[int] = field(default_factory=list)
    special: list[str | None] = field(default_factory=list)
    plots: list[Ints] = field(default_factory=list)
    shape: list[shapely.Geometry] = field(default_factory=list)


def spoil(layout: Layout, draft: Draft, placed: Footprints, rng: np.random.Generator) -> dict[str, int]:
    """Wound the drawing: gaps, overlaps, borders through buildings and across communities; no grid twice."""
    share = len(layout.communities) / 30
    wounds = ["gaps"] * 5 + ["overlaps"] * 5 + ["borders_through_buildings"] * 7 + ["across_community_border"] * 3
    wounds = wounds if share > 0.9 else wounds[:: max(1, round(1 / share))]
    found = dict.fromkeys(("gaps", "overlaps", "borders_through_buildings", "across_community_border"), 0)
    shapes = np.array(draft.shape, dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="touches")
    centres = np.asarray(shapely.points(placed.uv), object)
    sound = np.ones(len(shapes), bool)
    for wound in wounds:
        for _ in range(60):
            pair = int(rng.integers(len(first)))
            a, b = int(first[pair]), int(second[pair])
            same = draft.community[a] == draft.community[b]
            if same == (wound == "across_community_border") or not (sound[a] and sound[b]):
                continue
            strip = _strip(draft.shape[a], draft.shape[b], placed.uv, centres, rng)
            if strip is None:
                continue
            if wound in ("gaps", "borders_through_buildings"):
                draft.shape[b] = shapely.difference(draft.shape[b], strip)
            if wound != "gaps":
                draft.shape[a] = shapely.union(draft.shape[a], strip)
            found[wound] += 1
            sound[[a, b]] = False
            break
    return found


def _strip(
    shape: shapely.Geometry, other: shapely.Geometry, uv: Floats, centres: Geometries, rng: np.random.Generator
) -> shapely.Geometry | None:
    """The part of ``other`` beside ``shape``, as deep as the middle of a building; None where that divides it."""
    border = shapely.intersection(shape, other)
    if border.length < 60:
        return None
    near = np.flatnonzero(shapely.dwithin(centres, border, 45) & shapely.contains(other, centres))
    if not len(near):
        return None
    depth = float(shapely.distance(border, centres[int(rng.choice(near))])) + 1.5
    strip = shapely.intersection(shapely.buffer(border, depth, cap_style="flat", join_style="mitre"), other)
    left = shapely.difference(other, strip)
    if strip.geom_type != "Polygon" or left.geom_type != "Polygon" or left.area < strip.area:
        return None
    return strip


def spoil_codes(rows: list[dict[str, object]], rng: np.random.Generator) -> dict[str, int]:
    """One code given twice, one grid that carries the code of another community."""
    found = {"duplicate_codes": 0, "foreign_codes": 0}
    regions = [row["region_code"] for row in rows]
    twins = [i for i in range(1, len(rows)) if regions[i] == regions[i - 1]]
    if twins:
        twin = int(rng.choice(twins))
        rows[twin]["code"] = rows[twin - 1]["code"]
        found["duplicate_codes"] = 1
    codes = [row["code"] for row in rows]
    strangers = [i for i in range(len(rows)) if regions[i] != regions[0] and codes.count(codes[i]) == 1]
    if strangers:
        rows[int(rng.choice(strangers))]["code"] = f"{regions[0]}901"
        found["foreign_codes"] = 1
    return found
