"""The plan as a map for paper, drawn offline: grids by status in colour and pattern, scale bar, north arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import shapely

#: Fill, ink and pattern of each status, the same as on the screen (gridmap/static/js/maps/patterns.js).
STYLES: Mapping[str, tuple[str, str, str]] = {
    "within": ("#b5dcc4", "#1d6b45", ""),
    "under": ("#bcd8f0", "#1b5a8a", '<circle cx="0.7" cy="0.7" r="0.3"/><circle cx="2.1" cy="2.1" r="0.3"/>'),
    "over": ("#f3b9ad", "#a3242b", '<path d="M-.7 .7L.7-.7M0 2.8L2.8 0M2.1 3.5L3.5 2.1" stroke-width=".35"/>'),
    "empty": ("#dfe4e9", "#5b6673", '<path d="M.8 .8L2 2M2 .8L.8 2" stroke-width=".3"/>'),
    "unchecked": ("#f1f3f5", "#4a5866", '<path d="M0 1.4L2.8 1.4" stroke-width=".3"/>'),
}
TILE_MM = 2.8
SIMPLIFY_MM = 0.1
LABEL_MM2 = 22.0
MOST_LABELS = 600
#: Room for the scale bar under the map.
FOOT_MM = 7.0


@dataclass(frozen=True, slots=True)
class MapContent:
    """What is drawn, in metres of a local metric CRS: grids with status and label, and lines for orientation."""

    grids: Any
    status: Sequence[str]
    labels: Sequence[str]
    communities: Any
    water: Any
    roads: Any


def draw(content: MapContent, *, width_mm: float = 176.0, height_mm: float = 150.0) -> str:
    """An SVG element of at most that size."""
    west, south, east, north = shapely.total_bounds(np.concatenate([content.communities, content.grids]))
    scale = min(width_mm / (east - west), height_mm / (north - south))
    width, height = (east - west) * scale, (north - south) * scale

    def paper(shapes: Any) -> Any:
        return shapely.transform(shapes, lambda xy: np.column_stack([xy[:, 0] - west, north - xy[:, 1]]) * scale)

    frame = shapely.box(0, 0, width, height)
    grids = shapely.coverage_simplify(paper(content.grids), SIMPLIFY_MM)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}mm" height="{height + FOOT_MM:.1f}mm" '
        f'viewBox="0 0 {width:.1f} {height + FOOT_MM:.1f}">',
        f"<defs>{''.join(_pattern(name) for name in STYLES)}</defs>",
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#fbfbf8"/>',
        *(_grid(_path(shape), status) for shape, status in zip(grids, content.status, strict=True)),
        _layer(shapely.intersection(paper(content.water), frame), 'fill="#8fbcd9" fill-opacity=".8" stroke="none"'),
        _layer(shapely.intersection(paper(content.roads), frame), 'fill="none" stroke="#8b7d6b" stroke-width=".35"'),
        _layer(paper(content.communities), 'fill="none" stroke="#1b2733" stroke-width=".6" stroke-dasharray="2 .8"'),
        *_labels(grids, content.labels),
        _scale_bar(scale, height + FOOT_MM),
        _north(width),
        "</svg>",
    ]
    return "".join(parts)


def swatch(status: str) -> str:
    """A legend's mark for a status."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="7mm" height="4mm" viewBox="0 0 7 4"><defs>{_pattern(status)}'
        f"</defs>{_grid('M.1 .1H6.9V3.9H.1Z', status)}</svg>"
    )


def _grid(path: str, status: str) -> str:
    # marks lie on a plain fill: tiles with a ground of their own show their seams in print
    fill = STYLES[status][0]
    plain = f'<path d="{path}" fill="{fill}" stroke="#33414e" stroke-width=".25"/>'
    return plain + (f'<path d="{path}" fill="url(#{status})" stroke="none"/>' if STYLES[status][2] else "")


def _pattern(status: str) -> str:
    _, ink, marks = STYLES[status]
    size = f'width="{TILE_MM}" height="{TILE_MM}"'
    return (
        f'<pattern id="{status}" {size} patternUnits="userSpaceOnUse">'
        f'<g fill="{ink}" stroke="{ink}" stroke-width="0" opacity=".55">{marks}</g></pattern>'
    )


def _layer(shapes: Any, style: str) -> str:
    drawn = shapely.simplify(shapes[~shapely.is_empty(shapes)], SIMPLIFY_MM)
    return f'<path d="{"".join(_path(shape) for shape in drawn)}" {style}/>' if len(drawn) else ""


def _path(shape: Any) -> str:
    """SVG path data of polygons (rings closed) and lines, hundredths of a millimetre."""
    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                out.append(f"M{_points(ring.coords[:-1])}Z")
        elif part.geom_type == "LineString":
            out.append(f"M{_points(part.coords)}")
    return "".join(out)


def _points(coordinates: Any) -> str:
    return "L".join(f"{x:.2f} {y:.2f}" for x, y in coordinates)


def _labels(grids: Any, labels: Sequence[str]) -> list[str]:
    """Numbers of the grids that have room for one."""
    room = shapely.area(grids) >= LABEL_MM2
    if room.sum() > MOST_LABELS:
        return []
    places = shapely.get_coordinates(shapely.point_on_surface(grids[room]))
    texts = [label for label, fits in zip(labels, room, strict=True) if fits]
    # the halo first, the text over it: paint-order is not known to every renderer
    return [
        f'<text x="{x:.1f}" y="{y + 0.8:.1f}" font-size="2.3" text-anchor="middle" {style} '
        f'font-family="Noto Sans CJK SC, sans-serif">{escape(text)}</text>'
        for (x, y), text in zip(places.tolist(), texts, strict=True)
        for style in ('fill="#fff" stroke="#fff" stroke-width=".6"', 'fill="#14202b"')
    ]


def _scale_bar(mm_per_m: float, height: float) -> str:
    """A bar of a round number of metres, about 35 mm long."""
    wanted_m = 35 / mm_per_m
    unit = 10 ** np.floor(np.log10(wanted_m))
    length_m = int(max(step * unit for step in (1, 2, 5) if step * unit <= wanted_m))
    length, y = length_m * mm_per_m, height - 3
    text = f"{length_m // 1000} km" if length_m >= 1000 else f"{length_m} m"
    box = f'<rect x="1" y="{y - 5:.1f}" width="{length + 6:.1f}" height="7" fill="#fff" fill-opacity=".85"/>'
    line = f"M3 {y - 1.2:.1f}V{y:.1f}H{3 + length:.1f}V{y - 1.2:.1f}"
    bar = f'<path d="{line}" fill="none" stroke="#14202b" stroke-width=".4"/>'
    label = f'<text x="{3 + length / 2:.1f}" y="{y - 1.5:.1f}" font-size="2.6" text-anchor="middle">{text}</text>'
    return box + bar + label


def _north(width: float) -> str:
    x = width - 6
    return (
        f'<rect x="{x - 4:.1f}" y="1" width="8" height="12" fill="#fff" fill-opacity=".85"/>'
        f'<path d="M{x:.1f} 5L{x + 2.2:.1f} 12L{x:.1f} 10.4L{x - 2.2:.1f} 12Z" fill="#14202b"/>'
        f'<text x="{x:.1f}" y="4.2" font-size="3" text-anchor="middle">N</text>'
    )
