"""One request of operations: locked, merged, replayed, written, logged, audited, or refused as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db.engine import service
from gridmap.db.models import Plan, Region
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.operations import log as history
from gridmap.services.operations.board import Board
from gridmap.services.operations.done import Done, touched_by
from gridmap.services.operations.inverse import REVERSIBLE, Depended, inverse
from gridmap.services.operations.log import Entry, Row
from gridmap.services.operations.merge import Since
from gridmap.services.operations.replay import replay
from gridmap.services.operations.rules import Rules
from gridmap.services.operations.sent import Sent, require_bounds
from gridmap.services.operations.write import row, write
from gridmap.services.plans.access import editable
from gridmap.sql import query

_LATER_NAMED = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request did, what others did meanwhile, and how the grids and the plan are now."""

    version: int
    saved: list[Entry]
    since: list[Entry]
    grids: list[dict[str, Any]]
    totals: dict[str, int]


class Desk:
    """A plan locked for one request: its board, its rules, and what others did since the sender looked."""

    def __init__(self, session: Session, actor: Actor, plan: Plan, region: Region, base: int, client: UUID) -> None:
        if base > plan.version:
            raise Invalid("OPERATION_BASE", base=base, version=plan.version)
        self.session, self.actor, self.plan, self.region, self.client = session, actor, plan, region, client
        self.profile = standards.from_dict(plan.profile)
        self.board = Board(session, plan.id)
        self.rules = Rules(session, plan.id, self.profile, region.prefix)
        others = [one for one in history.rows(session, plan.id, after=base) if one.client != str(client)]
        self.since = Since([one for one in others if one.kind in REVERSIBLE])
        self.version = plan.version
        self.new: list[dict[str, Any]] = []
        self.touched: set[int] = set()

    def keep(self, done: Done) -> None:
        """Take an operation into the log of this request."""
        self.version += 1
        self.new.append(row(self.actor, self.plan.id, self.version, self.client, done, self.board))
        self.touched |= done.touched()

    def entries(self, rows: Sequence[Row], board: Board | None = None) -> list[Entry]:
        return history.entries(self.session, self.actor, self.plan, self.region.code, rows, self.profile, board)

    def changed(self, key: UUID, clash: set[int]) -> Conflict:
        """PLAN_CHANGED for the operation ``key`` that met others' work on the grids ``clash`` (ids)."""
        self.board.load(grids=clash)
        codes = sorted({code for grid in clash if (code := self.board.code(grid)) is not None})
        return Conflict("PLAN_CHANGED", codes="、".join(codes) or "—", **self.told(key, self.since.rows, codes))

    def told(self, key: UUID, since: Sequence[Row] = (), codes: Sequence[str] = ()) -> dict[str, Any]:
        """What a conflict tells: the operation, the plan's version, what happened since, the codes of the grids."""
        entries = [entry.plain() for entry in self.entries(since)]
        return {"key": str(key), "version": self.plan.version, "since": entries, "grids": list(codes)}

    def finish(self, kept: Sequence[Row]) -> Answer:
        """Write what was kept; ``kept`` are operations of the request that an earlier one had saved."""
        now: set[int] = set()
        saved = list(kept)
        for old in kept:
            now |= touched_by(old.detail)[0]
        if self.new:
            now |= write(self.session, self.plan, self.board, self.new, self.touched)
            at = self.session.scalar(sa.select(sa.func.now()))
            saved += [_as_row(new, self.actor, at) for new in self.new]
            told = {
                "operations": len(self.new),
                "version": self.version,
                "tools": sorted({_tool(new) for new in self.new}),
            }
            audit.record(
                self.session, self.actor, "plan.edit", "plan", self.plan.id, region_code=self.region.code, **told
            )
        return Answer(
            self.version,
            self.entries(saved, self.board),
            self.entries(list(reversed(self.since.rows)), self.board),
            grids_now(self.session, self.plan.id, now),
            totals(self.session, self.plan.id),
        )


@service
def apply(session: Session, actor: Actor, plan_id: int, base: int, client: UUID, operations: Sequence[Sent]) -> Answer:
    """Carry out ``operations`` of the browser tab ``client`` that saw version ``base``, all or none.

    An operation whose key is in the log is answered, not repeated. Raises ``NotFound``, ``Forbidden``, ``TooLarge``
    OPERATIONS_TOO_MANY, ``Invalid`` OPERATION_*, and ``Conflict``: PLAN_NOT_DRAFT, PLAN_CHANGED where others touched
    the same grids after ``base``, OPERATION_DEPENDED_ON.
    """
    plan, region = editable(session, actor, plan_id, draft=False)
    require_bounds(operations)
    known = known_keys(session, plan.id, [one.key for one in operations])
    require_draft(plan, all(one.key in known for one in operations))
    desk = Desk(session, actor, plan, region, base, client)
    keys = dict(known)
    for one in operations:
        if one.key in keys:
            continue
        if one.takes_back:
            desk.keep(_take_back(desk, one, keys))
        else:
            clash = desk.since.clash(desk.board, one)
            if clash is not None:
                raise desk.changed(one.key, clash)
            desk.keep(replay(desk.board, desk.rules, one))
        keys[one.key] = desk.version
    return desk.finish(kept_rows(session, plan.id, known))


def known_keys(session: Session, plan_id: int, keys: Sequence[UUID]) -> dict[UUID, int]:
    """Versions of the operations of a plan that bear one of ``keys``."""
    rows = session.execute(query("operations", "by_keys"), {"plan": plan_id, "keys": list(keys)})
    return {key: version for version, key in rows}


def kept_rows(session: Session, plan_id: int, known: dict[UUID, int]) -> list[Row]:
    """Operations that an earlier request had saved, oldest first."""
    found = history.rows(session, plan_id, versions=list(known.values())) if known else []
    return list(reversed(found))


def require_draft(plan: Plan, answered: bool) -> None:
    """Raise ``Conflict`` PLAN_NOT_DRAFT, unless there is nothing but to answer what was saved before."""
    if plan.state != "draft" and not answered:
        raise Conflict("PLAN_NOT_DRAFT", plan=plan.name, state=plan.state)


def _take_back(desk: Desk, sent: Sent, keys: dict[UUID, int]) -> Done:
    version = sent.undoes if sent.undoes_key is None else keys.get(sent.undoes_key)
    if version is None:
        assert sent.undoes_key is not None
        version = known_keys(desk.session, desk.plan.id, [sent.undoes_key]).get(sent.undoes_key)
    logged = _row(desk, version)
    if logged is None or logged.kind not in REVERSIBLE:
        raise NotFound("OPERATION_NOT_FOUND", what=str(sent.undoes or sent.undoes_key))
    mine = [(new["version"], new["undoes"]) for new in reversed(desk.new) if new["undoes"] is not None]
    undone_by = history.undone(desk.session, desk.plan.id, mine).get(logged.version)
    if undone_by is not None:
        raise Conflict("OPERATION_DEPENDED_ON", later=str(undone_by), versions=[undone_by], **desk.told(sent.key))
    try:
        return inverse(desk.board, logged.logged, sent.key)
    except Depended as state:
        raise _depended(desk, sent, logged, state) from None


def _row(desk: Desk, version: int | None) -> Row | None:
    """An operation of the log, or of this very request."""
    for new in desk.new:
        if new["version"] == version:
            return _as_row(new, desk.actor, None)
    found = [] if version is None else history.rows(desk.session, desk.plan.id, versions=[version])
    return found[0] if found else None


def _as_row(new: dict[str, Any], actor: Actor, at: datetime | None) -> Row:
    """A row of the log as reading it gives it, written ``at`` the time of this transaction."""
    name = None if actor.user_id is None else actor.name or actor.login
    moment = at or datetime.now(UTC)
    return Row(new["version"], new["key"], moment, actor.user_id, name, new["kind"], new["undoes"], new["detail"])


def _depended(desk: Desk, sent: Sent, row: Row, state: Depended) -> Conflict:
    later = history.rows(desk.session, desk.plan.id, after=row.version)
    found = [(one.version, one.detail) for one in later] + [(new["version"], new["detail"]) for new in desk.new]
    versions = []
    for version, detail in found:
        grids, units = touched_by(detail)
        if grids & state.grids or units & state.units:
            versions.append(version)
    codes = sorted({code for grid in state.grids if (code := desk.board.code(grid)) is not None})
    named = sorted(versions)[:_LATER_NAMED]
    told = desk.told(sent.key, [one for one in later if one.version in named], codes)
    return Conflict("OPERATION_DEPENDED_ON", later="、".join(map(str, named)) or "—", versions=named, **told)


def _tool(new: dict[str, Any]) -> str:
    return str(new["detail"]["tool"])


def grids_now(session: Session, plan_id: int, grids: set[int]) -> list[dict[str, Any]]:
    """Counts and status of those of ``grids`` (ids) that there are."""
    rows = session.execute(query("operations", "grids_now"), {"plan": plan_id, "grids": sorted(grids)})
    return [dict(row) for row in rows.mappings()]


def totals(session: Session, plan_id: int) -> dict[str, int]:
    """Sums of a plan, all of it."""
    return dict(session.execute(query("operations", "totals"), {"plan": plan_id}).mappings().one())
