"""Carrying out an operation on the board, by the rules that hold after every single one of them."""

from __future__ import annotations

from gridmap.errors import Invalid
from gridmap.services.operations.board import Attrs, Board
from gridmap.services.operations.done import Changed, Done, Moved
from gridmap.services.operations.rules import Rules
from gridmap.services.operations.sent import Sent


def replay(board: Board, rules: Rules, sent: Sent) -> Done:
    """Move units and change grids as ``sent`` says; what that did.

    Grids change first, then units move, then grids go; units that a grid still holds as it goes are free. Raises
    ``Invalid`` OPERATION_* for what breaks a rule; the board is then of no more use.
    """
    key = str(sent.key)
    board.load([u for move in sent.moves for u in move.units], [m.to for m in sent.moves] + [c.id for c in sent.grids])
    before = {change.id: board.grids[change.id] for change in sent.grids}
    for change in sent.grids:
        if change.new:
            rules.require_reserved(board, key, change.id)
        elif board.grids[change.id] is None:
            raise Invalid("OPERATION_GRID_UNKNOWN", key=key, grid=change.id)
        if not change.gone:
            board.grids[change.id] = rules.changed(board, key, change.id, before[change.id], change.fields)
    moves = _move(board, key, sent, before)
    for change in sent.grids:
        if change.gone:
            moves += remove(board, key, change.id, before[change.id])
    for grid in settle(board, key, moves):
        before.setdefault(grid[0], grid[1])
    grids = [Changed(id, was, board.grids[id]) for id, was in before.items() if was != board.grids[id]]
    if not moves and not grids:
        raise Invalid("OPERATION_EMPTY", key=key)
    return Done("edit", sent.tool, sent.key, tuple(moves), tuple(grids), why=sent.why or None)


def _move(board: Board, key: str, sent: Sent, before: dict[int, Attrs | None]) -> list[Moved]:
    moves: dict[tuple[int | None, int | None], list[int]] = {}
    going = {change.id for change in sent.grids if change.gone}
    for move in sent.moves:
        if move.to is not None and (board.grids[move.to] is None or move.to in going):
            raise Invalid("OPERATION_GRID_UNKNOWN", key=key, grid=move.to)
        for unit in move.units:
            if unit not in board.units:
                raise Invalid("OPERATION_UNIT_UNKNOWN", key=key, unit=unit)
            if (start := board.units[unit]) != move.to:
                moves.setdefault((start, move.to), []).append(unit)
    for start, to in moves:
        for grid in (start, to):
            require_unlocked(board, key, grid, before)
    for (_, to), units in moves.items():
        board.put(units, to)
    return [Moved(start, to, tuple(units)) for (start, to), units in moves.items()]


def require_unlocked(board: Board, key: str, grid: int | None, before: dict[int, Attrs | None]) -> None:
    """Refuse to move units into or out of a grid that is locked, or whose parent is, and stays so."""
    for one in {grid, board.top(grid)} - {None}:
        assert one is not None
        after = board.grids[one]
        was = before.get(one, after)
        if was is not None and was.locked and (after is None or after.locked):
            raise Invalid("OPERATION_LOCKED", key=key, grid=one, code_=was.code)


def remove(board: Board, key: str, grid: int, was: Attrs | None) -> list[Moved]:
    """Take a grid away, its last units become free; refused where it is locked or has micro-grids."""
    require_unlocked(board, key, grid, {grid: was})
    if board.children(grid):
        raise Invalid("OPERATION_HAS_MICRO", key=key, code_=board.code(grid))
    left = board.members(grid)
    board.put(left, None)
    board.grids[grid] = None
    return [Moved(grid, None, tuple(left))] if left else []


def settle(board: Board, key: str, moves: list[Moved]) -> list[tuple[int, Attrs]]:
    """Hold every grid in one community: an empty one takes that of its first units, others take none from elsewhere.

    Returns the grids that took another community, as they were.
    """
    taken: list[tuple[int, Attrs]] = []
    for move in moves:
        attrs = None if move.to is None else board.grids[move.to]
        if move.to is None or attrs is None:
            continue
        came = {board.rows[unit].region_id for unit in move.units}
        if came != {attrs.region_id}:
            held = {board.rows[unit].region_id for unit in board.members(move.to)}
            if len(held) > 1:
                raise Invalid("OPERATION_COMMUNITY", key=key, code_=attrs.code)
            taken.append((move.to, attrs))
            board.grids[move.to] = _at_home(attrs, next(iter(held)))
        taken += _parent_home(board, move.to, next(iter(came)))
    return taken


def _parent_home(board: Board, grid: int, region_id: int) -> list[tuple[int, Attrs]]:
    """A parent without a community gets that of its first micro-grid with ground."""
    above = board.top(grid)
    attrs = None if above is None else board.grids[above]
    if above is None or above == grid or attrs is None or attrs.region_id is not None:
        return []
    board.grids[above] = _at_home(attrs, region_id)
    return [(above, attrs)]


def _at_home(attrs: Attrs, region_id: int) -> Attrs:
    return Attrs(**{**attrs.plain(), "region_id": region_id})
