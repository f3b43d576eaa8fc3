"""The Chinese typeface that the machine has, for measuring words and for drawing them into pixels."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import Any

from gridmap.errors import Unavailable

FAMILY = "Noto Sans CJK SC"
_MEASURED_PX = 100


@cache
def font(pixels: int, bold: bool = False) -> Any:
    """The typeface at a size (PIL). Raises ``Unavailable`` SHEET_NO_FONT where the machine has no Chinese one."""
    from PIL import ImageFont

    path, index = _file(bold)
    return ImageFont.truetype(path, pixels, index=index)


def length(text: str, size: float, *, bold: bool = False) -> float:
    """How long a line of text is, in the unit of ``size``."""
    return float(font(_MEASURED_PX, bold).getlength(text)) * size / _MEASURED_PX


@cache
def _file(bold: bool) -> tuple[str, int]:
    """The file of the typeface and its number in it, as fontconfig finds it; WeasyPrint asks it as well."""
    pattern = f"{FAMILY}:lang=zh-cn{':bold' if bold else ''}"
    try:
        found = subprocess.run(
            ["fc-match", "--format", "%{file}|%{index}|%{lang}", pattern],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable("SHEET_NO_FONT") from error
    path, index, languages = found.stdout.split("|", 2)
    if "zh" not in languages:
        raise Unavailable("SHEET_NO_FONT")
    return path, int(index) & 0xFFFF
