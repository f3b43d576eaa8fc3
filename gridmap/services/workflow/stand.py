"""Where a plan stands on its way, what keeps it from going on, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Plan, PlanStep, Region
from gridmap.services.actor import Actor, Role
from gridmap.services.checks.read import rule_title
from gridmap.services.plans.access import visible
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's findings of one severity. ``grids``: codes of the first of them; ``unavoidable`` ones need nothing.

    ``reason``: why the warnings of the rule are accepted; None where nothing is written yet.
    """

    rule: str
    title_zh: str
    title_en: str
    count: int
    unavoidable: int
    grids: tuple[str, ...]
    reason: str | None = None

    @property
    def open(self) -> int:
        """How many of them still want mending (errors) or a reason (warnings)."""
        return 0 if self.reason else self.count - self.unavoidable


@dataclass(frozen=True, slots=True)
class Step:
    """Something that became of the plan: who, when, and what they said."""

    kind: str
    at: datetime
    who: str
    comment: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """``may``: the transitions open to the reader now. ``missing``: what keeps the plan from being submitted.

    ``replaces``: the plan in force that this one would take the place of, whole or in its part.
    """

    plan_id: int
    state: str
    version: int
    checked: bool
    current_check: bool
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    may: Mapping[str, bool]
    author: bool
    steps: tuple[Step, ...]
    valid_from: date | None
    valid_to: date | None
    replaces: str | None
    replaces_id: int | None = None

    def last(self, *kinds: str) -> Step | None:
        """The latest step of some kinds, None where there was none."""
        return next((step for step in reversed(self.steps) if step.kind in kinds), None)

    @property
    def missing(self) -> int:
        """Errors and warnings that are neither unavoidable nor explained."""
        return sum(one.open for one in (*self.errors, *self.warnings))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that waits for the reader: to be approved, to be published, or to be mended."""

    plan_id: int
    name: str
    region_name: str
    what: str
    since: datetime
    comment: str


@service
def stand(session: Session, actor: Actor, plan_id: int) -> Standing:
    """How far a plan is. Raises ``NotFound``."""
    plan, region = visible(session, actor, plan_id)
    errors, warnings = findings(session, plan, actor)
    base = in_force(session, plan, region)
    planner, approver = actor.may(Role.PLANNER, region.code), actor.may(Role.APPROVER, region.code)
    author = actor.user_id is not None and actor.user_id in authors(session, plan)
    may = {
        "submit": planner and plan.state == "draft",
        "withdraw": planner and plan.state == "submitted",
        "return": approver and plan.state in ("submitted", "approved"),
        "approve": approver and plan.state == "submitted" and not author,
        "publish": approver and plan.state == "approved",
        "restore": approver
        and plan.state == "published"
        and plan.valid_to is None
        and replaced_by(session, plan) is not None,
    }
    return Standing(
        plan_id=plan.id,
        state=plan.state,
        version=plan.version,
        checked=plan.checked_at is not None,
        current_check=plan.checked_version == plan.version,
        errors=errors,
        warnings=warnings,
        may=may,
        author=author,
        steps=steps(session, plan_id),
        valid_from=plan.valid_from,
        valid_to=plan.valid_to,
        replaces=None if base is None else base.name,
        replaces_id=None if base is None else base.id,
    )


@service
def waiting(session: Session, actor: Actor) -> tuple[Waiting, ...]:
    """What waits for the reader: plans to approve or publish in their regions, and their own that came back."""
    approver, planner = list(actor.prefixes(Role.APPROVER)), list(actor.prefixes(Role.PLANNER))
    keys = {"approver": approver, "planner": planner, "user": actor.user_id}
    rows = session.execute(query("workflow", "waiting"), keys).mappings()
    return tuple(Waiting(**row) for row in rows)


def findings(
    session: Session, plan: Plan, reader: Actor | None = None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Errors and warnings of the last check by rule, with the reasons; where ``reader`` may look, else everywhere."""
    found: dict[str, list[Finding]] = {"E": [], "W": []}
    prefixes = [""] if reader is None else list(reader.prefixes(Role.VIEWER))
    for row in session.execute(query("workflow", "findings"), {"plan": plan.id, "prefixes": prefixes}).mappings():
        titles = rule_title(row["rule"], "zh"), rule_title(row["rule"], "en")
        reason = row["reason"] if row["severity"] == "W" else None
        one = Finding(row["rule"], *titles, row["count"], row["settled"], tuple(row["grids"]), reason)
        found[row["severity"]].append(one)
    return tuple(found["E"]), tuple(found["W"])


def authors(session: Session, plan: Plan) -> set[int]:
    """Who made the plan what it is: its creator, who edited it, who submitted it; also of drafts it was copied from."""
    found = session.scalars(query("workflow", "authors"), {"plan": plan.id})
    return {int(one) for one in found if one is not None}


def steps(session: Session, plan_id: int) -> tuple[Step, ...]:
    """The steps of a plan, oldest first."""
    rows = session.execute(query("workflow", "steps"), {"plan": plan_id}).mappings()
    return tuple(Step(**row) for row in rows)


def in_force(session: Session, plan: Plan, region: Region) -> Plan | None:
    """The published plan of the same department that a plan's region lies in and that has no end yet, latest first."""
    wider = sa.literal(region.prefix).startswith(Region.prefix)
    return session.scalar(
        sa.select(Plan)
        .join(Region, Region.id == Plan.region_id)
        .where(Plan.state == "published", Plan.valid_to.is_(None), wider, Plan.id != plan.id)
        .where(Plan.department.is_not_distinct_from(plan.department))
        .order_by(sa.func.length(Region.prefix).desc(), Plan.valid_from.desc())
        .limit(1)
    )


def in_force_inside(session: Session, plan: Plan, region: Region) -> tuple[Plan, ...]:
    """The published plans of the same department in parts of a plan's region that have no end yet."""
    found = session.scalars(
        sa.select(Plan)
        .join(Region, Region.id == Plan.region_id)
        .where(Plan.state == "published", Plan.valid_to.is_(None), Region.prefix.startswith(region.prefix))
        .where(Plan.department.is_not_distinct_from(plan.department), Plan.id != plan.id)
        .order_by(Region.prefix, Plan.id)
    )
    return tuple(found)


def replaced_by(session: Session, plan: Plan) -> int | None:
    """The plan that a published one took the place of, None where there was none."""
    said = PlanStep.detail["replaced"].astext
    found = session.scalar(
        sa.select(said).where(PlanStep.plan_id == plan.id, PlanStep.kind.in_(("publish", "restore")))
        .order_by(PlanStep.id.desc()).limit(1)
    )  # fmt: skip
    return None if found is None else int(found)
