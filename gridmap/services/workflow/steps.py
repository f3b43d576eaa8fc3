"""From draft to approved: submit, withdraw, give back, approve. Every step is on record with who, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Plan, PlanOperation, PlanReason, PlanStep, Region
from gridmap.errors import Conflict, Invalid
from gridmap.services import audit, checks
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import editable, visible
from gridmap.services.workflow.stand import authors, findings

TEXT_MAX = 1000


@service
def save_reasons(session: Session, actor: Actor, plan_id: int, reasons: Mapping[str, str]) -> None:
    """Write down why the warnings of rules are accepted; an empty text takes the reason away.

    Raises ``Invalid`` WORKFLOW_RULE, WORKFLOW_TEXT; ``Conflict`` PLAN_NOT_DRAFT.
    """
    plan, region = editable(session, actor, plan_id)
    for rule, text in reasons.items():
        if rule not in checks.RULE_IDS:
            raise Invalid("WORKFLOW_RULE", rule=rule)
        _bounded(text)
        if text.strip():
            row = insert(PlanReason).values(plan_id=plan.id, rule=rule, text=text.strip(), user_id=actor.user_id)
            change = {"text": row.excluded.text, "user_id": row.excluded.user_id, "at": sa.func.now()}
            session.execute(row.on_conflict_do_update(index_elements=["plan_id", "rule", "grid_code"], set_=change))
        else:
            gone = sa.delete(PlanReason).where(PlanReason.plan_id == plan.id, PlanReason.rule == rule)
            session.execute(gone.where(PlanReason.grid_code == ""))
    audit.record(session, actor, "plan.reasons", "plan", plan.id, region_code=region.code, rules=sorted(reasons))


def submit(actor: Actor, plan_id: int, *, reasons: Mapping[str, str] | None = None, comment: str = "") -> None:
    """Hand a draft in. Reasons are kept and the check is made where it is out of date, whatever comes of the rest.

    Raises ``Conflict`` PLAN_NOT_DRAFT, WORKFLOW_ERRORS (errors are left), WORKFLOW_REASONS (warnings without a reason).
    """
    if reasons:
        save_reasons(actor, plan_id, reasons)
    examine(actor, plan_id)
    _submit(actor, plan_id, comment)


@service
def examine(session: Session, actor: Actor, plan_id: int) -> None:
    """Make the check of a draft where it is out of date, so that what is missing is known before it is handed in.

    Raises ``Conflict`` PLAN_NOT_DRAFT.
    """
    plan, _ = editable(session, actor, plan_id)
    if plan.checked_version != plan.version:
        checks.check.within(session, actor, plan_id)


@service
def withdraw(session: Session, actor: Actor, plan_id: int, comment: str = "") -> None:
    """Take a submitted plan back, to go on with it. Raises ``Conflict`` PLAN_STATE."""
    plan, region = _in_state(session, actor, plan_id, Role.PLANNER, "submitted")
    take_step(session, actor, plan, region, "withdraw", "draft", _bounded(comment))


@service
def give_back(session: Session, actor: Actor, plan_id: int, comment: str) -> None:
    """Return a plan to its planners with what is to be mended. Raises ``Invalid`` WORKFLOW_COMMENT without a word."""
    plan, region = _in_state(session, actor, plan_id, Role.APPROVER, "submitted", "approved")
    if not comment.strip():
        raise Invalid("WORKFLOW_COMMENT")
    take_step(session, actor, plan, region, "return", "draft", _bounded(comment))


@service
def approve(session: Session, actor: Actor, plan_id: int, comment: str = "") -> None:
    """Approve a submitted plan. Raises ``Conflict`` PLAN_STATE, WORKFLOW_AUTHOR for who made or submitted it."""
    plan, region = _in_state(session, actor, plan_id, Role.APPROVER, "submitted")
    if actor.user_id is not None and actor.user_id in authors(session, plan):
        raise Conflict("WORKFLOW_AUTHOR", plan=plan.name)
    take_step(session, actor, plan, region, "approve", "approved", _bounded(comment))


def take_step(
    session: Session, actor: Actor, plan: Plan, region: Region, kind: str, state: str, comment: str, **detail: Any
) -> None:
    """Bring a plan into another state: step, operation and audit in one; the version rises, the check stays current."""
    current = plan.checked_version == plan.version
    before, plan.state = plan.state, state
    plan.version += 1
    if current:
        plan.checked_version = plan.version
    plan.updated_at = sa.func.now()
    told = {"before": before, "after": state, **detail}
    session.add(PlanStep(plan_id=plan.id, user_id=actor.user_id, kind=kind, comment=comment, detail=detail))
    said = told | ({"comment": comment} if comment else {})
    session.add(PlanOperation(plan_id=plan.id, version=plan.version, user_id=actor.user_id, kind=kind, detail=said))
    audit.record(session, actor, f"plan.{kind}", "plan", plan.id, region_code=region.code, **told)


@service
def _submit(session: Session, actor: Actor, plan_id: int, comment: str) -> None:
    plan, region = editable(session, actor, plan_id)
    if plan.checked_version != plan.version:
        raise Conflict("PLAN_CHANGED", plan=plan.name, version=plan.version)
    errors, warnings = findings(session, plan)
    wrong = [one for one in errors if one.open]
    if wrong:
        raise Conflict("WORKFLOW_ERRORS", count=sum(one.open for one in wrong), rules=_rules(wrong))
    silent = [one for one in warnings if one.open]
    if silent:
        raise Conflict("WORKFLOW_REASONS", count=len(silent), rules=_rules(silent))
    take_step(session, actor, plan, region, "submit", "submitted", _bounded(comment))


def _in_state(session: Session, actor: Actor, plan_id: int, role: Role, *states: str) -> tuple[Plan, Region]:
    """The plan locked, where the actor has the role and the plan is in one of the states."""
    plan, region = lock(session, actor, plan_id, role)
    if plan.state not in states:
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    return plan, region


def lock(session: Session, actor: Actor, plan_id: int, role: Role) -> tuple[Plan, Region]:
    """The plan and its region, locked for a change by who has ``role`` there."""
    plan, region = visible(session, actor, plan_id)
    actor.require(role, region.code)
    session.refresh(plan, with_for_update=True)
    return plan, region


def _rules(found: list[Any]) -> str:
    return ", ".join(one.rule for one in found)


def _bounded(text: str) -> str:
    """``text`` without blanks around. Raises ``Invalid`` WORKFLOW_TEXT beyond :data:`TEXT_MAX` characters."""
    if len(text) > TEXT_MAX:
        raise Invalid("WORKFLOW_TEXT", most=TEXT_MAX)
    return text.strip()
