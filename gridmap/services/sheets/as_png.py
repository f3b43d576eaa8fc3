"""A drawing as pixels, for slides: shapes drawn at twice the size and shrunk, words set at their final size."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gridmap.services.reports.map_svg import STYLES
from gridmap.services.sheets.drawing import INK, Drawing, Picture, Shapes, Words
from gridmap.services.sheets.fonts import font

if TYPE_CHECKING:
    from PIL.Image import Image

_FINER = 2


def png(drawing: Drawing, width_px: int) -> bytes:
    """The drawing ``width_px`` wide."""
    from PIL import Image

    scale = width_px / drawing.width
    height_px = round(drawing.height * scale)
    ground = Image.new("RGB", (width_px * _FINER, height_px * _FINER), "#ffffff")
    for item in drawing.items:
        if isinstance(item, Shapes):
            _shapes(ground, item, scale * _FINER)
        elif isinstance(item, Picture):
            _picture(ground, item, scale * _FINER)
    drawn = ground.resize((width_px, height_px), Image.Resampling.BOX)
    for item in drawing.items:
        if isinstance(item, Words):
            _words(drawn, item, scale)
    out = BytesIO()
    drawn.save(out, "PNG", dpi=(25.4 * scale, 25.4 * scale), compress_level=6)
    return out.getvalue()


def _shapes(ground: Image, item: Shapes, scale: float) -> None:
    from PIL import Image, ImageDraw

    draw = ImageDraw.Draw(ground)
    parts = [part for shape in item.shapes for part in shapely.get_parts(shape)]
    areas = [part for part in parts if part.geom_type == "Polygon"]
    if areas and (item.fill or item.status):
        mask = Image.new("1", ground.size)
        cut = ImageDraw.Draw(mask)
        for area in sorted(areas, key=lambda one: -one.area):  # what lies in a hole comes after it
            cut.polygon(_flat(area.exterior, scale), fill=1)
            for hole in area.interiors:
                cut.polygon(_flat(hole, scale), fill=0)
        box = mask.getbbox()
        if box:
            fill = STYLES[item.status][0] if item.status else item.fill or INK
            ground.paste(fill, box, mask.crop(box))
            if item.status and STYLES[item.status][2]:
                _marks(ground, item.status, mask, box, scale)
    if item.stroke:
        width = max(1, round(item.line * scale))
        for part in parts:
            rings = (part.exterior, *part.interiors) if part.geom_type == "Polygon" else (part,)
            for ring in rings:
                if item.dash:
                    _dashes(draw, ring, item.dash, item.stroke, width, scale)
                elif part.geom_type in ("Polygon", "LineString"):
                    draw.line(_flat(ring, scale), fill=item.stroke, width=width, joint="curve")


def _dashes(draw: Any, ring: Any, dash: tuple[float, float], colour: str, width: int, scale: float) -> None:
    starts = np.arange(0, ring.length, sum(dash))
    ends = np.minimum(starts + dash[0], ring.length)
    a, b = (shapely.get_coordinates(shapely.line_interpolate_point(ring, at)) * scale for at in (starts, ends))
    for begin, end in zip(a.tolist(), b.tolist(), strict=True):
        draw.line([*begin, *end], fill=colour, width=width)


def _marks(ground: Image, status: str, mask: Image, box: tuple[int, int, int, int], scale: float) -> None:
    """The status's pattern, in the colours of the screen."""
    from PIL import Image, ImageDraw

    fill, ink, _ = STYLES[status]
    step = max(6, round(2.8 * scale))
    tile = Image.new("RGB", (step, step), fill)
    pen = ImageDraw.Draw(tile)
    blend = _mixed(fill, ink, 0.55)
    line = max(1, round(0.35 * scale))
    if status == "under":
        r = 0.3 * scale
        for at in (0.25 * step, 0.75 * step):
            pen.ellipse((at - r, at - r, at + r, at + r), fill=blend)
    elif status == "over":
        for shift in (-step, 0, step):
            pen.line((shift, step, shift + step, 0), fill=blend, width=line)
    elif status == "empty":
        pen.line((step * 0.3, step * 0.3, step * 0.7, step * 0.7), fill=blend, width=line)
        pen.line((step * 0.7, step * 0.3, step * 0.3, step * 0.7), fill=blend, width=line)
    else:
        pen.line((0, step // 2, step, step // 2), fill=blend, width=line)
    width, height = box[2] - box[0], box[3] - box[1]
    cloth = Image.new("RGB", (width, height))
    for x in range(-(box[0] % step), width, step):
        for y in range(-(box[1] % step), height, step):
            cloth.paste(tile, (x, y))
    ground.paste(cloth, box, mask.crop(box))


def _mixed(under: str, over: str, share: float) -> tuple[int, ...]:
    low, high = (np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) for text in (under, over))
    return tuple(int(value) for value in np.round(low * (1 - share) + high * share))


def _picture(ground: Image, item: Picture, scale: float) -> None:
    from PIL import Image

    x, y = round(item.x * scale), round(item.y * scale)
    size = (max(1, round((item.x + item.width) * scale) - x), max(1, round((item.y + item.height) * scale) - y))
    picture = Image.open(BytesIO(item.png)).convert("RGBA").resize(size, Image.Resampling.BILINEAR)
    alpha = picture.getchannel("A").point(lambda value: round(value * item.opacity))
    ground.paste(picture.convert("RGB"), (x, y), alpha)


def _words(ground: Image, item: Words, scale: float) -> None:
    from PIL import ImageDraw

    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[item.anchor]
    face = font(max(6, round(item.size * scale)), item.bold)
    rim = max(1, round(item.size * scale * 0.14)) if item.halo else 0
    pen, at = ImageDraw.Draw(ground), (item.x * scale, item.y * scale)
    pen.text(at, item.text, fill=item.colour, font=face, anchor=anchor, stroke_width=rim, stroke_fill="#ffffff")


def _flat(line: Any, scale: float) -> list[float]:
    found: list[float] = (shapely.get_coordinates(line) * scale).ravel().tolist()
    return found
