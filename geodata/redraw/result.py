"""What a redraw returns: the plan, its measures, what is still wrong and why, and how far the search came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from geodata.redraw.measure import Measured
from geodata.redraw.model import Ints

#: Called with the best plan so far; returning True stops the search (cancel).
Progress = Callable[["Step"], bool | None]


@dataclass(frozen=True, slots=True)
class Step:
    """How the search stands: share done (0 to 1), moves tried, and the best plan so far with its score key."""

    share: float
    moves: int
    key: tuple[int, float, float]
    plan: Ints


@dataclass(frozen=True, slots=True)
class Violation:
    """A grid that breaks a rule. ``kind``: under, over, pieces.

    ``avoidable`` is False only with a ``proof``: JSON-ready data, units by index, that :mod:`geodata.redraw.verify`
    re-checks against the instance alone.
    """

    grid: int
    kind: str
    avoidable: bool
    households: int
    population: int
    proof: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """How far it is proved that no re-split improves the plan.

    ``size`` 2 or 3 grids; of ``neighbourhoods`` such sets of touching grids, ``proved`` admit no better re-split into
    any number of grids up to ``size``, ``open`` were not finished (too many units, or out of time).
    """

    size: int
    neighbourhoods: int
    proved: int
    open: int

    @property
    def complete(self) -> bool:
        """Every neighbourhood was finished and none can be improved."""
        return self.open == 0 and self.proved == self.neighbourhoods


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A proposal. ``stopped``: done, time or cancelled. ``moves`` and ``seed`` reproduce it."""

    plan: Ints
    measured: Measured
    violations: list[Violation]
    certificates: list[Certificate]
    moves: int
    seconds: float
    seed: int
    stopped: str
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def moves_per_second(self) -> float:
        """Moves tried per second of wall time."""
        return self.moves / self.seconds if self.seconds > 0 else 0.0
