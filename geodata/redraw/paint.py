"""The picture of a redraw as PNG, for letters and slides."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from geodata.redraw.draw import STYLES, UNAVOIDABLE, WORDS, Panel, Picture, label_size, metres, scale_m

_FINE = 2  # drawn so many times larger, then made smaller: smooth lines
_MARGIN, _HEAD, _CAPTION, _FOOT = 24, 48, 52, 64
_SMALLEST_PX = 8.0
_INK, _PAPER, _LAND = "#14202b", "#ffffff", "#fbfbf8"
#: Fonts with Chinese characters, as they are called on Linux, Windows and macOS.
_CHINESE = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "msyh.ttc",
    "simhei.ttf",
    "PingFang.ttc",
)


def png(drawn: Picture) -> bytes:
    """The panels side by side with titles, legend and scale; Chinese words only where a font for them is installed."""
    width, height = int(np.ceil(drawn.width)), int(np.ceil(drawn.height))
    whole = Image.new("RGB", (2 * width + 3 * _MARGIN, height + _HEAD + _CAPTION + _FOOT), _PAPER)
    pen = ImageDraw.Draw(whole)
    chinese = _font(12)[1]
    _write(pen, (_MARGIN, 12), drawn.title_zh if chinese else drawn.title_en, 22)
    for at, panel in enumerate(drawn.panels):
        left = _MARGIN + at * (width + _MARGIN)
        if chinese:
            _write(pen, (left, _HEAD), panel.title_zh, 16)
        _write(pen, (left, _HEAD + (24 if chinese else 4)), panel.title_en, 13)
        whole.paste(_map(panel, width, height), (left, _HEAD + _CAPTION))
        pen.rectangle((left - 1, _HEAD + _CAPTION - 1, left + width, _HEAD + _CAPTION + height), outline="#c5ccd3")
    _legend(pen, whole, drawn, chinese, _HEAD + _CAPTION + height + 14)
    stream = BytesIO()
    whole.save(stream, "PNG")
    return stream.getvalue()


def _map(panel: Panel, width: int, height: int) -> Image.Image:
    size = (width * _FINE, height * _FINE)
    ground = np.empty((size[1], size[0], 3), dtype=np.uint8)
    ground[:] = ImageColor.getrgb(_LAND)
    status = np.asarray(panel.status, dtype=object)
    for name, (fill, ink) in STYLES.items():
        inside = _mask(panel.shapes[status == name], size) if len(status) else np.zeros(size[::-1], dtype=bool)
        ground[inside] = ImageColor.getrgb(fill)
        ground[inside & pattern(name, (size[1], size[0]))] = _blend(fill, ink)
    image = Image.fromarray(ground)
    pen = ImageDraw.Draw(image)
    _outlines(pen, panel.units, "#b3bbc2", 1)
    _outlines(pen, panel.shapes, "#1b2733", 3)
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    _labels(ImageDraw.Draw(image), panel)
    return image


def pattern(status: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Where the marks of a status lie in an image of ``shape`` (rows, columns): dots below, stripes above the band."""
    y, x = np.indices(shape, sparse=True)
    if status == "under":
        return np.asarray(((x % 16 - 5) ** 2 + (y % 16 - 5) ** 2 < 9) | ((x % 16 - 13) ** 2 + (y % 16 - 13) ** 2 < 9))
    if status == "over":
        return np.asarray((x + y) % 16 < 4)
    if status == "none":
        return np.asarray(((x + y) % 20 < 2) & ((x - y) % 20 < 12))
    return np.zeros(shape, dtype=bool)


def _mask(shapes: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels inside ``shapes``: the largest first, so that what lies in a hole is painted after the hole is cut."""
    image = Image.new("L", size, 0)
    pen = ImageDraw.Draw(image)
    parts = shapely.get_parts(shapes)
    for part in parts[np.argsort(-shapely.area(parts), kind="stable")]:
        if part.geom_type == "Polygon" and not part.is_empty:
            pen.polygon(_pixels(part.exterior), fill=255)
            for hole in part.interiors:
                pen.polygon(_pixels(hole), fill=0)
    return np.asarray(image) > 0


def _outlines(pen: ImageDraw.ImageDraw, shapes: Any, colour: str, width: int) -> None:
    for ring in shapely.get_rings(shapely.get_parts(shapes)):
        pen.line(_pixels(ring), fill=colour, width=width, joint="curve")


def _pixels(ring: Any) -> list[tuple[float, float]]:
    return [(x * _FINE, y * _FINE) for x, y in shapely.get_coordinates(ring).tolist()]


def _labels(pen: ImageDraw.ImageDraw, panel: Panel) -> None:
    for shape, label in zip(panel.shapes, panel.labels, strict=True):
        size = label_size(shape, label, 13.0) if label else 0.0
        if size >= _SMALLEST_PX:
            x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0].tolist()
            font = _font(round(size))[0]
            pen.text((x, y), label, font=font, fill=_INK, anchor="mm", stroke_width=2, stroke_fill="#ffffff")


def _legend(pen: ImageDraw.ImageDraw, whole: Image.Image, drawn: Picture, chinese: bool, top: int) -> None:
    x = _MARGIN
    for name, (fill, ink) in STYLES.items():
        swatch = np.empty((40, 64, 3), dtype=np.uint8)
        swatch[:] = ImageColor.getrgb(fill)
        swatch[pattern(name, (40, 64))] = _blend(fill, ink)
        whole.paste(Image.fromarray(swatch).resize((32, 20), Image.Resampling.LANCZOS), (x, top))
        pen.rectangle((x, top, x + 32, top + 20), outline="#33414e")
        x = _write(pen, (x + 40, top + 1), " ".join(WORDS[name][0 if chinese else 1 :]), 13) + 24
    x = _write(pen, (x, top + 1), "* " + " ".join(UNAVOIDABLE[0 if chinese else 1 :]), 13) + 32
    length_m = scale_m(drawn.px_per_m)
    length = length_m * drawn.px_per_m
    x = int(min(x, whole.width - _MARGIN - length))
    y = top + 42 if x + length > whole.width - _MARGIN - 1 else top + 16
    pen.line([(x, y - 5), (x, y), (x + length, y), (x + length, y - 5)], fill=_INK, width=2)
    _write(pen, (x + 4, y - 18), metres(length_m), 12)


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> int:
    """Write ``text`` and return where it ends."""
    font = _font(size)[0]
    pen.text(at, text, font=font, fill=_INK)
    return int(at[0] + pen.textlength(text, font=font))


@lru_cache(maxsize=64)
def _font(size: int) -> tuple[Any, bool]:
    """A font of that height in pixels, and whether it has Chinese characters."""
    for name in _CHINESE:
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False


def _blend(fill: str, ink: str) -> tuple[int, ...]:
    return tuple(
        round(0.45 * a + 0.55 * b) for a, b in zip(ImageColor.getrgb(fill), ImageColor.getrgb(ink), strict=True)
    )
