"""What a rule found: where, how much, against which limit, and whether a redraw could mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry.base import BaseGeometry

from geodata.messages import hint, sentence
from geodata.problems import Severity


@dataclass(frozen=True, slots=True)
class Result:
    """One finding of one rule, or the statement that the rule was not checked (``checked`` False, severity I).

    ``grid`` and ``community`` are indices into the view, None where the finding has none. ``value`` is compared with
    ``limit`` (unit: see docs/rules.md). ``geometry`` is the place of the fault in the metric CRS of the view.
    ``code`` and ``params`` (JSON types, lists of text) make the sentence; ``reason`` is the code that says why no
    redraw can avoid it, None if one can.
    """

    rule: str
    severity: Severity
    code: str
    grid: int | None = None
    community: int | None = None
    value: float | None = None
    limit: float | None = None
    geometry: BaseGeometry | None = None
    reason: str | None = None
    checked: bool = True
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unavoidable(self) -> bool:
        """True if no redraw can avoid this violation."""
        return self.reason is not None

    def sentence(self, locale: str = "zh") -> str:
        """The finding in one sentence in ``locale`` ("zh" or "en"), the reason after it if it is unavoidable."""
        said = sentence(self.code, locale, **self._words(locale))
        reason = self.reason_sentence(locale)
        gap = " " if reason and locale.lower().startswith("en") else ""
        return said + gap + reason

    def reason_sentence(self, locale: str = "zh") -> str:
        """Why no redraw can avoid it; empty if one can."""
        return "" if self.reason is None else sentence(self.reason, locale, **self._words(locale))

    def hint(self, locale: str = "zh") -> str:
        """What the planner can do, in ``locale``; empty where the sentence says it all."""
        return hint(self.code, locale, **self._words(locale))

    def _words(self, locale: str) -> dict[str, Any]:
        """Parameters in one language: ``class_zh`` as ``class``, lists written out with its comma."""
        english = locale.lower().startswith("en")
        ending, comma = ("_en", ", ") if english else ("_zh", "、")
        words = {name: comma.join(item) if isinstance(item, list) else item for name, item in self.params.items()}
        return words | {name.removesuffix(ending): item for name, item in words.items() if name.endswith(ending)}
