"""Taking an operation back: its inverse, possible while everything it touched is as it left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gridmap.errors import Invalid
from gridmap.services.operations.board import Attrs, Board, UnitRow
from gridmap.services.operations.done import Changed, CutDone, Done, Moved, of_detail
from gridmap.sql import query

#: Kinds of operations that can be taken back; a redo takes an undo back.
REVERSIBLE = ("edit", "cut", "undo")


class Depended(Exception):  # a state; it becomes a coded error where the later versions are known
    """Something that the operation touched is no more as it left it: ``grids`` and ``units`` (ids)."""

    def __init__(self, grids: set[int], units: set[int]) -> None:
        super().__init__()
        self.grids, self.units = grids, units


@dataclass(frozen=True, slots=True)
class Logged:
    """An operation of the log: version, kind, and its detail."""

    version: int
    kind: str
    detail: Mapping[str, Any]


def preload(board: Board, logged: list[Logged]) -> None:
    """Read at once what :func:`inverse` will look at for each of many operations."""
    units: set[int] = set()
    grids: set[int | None] = set()
    made: set[int] = set()
    codes: set[str] = set()
    for one in logged:
        moves, changes, cut = of_detail(one.detail)
        units.update(unit for move in moves for unit in move.units)
        units.update(() if cut is None else (cut.unit, *cut.pieces))
        grids.update(grid for move in moves for grid in (move.start, move.to))
        grids.update(change.id for change in changes)
        made.update(change.id for change in changes if change.before is None)
        codes.update(change.before.code for change in changes if change.before is not None)
    board.load(units, grids)
    board.load_members(made)
    board.load_children(made)
    board.load_codes(codes)


def check(board: Board, one: Logged) -> None:
    """Whether ``one`` can be taken back, without changing the board.

    Raises :class:`Depended`, and ``Invalid`` OPERATION_LOCKED where units would leave or enter a locked grid.
    """
    preload(board, [one])
    moves, changes, cut = of_detail(one.detail)
    grids, units = set(), set()
    back = {change.id: _back(board.grids[change.id], change) for change in changes}
    for move in moves:
        units |= {unit for unit in move.units if unit not in board.units or board.units[unit] != move.to}
        if move.start is not None and back.get(move.start, board.grids[move.start]) is None:
            grids.add(move.start)
    grids |= {change.id for change in changes if not _as_left(board, change)}
    if cut is not None:
        there = (cut.unit,) if cut.joined else cut.pieces
        units |= {unit for unit in there if unit not in board.units or board.units[unit] != cut.grid}
    made = {change.id for change in changes if change.before is None}
    moved = {unit for move in moves for unit in move.units}
    grids |= {grid for grid in made if any(child not in made for child in board.children(grid))}
    units |= {unit for grid in made for unit in board.members(grid) if unit not in moved}
    if grids or units:
        raise Depended(grids, units)
    ends = {grid for move in moves for grid in (move.start, move.to)} | ({cut.grid} if cut is not None else set())
    for grid in ends:
        for above in {grid, board.top(grid)} - {None}:
            assert above is not None
            now = board.grids[above]
            after = back.get(above, now)
            if now is not None and now.locked and (after is None or after.locked):
                raise Invalid("OPERATION_LOCKED", key="", grid=above, code_=now.code)


def inverse(board: Board, one: Logged, key: UUID | None) -> Done:
    """Take ``one`` back on the board; what that did. Raises as :func:`check`, the board is then as it was."""
    check(board, one)
    moves, changes, cut = of_detail(one.detail)
    done = Done(
        "undo",
        "redo" if one.kind == "undo" else "undo",
        key,
        tuple(Moved(move.to, move.start, move.units) for move in reversed(moves)),
        tuple(Changed(c.id, board.grids[c.id], _back(board.grids[c.id], c)) for c in changes),
        None if cut is None else _cut_back(board, cut),
        undoes=one.version,
        of=one.detail.get("of") or one.detail.get("tool"),
    )
    for change in done.grids:
        board.grids[change.id] = change.after
    for move in done.moves:
        board.put(move.units, move.to)
    return done


def _as_left(board: Board, change: Changed) -> bool:
    """Made and removed grids are wholly as left; of a changed one only what was changed counts."""
    now = board.grids[change.id]
    if change.after is None or change.before is None or now is None:
        free = change.before is None or change.after is not None or _free(board, change.id, change.before)
        return now == change.after and free
    was, left, here = change.before.plain(), change.after.plain(), now.plain()
    if was["code"] != left["code"] and board.bearer(was["code"], change.id) is not None:
        return False
    return all(here[name] == left[name] for name in left if was[name] != left[name])


def _free(board: Board, grid: int, attrs: Attrs) -> bool:
    """Whether a removed grid can return: nobody took its code, and the grid above it is still there."""
    above = attrs.parent_id is None
    if attrs.parent_id is not None:
        board.load(grids=[attrs.parent_id])
        above = board.grids[attrs.parent_id] is not None
    return above and board.bearer(attrs.code, grid) is None


def _back(now: Attrs | None, change: Changed) -> Attrs | None:
    if change.before is None or change.after is None or now is None:
        return change.before
    was, left = change.before.plain(), change.after.plain()
    return Attrs(**{**now.plain(), **{name: was[name] for name in was if was[name] != left[name]}})


def _cut_back(board: Board, cut: CutDone) -> CutDone:
    come = cut.pieces if cut.joined else (cut.unit,)
    rows = board.session.execute(query("operations", "unit_rows"), {"units": list(come)})
    read = {unit: UnitRow(region, households, compound) for unit, region, households, compound in rows}
    board.replace((cut.unit,) if cut.joined else cut.pieces, read, cut.grid)
    return CutDone(cut.unit, cut.pieces, cut.grid, cut.line, cut.households, cut.compound, joined=not cut.joined)
