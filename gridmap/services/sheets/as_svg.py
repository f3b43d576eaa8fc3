"""A drawing as SVG, for a page that WeasyPrint prints."""

from __future__ import annotations

from base64 import b64encode
from xml.sax.saxutils import escape

import numpy as np
import shapely

from gridmap.services.reports.map_svg import STYLES, TILE_MM
from gridmap.services.sheets.drawing import Drawing, Item, Picture, Shapes, Words
from gridmap.services.sheets.fonts import FAMILY


def svg(drawing: Drawing) -> str:
    """An SVG element of the drawing's size; its words stay text."""
    words = [one for one in drawing.items if isinstance(one, Words)]
    others = [one for one in drawing.items if not isinstance(one, Words)]
    used = {one.status for one in others if isinstance(one, Shapes) and one.status}
    size = f'width="{drawing.width:.2f}mm" height="{drawing.height:.2f}mm"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {drawing.width:.2f} {drawing.height:.2f}">'
    patterns = "".join(_pattern(status) for status in sorted(used) if STYLES[status][2])
    return "".join([head, f"<defs>{patterns}</defs>", *(_item(one) for one in [*others, *words]), "</svg>"])


def _item(item: Item) -> str:
    if isinstance(item, Words):
        return _words(item)
    if isinstance(item, Picture):
        place = f'x="{item.x:.2f}" y="{item.y:.2f}" width="{item.width:.2f}" height="{item.height:.2f}"'
        data = b64encode(item.png).decode()
        return (
            f'<image {place} opacity="{item.opacity}" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        )
    path = "".join(_path(shape) for shape in item.shapes)
    if not path:
        return ""
    fill = STYLES[item.status][0] if item.status else item.fill or "none"
    dash = f' stroke-dasharray="{item.dash[0]} {item.dash[1]}"' if item.dash else ""
    line = f'stroke="{item.stroke}" stroke-width="{item.line}" stroke-linejoin="round"{dash}' if item.stroke else ""
    drawn = f'<path d="{path}" fill="{fill}" fill-rule="evenodd" {line}/>'
    if item.status and STYLES[item.status][2]:
        drawn += f'<path d="{path}" fill="url(#sheet-{item.status})"/>'
    return drawn


def _pattern(status: str) -> str:
    _, ink, marks = STYLES[status]
    size = f'width="{TILE_MM}" height="{TILE_MM}"'
    return (
        f'<pattern id="sheet-{status}" {size} patternUnits="userSpaceOnUse">'
        f'<g fill="{ink}" stroke="{ink}" stroke-width="0" opacity=".55">{marks}</g></pattern>'
    )


def _words(item: Words) -> str:
    weight = ' font-weight="bold"' if item.bold else ""
    place = f'x="{item.x:.2f}" y="{item.y:.2f}" font-size="{item.size}" text-anchor="{item.anchor}"'
    family = f'font-family="{FAMILY}, sans-serif"'
    styles = [f'fill="{item.colour}"']
    if item.halo:  # paint-order is not known to every renderer
        styles.insert(0, f'fill="#fff" stroke="#fff" stroke-width="{item.size * 0.28:.2f}" stroke-linejoin="round"')
    return "".join(f"<text {place} {family}{weight} {style}>{escape(item.text)}</text>" for style in styles)


def _path(shape: shapely.Geometry) -> str:
    """SVG path data of polygons (rings closed) and lines, hundredths of a millimetre."""
    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                out.append(f"M{_points(shapely.get_coordinates(ring)[:-1])}Z")
        elif part.geom_type == "LineString":
            out.append(f"M{_points(shapely.get_coordinates(part))}")
    return "".join(out)


def _points(coordinates: np.ndarray) -> str:
    return "L".join(f"{x:.2f} {y:.2f}" for x, y in coordinates.tolist())
