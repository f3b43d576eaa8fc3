"""Whether an operation still means what its sender saw: others' later ones must not have touched the same grids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gridmap.services.operations.board import Board
from gridmap.services.operations.done import touched_by
from gridmap.services.operations.log import Row
from gridmap.services.operations.sent import Sent


@dataclass(slots=True)
class Since:
    """What others did after the version that a request was made for."""

    rows: Sequence[Row]
    grids: set[int] = field(default_factory=set)
    units: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for row in self.rows:
            grids, units = touched_by(row.detail)
            self.grids |= grids
            self.units |= units

    def clash(self, board: Board, sent: Sent) -> set[int] | None:
        """Grids (ids) that both touched, where an operation can no more be merged; None where it can.

        The units themselves count too: one that another took out of every grid has no grid that could tell.
        """
        named = [unit for move in sent.moves for unit in move.units]
        return self.meets(board, named, {move.to for move in sent.moves} | {change.id for change in sent.grids})

    def meets(self, board: Board, units: Collection[int], grids: Collection[int | None]) -> set[int] | None:
        """As :meth:`clash`, for units (ids) and grids by themselves."""
        if not self.rows:
            return None
        board.load(units)
        homes = {board.units.get(unit) for unit in units}
        both = {grid for grid in homes.union(grids) if grid is not None} & self.grids
        return both if both or self.units.intersection(units) else None
