"""Proposals as pages and the API show them: how a plan came about, what it changed, what is still wrong and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from gridmap.db.engine import service, transaction
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import veils
from gridmap.services.redraw import tell
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A plan made by machine. ``told`` is :func:`gridmap.services.redraw.tell.summary`, ``detail`` all that is known.

    ``violations`` are those of ``detail`` with ``reason_zh`` and ``reason_en``; ``may_discard``: the reader may put the
    plan away.
    """

    plan_id: int
    name: str
    created_at: datetime
    told: Mapping[str, Any]
    detail: Mapping[str, Any]
    violations: tuple[Mapping[str, Any], ...]
    may_discard: bool


@service
def proposal(session: Session, actor: Actor, plan_id: int) -> ProposalView | None:
    """How a redraw made this plan; None where none did, or to those who see but a part, or only look."""
    _, home = visible(session, actor, plan_id)
    if veils(actor, home.prefix):
        return None
    row = session.execute(query("redraw", "birth"), {"plan": plan_id}).mappings().one_or_none()
    return None if row is None else _view(actor, row)


@service
def proposals(session: Session, actor: Actor, plan_id: int) -> tuple[ProposalView, ...]:
    """The proposals made from a plan that are not archived, newest first."""
    _, home = visible(session, actor, plan_id)
    if veils(actor, home.prefix):
        return ()
    rows = session.execute(query("redraw", "proposals"), {"plan": plan_id}).mappings()
    return tuple(view for row in rows if (view := _view(actor, row)) is not None)


def made_by(plan_id: int, job_id: int) -> dict[str, Any] | None:
    """The summary of the proposal that a job made of a plan, None where it made none."""
    with transaction() as session:
        row = session.execute(query("redraw", "made_by"), {"plan": plan_id, "job": job_id}).one_or_none()
        return None if row is None else tell.summary(row.id, row.name, row.detail)


def _view(actor: Actor, row: RowMapping) -> ProposalView | None:
    detail = row["detail"]
    if not actor.may(Role.VIEWER, detail["region"]):
        return None
    return ProposalView(
        plan_id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        told=tell.summary(row["id"], row["name"], detail),
        detail=detail,
        violations=tuple(
            one | {f"reason_{locale}": tell.sentence(one, locale) for locale in ("zh", "en")}
            for one in detail["violations"]
        ),
        may_discard=actor.may(Role.PLANNER, row["region_code"]),
    )
