"""What a browser sends: operations with their keys, and the bounds of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gridmap.errors import Invalid, TooLarge

UNITS_MAX = 50_000
OPERATIONS_MAX = 500
WHY_MAX = 500

TOOLS = (
    *("paint", "rectangle", "lasso", "border", "erase", "split", "merge", "new", "delete", "rename", "recode", "kind"),
    *("lock", "cut", "heal", "fill", "redraw", "front", "undo", "redo"),
)


@dataclass(frozen=True, slots=True)
class Move:
    """Units (ids) that go to the grid ``to``, None: to no grid."""

    to: int | None
    units: Sequence[int]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a grid: ``new`` with all its ``fields``, ``gone``, or only ``fields`` changed."""

    id: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    new: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """One operation under the ``key`` that its sender gave it: moves and changes, or the one that it takes back."""

    key: UUID
    tool: str
    moves: Sequence[Move] = ()
    grids: Sequence[Change] = ()
    why: str | None = None
    undoes: int | None = None
    undoes_key: UUID | None = None

    @property
    def takes_back(self) -> bool:
        return self.undoes is not None or self.undoes_key is not None


def require_bounds(operations: Sequence[Sent]) -> None:
    """Raise ``TooLarge`` OPERATIONS_TOO_MANY, ``Invalid`` OPERATION_TOOL, OPERATION_WHY, OPERATION_TWICE."""
    units = sum(len(move.units) for one in operations for move in one.moves)
    if len(operations) > OPERATIONS_MAX or units > UNITS_MAX:
        raise TooLarge("OPERATIONS_TOO_MANY", operations=OPERATIONS_MAX, units=UNITS_MAX)
    for one in operations:
        if one.tool not in TOOLS or (one.tool in ("undo", "redo")) != one.takes_back or one.tool == "cut":
            raise Invalid("OPERATION_TOOL", key=str(one.key), tool=one.tool)
        if one.why is not None and len(one.why) > WHY_MAX:
            raise Invalid("OPERATION_WHY", key=str(one.key), most=WHY_MAX)
        named = [unit for move in one.moves for unit in move.units]
        if len(set(named)) != len(named) or len({change.id for change in one.grids}) != len(one.grids):
            raise Invalid("OPERATION_TWICE", key=str(one.key))
