"""A plan copied whole and in part: the same assignment, ground of the part, nothing of its locks, log or validity."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanOperation
from gridmap.errors import Forbidden, NotFound
from gridmap.services import compare, plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from tests.drafts import Draft

HERE = "339901001001"


@pytest.fixture(autouse=True)
def town(shared_demo_url: str) -> None:
    """The demo town; each test makes copies of its own."""


def test_a_whole_copy_has_the_same_assignment_and_none_of_the_locks() -> None:
    first = Draft(plans.copy_plan(SYSTEM, 1))
    with transaction() as session:
        session.execute(sa.update(Grid).where(Grid.plan_id == first.id).values(locked=True))
    copy = Draft(plans.copy_plan(SYSTEM, first.id, name="二稿"))
    codes = [{id: row["code"] for id, row in draft.grids().items()} for draft in (first, copy)]
    held = [
        {unit: code.get(grid) if grid else None for unit, grid in draft.units().items()}
        for draft, code in zip((first, copy), codes, strict=True)
    ]
    assert held[0] == held[1]
    assert not any(row["locked"] or row["valid_from"] for row in copy.grids().values())
    copy.require_whole()
    with transaction() as session:
        made = session.get_one(Plan, copy.id)
        assert (made.name, made.state, made.base_plan_id, made.version) == ("二稿", "draft", first.id, 1)
        births = session.scalars(sa.select(PlanOperation).where(PlanOperation.plan_id == copy.id)).all()
    assert [(one.kind, one.detail["by"], one.detail["base"]) for one in births] == [("create", "plan.copy", first.id)]
    assert compare.compare(SYSTEM, first.id, copy.id).moves.changes["same"] == len(copy.grids())


def test_a_part_has_the_units_inside_and_grids_that_reach_beyond_are_cut_to_it() -> None:
    part = Draft(plans.copy_plan(SYSTEM, 2, region_code=HERE))
    with transaction() as session:
        inside = set(
            session.scalars(
                sa.text(
                    "SELECT p.unit_id FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN region r"
                    " ON r.id = u.region_id WHERE p.plan_id = 2 AND r.code = :code"
                ),
                {"code": HERE},
            )
        )
        off = session.execute(
            sa.text(
                "SELECT g.code FROM grid g, region r WHERE g.plan_id = :plan AND r.code = :code"
                " AND ST_Area(ST_Difference(g.geom, r.geom)) > 1e-3 * ST_Area(g.geom)"
            ),
            {"plan": part.id, "code": HERE},
        ).all()
    assert set(part.units()) == inside
    assert part.grids()
    assert off == []


def test_who_plans_a_community_copies_it_and_no_more() -> None:
    neighbour = Actor("neighbour", (Grant(Role.PLANNER, HERE),))
    assert plans.get(SYSTEM, plans.copy_plan(neighbour, 1, region_code=HERE)).region_code == HERE
    with pytest.raises((Forbidden, NotFound)):
        plans.copy_plan(neighbour, 1)
    with pytest.raises(NotFound):
        plans.copy_plan(SYSTEM, 1, region_code="999999999999")
