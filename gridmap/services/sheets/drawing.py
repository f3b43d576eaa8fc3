"""What a sheet of paper or a slide shows, in millimetres from its upper left corner: shapes, pictures, words.

One drawing becomes SVG for print (:mod:`gridmap.services.sheets.as_svg`) or pixels for slides
(:mod:`gridmap.services.sheets.as_png`), so that both always say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Anchor = Literal["start", "middle", "end"]
INK, MUTED, FRAME = "#14202b", "#5b6673", "#8a949e"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Polygons or lines (shapely, mm, y downwards) of one style.

    ``line`` is the width of the stroke, ``dash`` on and off, in mm; ``status`` fills with the status's pattern.
    """

    shapes: Any
    fill: str | None = None
    stroke: str | None = None
    line: float = 0.2
    dash: tuple[float, float] | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG stretched over a rectangle."""

    png: bytes
    x: float
    y: float
    width: float
    height: float
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text: ``y`` is its base line, ``size`` in mm, ``halo`` a white rim for words over a map."""

    x: float
    y: float
    text: str
    size: float = 3.2
    anchor: Anchor = "start"
    bold: bool = False
    colour: str = INK
    halo: bool = False


Item: TypeAlias = Shapes | Picture | Words


@dataclass(slots=True)
class Drawing:
    """A sheet of ``width`` x ``height`` mm and what lies on it, the first at the bottom; words lie above all."""

    width: float
    height: float
    items: list[Item] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        """Lay items over what is there."""
        self.items.extend(items)

    def box(self, x: float, y: float, width: float, height: float, **style: Any) -> None:
        """Lay a rectangle over what is there."""
        import shapely

        self.add(Shapes([shapely.box(x, y, x + width, y + height)], **style))

    def paragraph(self, x: float, y: float, text: str, width: float, *, lines: int = 99, **style: Any) -> float:
        """Words broken into lines of at most ``width`` mm; where the next base line would be.

        What does not fit into ``lines`` ends in an ellipsis.
        """
        size = float(style.get("size", 3.2))
        for line in wrapped(text, size, width, lines, bold=bool(style.get("bold"))):
            self.add(Words(x, y, line, **style))
            y += size * 1.45
        return y


def wrapped(text: str, size: float, width: float, most: int = 99, *, bold: bool = False) -> Sequence[str]:
    """``text`` in lines of at most ``width`` mm; broken at spaces, and anywhere between Chinese characters."""
    from gridmap.services.sheets.fonts import length

    lines, line = [], ""
    for word in _words(text):
        if line and length(line + word.rstrip(), size, bold=bold) > width:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    lines.append(line.rstrip())
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and length(f"{last}…", size, bold=bold) > width:
        last = last[:-1]
    return [*lines[: most - 1], f"{last}…"]


_CLOSING = "，。、；：）》”！？%"


def _words(text: str) -> Sequence[str]:
    """Pieces between which a line may break; closing marks stay with what is before them."""
    pieces: list[str] = []
    for character in text:
        closes = character in _CLOSING or character == " "
        if pieces and (closes or (_latin(character) and _latin(pieces[-1][-1]))):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _latin(character: str) -> bool:
    return (character.isascii() and not character.isspace()) or character in "–·"
