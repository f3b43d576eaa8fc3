"""A problem found in data: what, how grave, in which row, where, and the numbers for its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shapely.geometry.base import BaseGeometry

from geodata.messages import hint, sentence


class Severity(StrEnum):
    """E blocks (the row cannot be accepted, the plan not approved), W must be explained, I informs."""

    ERROR = "E"
    WARNING = "W"
    INFO = "I"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    ``row`` is the 1-based number of the record in the source file (the header does not count), None for the file
    as a whole. ``geometry`` is the place of the fault, lon/lat in EPSG:4490, None where it has no place.
    """

    code: str
    severity: Severity
    row: int | None = None
    geometry: BaseGeometry | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, locale: str = "zh") -> str:
        return sentence(self.code, locale, **self.params)

    def hint(self, locale: str = "zh") -> str:
        return hint(self.code, locale, **self.params)
