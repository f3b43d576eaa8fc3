"""Errors that carry a code, the numbers for its sentence, and the place they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.messages import hint, sentence

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class CodedError(Exception):
    """A fault a person can act on: a stable code, parameters for its sentence, optionally a row and a geometry.

    The sentence itself lives in the message catalogue (``geodata/messages/*.toml``), in Chinese and English.
    ``geometry`` is lon/lat in the stored CRS (EPSG:4490) where given.
    """

    def __init__(
        self, code: str, *, row: int | None = None, geometry: BaseGeometry | None = None, **params: Any
    ) -> None:
        self.code = code
        self.row = row
        self.geometry = geometry
        self.params = params
        super().__init__(code)

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, locale: str = "zh") -> str:
        """The error in one sentence in ``locale`` ("zh" or "en")."""
        return sentence(self.code, locale, **self.params)

    def hint(self, locale: str = "zh") -> str:
        """What the reader can do about it, in ``locale``; empty where the sentence says it all."""
        return hint(self.code, locale, **self.params)


class GeodataError(CodedError):
    """Raised by :mod:`geodata` for input it refuses."""
