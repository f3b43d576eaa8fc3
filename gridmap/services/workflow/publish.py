"""Publishing: from a day on a plan is in force, in the place of the one before; and the way back.

A plan of a part publishes *into* the plan in force: a new plan of the wider region is made of what is in force outside
the part and of the draft inside it, so that on any day exactly one plan is in force over a place (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, Region
from gridmap.errors import Conflict, Invalid
from gridmap.services import audit, counts
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.days import today
from gridmap.services.jobs import queue
from gridmap.services.placing import lock_units
from gridmap.services.plans.copy import write_copy
from gridmap.services.plans.derive import derive
from gridmap.services.plans.households import publish_plan
from gridmap.services.versions import raise_version, render_ahead
from gridmap.services.workflow.codes import settle
from gridmap.services.workflow.stand import in_force, in_force_inside, replaced_by
from gridmap.services.workflow.steps import lock, take_step
from gridmap.sql import query


@service
def publish(session: Session, actor: Actor, plan_id: int, on: date) -> int:
    """Put an approved plan in force from the day ``on`` (today or later); the id of the plan that is in force then.

    One transaction: codes, validity, cut units, the end of the plan before. Raises ``Conflict`` PLAN_STATE,
    ``Invalid`` WORKFLOW_DATE_PAST, WORKFLOW_DATE_BEFORE, ``Conflict`` WORKFLOW_CODES_FULL.
    """
    lock_units(session, shared=False)
    plan, region = lock(session, actor, plan_id, Role.APPROVER)
    if plan.state != "approved":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    if on < today():
        raise Invalid("WORKFLOW_DATE_PAST", day=on.isoformat())
    ending = _ending(session, plan, region, on)
    if not any(_holds(session, one, region) for one in ending):
        _begin(session, actor, plan, region, ending, on, "publish")
        return plan.id
    whole = _composed(session, actor, plan, region, ending[0])
    home = session.get_one(Region, whole.region_id)
    _begin(session, actor, whole, home, ending, on, "publish", part=plan.id)
    take_step(session, actor, plan, region, "publish", "archived", "", into=whole.id, valid_from=on.isoformat())
    return whole.id


@service
def restore(session: Session, actor: Actor, plan_id: int) -> int:
    """Put the plan in force again, from today, that the published plan ``plan_id`` replaced; the id of the new plan.

    It is a copy, under the codes it had: what was in force on which day stays on record. Raises ``Conflict``
    PLAN_STATE, WORKFLOW_NOTHING_BEFORE.
    """
    lock_units(session, shared=False)
    plan, _ = lock(session, actor, plan_id, Role.APPROVER)
    if plan.state != "published" or plan.valid_to is not None:
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    old_id = replaced_by(session, plan)
    if old_id is None:
        raise Conflict("WORKFLOW_NOTHING_BEFORE", plan=plan.name)
    old = session.get_one(Plan, old_id)
    home = session.get_one(Region, old.region_id)
    again = _plan_like(session, actor, old, old.name)
    write_copy(session, old.id, again.id, home.prefix)
    _born(session, actor, again, "workflow.restore", base=old.id)
    _ask_check(session, again, home)
    on = max(today(), plan.valid_from or today())
    _begin(session, actor, again, home, (plan,), on, "restore", keep=True, of=old.id)
    return again.id


def _ending(session: Session, plan: Plan, region: Region, on: date) -> tuple[Plan, ...]:
    """The plans in force that end with ``on``, locked: the one that holds the region, else all inside the region."""
    wider = in_force(session, plan, region)
    found = in_force_inside(session, plan, region) if wider is None else (wider,)
    for one in found:
        session.refresh(one, with_for_update=True)
        if one.valid_from is not None and on < one.valid_from:
            begun = one.valid_from.isoformat()
            raise Invalid("WORKFLOW_DATE_BEFORE", day=on.isoformat(), begun=begun, plan=one.name)
    return found


def _holds(session: Session, one: Plan, region: Region) -> bool:
    """Whether a plan's region is wider than ``region``."""
    home = session.get_one(Region, one.region_id)
    return home.id != region.id and region.prefix.startswith(home.prefix)


def _begin(
    session: Session,
    actor: Actor,
    plan: Plan,
    region: Region,
    ending: Sequence[Plan],
    on: date,
    kind: str,
    *,
    keep: bool = False,
    **detail: Any,
) -> None:
    """Codes, days, units, state, and the end of the plans before."""
    olds = [one.id for one in ending]
    recoded = {} if keep else settle(session, plan, olds)
    session.expire_all()
    plan.valid_from, plan.valid_to = on, None
    keys = {"new": plan.id, "olds": olds, "day": on}
    session.execute(query("workflow", "begin_grids"), keys)
    session.execute(query("workflow", "revive_grids"), {"new": plan.id})
    retired = sorted(session.scalars(query("workflow", "retire_grids"), keys))
    for before in ending:
        before.valid_to = on
        home = session.get_one(Region, before.region_id)
        ended = "archived" if on <= today() else "published"
        take_step(session, actor, before, home, "replace", ended, "", by=plan.id, valid_to=on.isoformat())
    _swap_units(session, plan)
    told = {"replaced": olds[0] if len(olds) == 1 else None, "valid_from": on.isoformat(), "retired": retired}
    if len(olds) > 1:
        told["parts"] = olds
    take_step(session, actor, plan, region, kind, "published", "", **told, recoded=recoded, **detail)
    raise_version(session, "plans")
    render_ahead(session)
    publish_plan(session, plan.id)


def _swap_units(session: Session, plan: Plan) -> None:
    """The units that a plan is made of live from now on: pieces of a cut one, or the whole of what was cut since."""
    born = session.execute(query("workflow", "born_pieces"), {"plan": plan.id}).all()
    again = session.execute(query("workflow", "whole_again"), {"plan": plan.id}).all()
    retire = sorted({row.cut_of for row in born} | {row.piece for row in again})
    live = sorted({row.id for row in born} | {row.id for row in again})
    if not live:
        return
    session.execute(query("workflow", "swap_units"), {"retire": retire, "live": live})
    counts.place_buildings(session, also=live)
    counts.place_cases(session)
    raise_version(session, "units", "buildings", "cases")


def _composed(session: Session, actor: Actor, part: Plan, region: Region, before: Plan) -> Plan:
    """The plan in force with the ground of ``part`` (in ``region``) as that plan has it; the worker checks it."""
    whole = _plan_like(session, actor, before, before.name)
    outside = session.scalars(query("workflow", "outside_grids"), {"plan": before.id, "part": region.prefix}).all()
    keys = {"plan": whole.id, "base": before.id, "part": region.prefix, "old": list(outside)}
    keys |= {"ids": bulk.reserve_ids(session, Grid, len(outside)).tolist()}
    session.execute(query("redraw", "copy_grids"), keys)
    session.execute(query("workflow", "copy_units_outside"), keys)
    parted = list(session.scalars(query("plans", "parted_copies"), keys))
    if parted:
        derive(session, parted, homes=True)
    write_copy(session, part.id, whole.id, region.prefix)
    counts.sum_plan(session, whole.id)
    _born(session, actor, whole, "workflow.publish", base=before.id, part=part.id)
    _ask_check(session, whole, session.get_one(Region, before.region_id))
    return whole


def _ask_check(session: Session, plan: Plan, region: Region) -> None:
    """Have the worker check a plan that was made here."""
    queue(session, SYSTEM, "check_plan", f"plan:{plan.id}", region.code, plan_id=plan.id, profile=None)


def _plan_like(session: Session, actor: Actor, model: Plan, name: str) -> Plan:
    made = Plan(
        name=name,
        region_id=model.region_id,
        department=model.department,
        profile_name=model.profile_name,
        profile=model.profile,
        base_plan_id=model.id,
        created_by=actor.user_id,
    )
    session.add(made)
    session.flush()
    return made


def _born(session: Session, actor: Actor, plan: Plan, by: str, **detail: Any) -> None:
    """The first operation of a plan, and the audit of it."""
    said = {"by": by, **detail}
    session.add(PlanOperation(plan_id=plan.id, version=1, user_id=actor.user_id, kind="create", detail=said))
    region = session.get_one(Region, plan.region_id)
    audit.record(session, actor, by, "plan", plan.id, region_code=region.code, name=plan.name, **detail)
