"""An operation as it was carried out: what the log keeps of it, enough to take it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gridmap.services.operations.board import Attrs, Board

#: Compounds are named in the log where the units are of so many at most.
COMPOUNDS_NAMED = 2


@dataclass(frozen=True, slots=True)
class Moved:
    """Units that went from one grid to another (None: unassigned)."""

    start: int | None
    to: int | None
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A grid before and after; before None: made, after None: removed."""

    id: int
    before: Attrs | None
    after: Attrs | None


@dataclass(frozen=True, slots=True)
class CutDone:
    """A unit of ``grid`` in two pieces, or with ``joined`` the pieces one again."""

    unit: int
    pieces: tuple[int, int]
    grid: int | None
    line: tuple[tuple[float, float], ...]
    households: int
    compound: str | None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What one operation did to the board; ``of``: the tool of what an undo or redo takes back or brings again."""

    kind: str
    tool: str
    key: UUID | None = None
    moves: tuple[Moved, ...] = ()
    grids: tuple[Changed, ...] = ()
    cut: CutDone | None = None
    undoes: int | None = None
    why: str | None = None
    of: str | None = None

    def touched(self) -> set[int]:
        """Grids (ids) whose ground, counts or attributes it changed."""
        found = {grid for move in self.moves for grid in (move.start, move.to)} | {change.id for change in self.grids}
        if self.cut is not None:
            found.add(self.cut.grid)
        return {grid for grid in found if grid is not None}


def detail(done: Done, client: UUID, board: Board) -> dict[str, Any]:
    """The operation for the log, JSON. Grids are also named by the codes they have at that time."""
    cut = done.cut
    return {
        "tool": done.tool,
        "client": str(client),
        "why": done.why,
        "moves": [_move(move, board) for move in done.moves],
        "grids": [
            {
                "id": change.id,
                "before": None if change.before is None else change.before.plain(),
                "after": None if change.after is None else change.after.plain(),
            }
            for change in done.grids
        ],
        "cut": None
        if cut is None
        else {
            "unit": cut.unit,
            "pieces": list(cut.pieces),
            "grid": cut.grid,
            "line": [list(point) for point in cut.line],
            "households": cut.households,
            "compound": cut.compound,
            "joined": cut.joined,
        },
        "codes": {str(grid): board.code(grid) for grid in sorted(done.touched())},
        **({} if done.of is None else {"of": done.of}),
    }


def _move(move: Moved, board: Board) -> dict[str, Any]:
    rows = [board.rows[unit] for unit in move.units]
    compounds = {row.compound for row in rows}
    named = sorted(name for name in compounds if name is not None)
    return {
        "from": move.start,
        "to": move.to,
        "units": list(move.units),
        "households": sum(row.households for row in rows),
        "compounds": named if None not in compounds and len(named) <= COMPOUNDS_NAMED else [],
    }


def of_detail(detail: Mapping[str, Any]) -> tuple[tuple[Moved, ...], tuple[Changed, ...], CutDone | None]:
    """Moves, changes and cut of an operation in the log."""
    moves = tuple(Moved(move["from"], move["to"], tuple(move["units"])) for move in detail.get("moves", ()))
    grids = tuple(
        Changed(change["id"], _attrs(change["before"]), _attrs(change["after"])) for change in detail.get("grids", ())
    )
    cut = detail.get("cut")
    if cut is None:
        return moves, grids, None
    line = tuple((float(lon), float(lat)) for lon, lat in cut["line"])
    first, second = cut["pieces"]
    return (
        moves,
        grids,
        CutDone(cut["unit"], (first, second), cut["grid"], line, cut["households"], cut["compound"], cut["joined"]),
    )


def _attrs(plain: Mapping[str, Any] | None) -> Attrs | None:
    return None if plain is None else Attrs(**plain)


def touched_by(detail: Mapping[str, Any]) -> tuple[set[int], set[int]]:
    """Grids and units (ids) that an operation in the log touched."""
    return set(_grids_of(detail)), set(_units_of(detail))


def _grids_of(detail: Mapping[str, Any]) -> Iterator[int]:
    for move in detail.get("moves", ()):
        yield from (grid for grid in (move["from"], move["to"]) if grid is not None)
    yield from (change["id"] for change in detail.get("grids", ()))
    if (cut := detail.get("cut")) and cut["grid"] is not None:
        yield cut["grid"]


def _units_of(detail: Mapping[str, Any]) -> Iterator[int]:
    for move in detail.get("moves", ()):
        yield from move["units"]
    if cut := detail.get("cut"):
        yield cut["unit"]
        yield from cut["pieces"]
