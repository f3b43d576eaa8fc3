"""Writing a board back: assignment and grids as sets, then ground, counts and status of every grid touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.models import Plan, PlanOperation
from gridmap.services import counts
from gridmap.services.actor import Actor
from gridmap.services.operations.board import Board
from gridmap.services.operations.done import Done, detail
from gridmap.services.plans.derive import derive
from gridmap.sql import query


def row(actor: Actor, plan_id: int, version: int, client: UUID, done: Done, board: Board) -> dict[str, Any]:
    """The row of the log of an operation that makes ``version`` of a plan."""
    return {
        "plan_id": plan_id,
        "version": version,
        "user_id": actor.user_id,
        "kind": done.kind,
        "detail": detail(done, client, board),
        "key": done.key,
        "undoes": done.undoes,
    }


def write(session: Session, plan: Plan, board: Board, rows: Sequence[dict[str, Any]], touched: set[int]) -> set[int]:
    """Write what the operations (``rows`` of the log) changed; the grids, of those ``touched``, that are there now."""
    first = not session.scalar(query("operations", "edited"), {"plan": plan.id})
    # once a transaction: a second update of the row would ask for its base plan too, which another may hold
    plan.version, plan.updated_at = rows[-1]["version"], sa.func.now()
    session.flush()
    session.execute(sa.insert(PlanOperation), list(rows))
    _write_grids(session, plan.id, board)
    _write_units(session, plan.id, board)
    gone = [grid for grid, attrs in board.grids.items() if attrs is None and board.before_grids.get(grid) is not None]
    if gone:
        session.execute(query("operations", "delete_grids"), {"plan": plan.id, "grids": gone})
    changed = {grid for grid, attrs in board.grids.items() if attrs != board.before_grids.get(grid)}
    families = touched | changed
    above = {a.parent_id for g in families for a in (board.grids.get(g), board.before_grids.get(g)) if a is not None}
    now = {grid for grid in families | above if grid is not None and board.grids.get(grid) is not None}
    derive(session, now)
    counts.sum_grids(session, sorted(now))
    if first and plan.checked_version is None:
        # a draft that is worked on shows the status of all its grids, checked or not
        session.execute(query("counts", "show_status"), {"plan": plan.id})
    return now


def _write_grids(session: Session, plan_id: int, board: Board) -> None:
    for name, there in (("insert_grids", False), ("update_grids", True)):
        changed = [
            {"id": grid, **attrs.plain()}
            for grid, attrs in board.grids.items()
            if attrs is not None
            and attrs != board.before_grids.get(grid)
            and (board.before_grids.get(grid) is not None) == there
        ]
        if changed:
            session.execute(query("operations", name), {"plan": plan_id, "grids": json.dumps(changed)})


def _write_units(session: Session, plan_id: int, board: Board) -> None:
    before, now = board.before_units, board.units
    gone = [unit for unit in before if unit not in now]
    if gone:
        session.execute(query("operations", "remove_units"), {"plan": plan_id, "units": gone})
    come = [unit for unit in now if unit not in before]
    moved = [unit for unit, grid in now.items() if unit in before and before[unit] != grid]
    for name, units in (("add_units", come), ("move_units", moved)):
        if units:
            values = {"plan": plan_id, "units": units, "grids": [now[unit] for unit in units]}
            session.execute(query("operations", name), values)
