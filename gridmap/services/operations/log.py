"""The log of a plan as readers see it: operations in words, what took them back, whether they can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geodata.standards import Profile
from gridmap.db.models import Plan
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.operations.board import Board
from gridmap.services.operations.inverse import REVERSIBLE, Depended, Logged, check, preload
from gridmap.services.operations.words import sentence
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log with the name of who wrote it."""

    version: int
    key: UUID | None
    at: datetime
    user_id: int | None
    user_name: str | None
    kind: str
    undoes: int | None
    detail: dict[str, Any]

    @property
    def client(self) -> str | None:
        return self.detail.get("client")

    @property
    def logged(self) -> Logged:
        return Logged(self.version, self.kind, self.detail)


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation for readers; ``may_undo``: everything it touched is as it left it, and the reader may edit."""

    version: int
    key: str | None
    at: str
    user: dict[str, Any] | None
    kind: str
    tool: str | None
    undoes: int | None
    undone_by: int | None
    sentence: str
    moves: list[dict[str, Any]]
    grids: list[dict[str, Any]]
    cut: dict[str, Any] | None
    why: str | None
    may_undo: bool

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def rows(
    session: Session,
    plan_id: int,
    *,
    after: int | None = None,
    before: int | None = None,
    versions: Sequence[int] | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Rows of the log, newest first."""
    asked = {"plan": plan_id, "after": after, "before": before, "limit": limit}
    picked = {"versions": None if versions is None else list(versions)}
    return [Row(*row) for row in session.execute(query("operations", "log"), asked | picked)]


def undone(session: Session, plan_id: int, newer: Sequence[tuple[int, int]] = ()) -> dict[int, int]:
    """The undo in force of each operation that is taken back; an undo taken back itself is in force no more.

    ``newer``: (version, version it takes back) that are not yet written, newest first.
    """
    found: dict[int, int] = {}
    for version, undoes in [*newer, *session.execute(query("operations", "undone"), {"plan": plan_id})]:
        if version not in found:
            found.setdefault(undoes, version)
    return found


def entries(
    session: Session,
    actor: Actor,
    plan: Plan,
    region_code: str,
    found: Sequence[Row],
    profile: Profile,
    board: Board | None = None,
) -> list[Entry]:
    """``found`` for the reader, in the same order; ``board`` may have read some of the plan already."""
    back = undone(session, plan.id) if found else {}
    editing = plan.state == "draft" and actor.may(Role.PLANNER, region_code)
    board = board or Board(session, plan.id)
    open_ = [row for row in found if editing and row.kind in REVERSIBLE and row.version not in back]
    preload(board, [row.logged for row in open_])
    free = {row.version for row in open_ if _free(board, row.logged)}
    return [_entry(row, back.get(row.version), row.version in free, actor.locale, profile) for row in found]


def _free(board: Board, one: Logged) -> bool:
    try:
        check(board, one)
    except (Depended, Invalid):
        return False
    return True


def _entry(row: Row, undone_by: int | None, may_undo: bool, locale: str, profile: Profile) -> Entry:
    shown = row.kind in REVERSIBLE
    return Entry(
        version=row.version,
        key=None if row.key is None else str(row.key),
        at=row.at.isoformat(),
        user=None if row.user_id is None else {"id": row.user_id, "name": row.user_name or ""},
        kind=row.kind,
        tool=row.detail.get("tool"),
        undoes=row.undoes,
        undone_by=undone_by,
        sentence=sentence(row.kind, row.detail, locale, profile.code.prefix_length),
        moves=row.detail.get("moves", []) if shown else [],
        grids=row.detail.get("grids", []) if shown else [],
        cut=row.detail.get("cut") if shown else None,
        why=row.detail.get("why") if shown else None,
        may_undo=may_undo,
    )
