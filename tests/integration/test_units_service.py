"""Units built in the database tile their communities, count every building once, and retire what was there before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Building, Case, PlanUnit, Region, Unit
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import plans, units
from gridmap.services.actor import SYSTEM, Actor, Grant, Role

pytestmark = pytest.mark.usefixtures("demo_url")


def _living() -> dict[str, bulk.Objects]:
    with transaction() as session:
        chosen = sa.select(
            Unit.id, Unit.region_id, Unit.number, Unit.households, sa.func.ST_AsBinary(Unit.geom).label("geom")
        )
        return bulk.columns(session, chosen.where(Unit.retired_at.is_(None)).order_by(Unit.id))


def test_units_tile_every_community_without_gap_or_overlap() -> None:
    table = _living()
    shapes = shapely.get_geometry(bulk.shapes(table["geom"]), 0)
    assert shapely.coverage_is_valid(shapes)
    with transaction() as session:
        communities = bulk.columns(
            session,
            sa.select(Region.id, sa.func.ST_AsBinary(Region.geom).label("geom")).where(Region.level == "community"),
        )
    for region_id, border in zip(communities["id"], bulk.shapes(communities["geom"]), strict=True):
        ground = shapely.coverage_union_all(shapes[table["region_id"] == region_id])
        # one millimetre of border is about 1e-8 degrees
        assert shapely.symmetric_difference(ground, border).area < 1e-8 * border.length


def test_households_are_those_of_the_buildings_inside() -> None:
    with transaction() as session:
        by_building = session.execute(
            sa.select(Building.unit_id, sa.func.sum(Building.households), sa.func.count()).group_by(Building.unit_id)
        ).all()
        stored = {u.id: u for u in session.scalars(sa.select(Unit).where(Unit.retired_at.is_(None)))}
        total = session.scalar(sa.select(sa.func.sum(Building.households)))
    assert all(unit_id is not None for unit_id, *_ in by_building)
    for unit_id, households, count in by_building:
        assert (stored[unit_id].households, stored[unit_id].buildings) == (households or 0, count)
    assert sum(unit.households for unit in stored.values()) == total


def test_numbers_run_from_one_in_every_community() -> None:
    table = _living()
    for region_id in np.unique(table["region_id"]):
        numbers = sorted(table["number"][table["region_id"] == region_id])
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_rebuild_retires_units_that_plans_keep_and_moves_buildings_and_cases() -> None:
    before = set(_living()["id"])
    report = units.build(SYSTEM)
    after = _living()
    assert report.retired == len(before) and report.units == len(after["id"])
    assert before.isdisjoint(after["id"])
    with transaction() as session:
        kept = session.scalar(sa.select(sa.func.count()).select_from(PlanUnit).where(PlanUnit.unit_id.in_(before)))
        assert kept and set(session.scalars(sa.select(Unit.id).where(Unit.retired_at.is_not(None)))) == before
        for table in (Building, Case):
            assert set(session.scalars(sa.select(table.unit_id).distinct())) <= set(after["id"])


def test_units_that_no_plan_keeps_do_not_pile_up() -> None:
    units.build(SYSTEM)
    units.build(SYSTEM)
    with transaction() as session:
        retired = session.scalars(sa.select(Unit.id).where(Unit.retired_at.is_not(None))).all()
        assert set(retired) <= set(session.scalars(sa.select(PlanUnit.unit_id)))


def test_one_community_is_rebuilt_and_its_neighbours_stay() -> None:
    before = _living()
    with transaction() as session:
        region = session.scalars(sa.select(Region).where(Region.level == "community").order_by(Region.code)).first()
        assert region is not None
    report = units.build(SYSTEM, region.code)
    after = _living()
    assert report.communities == 1
    elsewhere = before["region_id"] != region.id
    assert set(before["id"][elsewhere]) == set(after["id"][after["region_id"] != region.id])
    assert before["households"].sum() == after["households"].sum()


def test_only_planners_of_the_region_build() -> None:
    viewer = Actor("viewer", (Grant(Role.VIEWER, "339901001"),))
    planner = Actor("planner", (Grant(Role.PLANNER, "339901001"),))
    with pytest.raises(Forbidden):
        units.build(viewer, "339901001000")
    with pytest.raises(NotFound):
        units.build(planner, "339901002000")
    report = units.build(planner, "339901001000")
    with transaction() as session:
        event = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event is not None and (event.action, event.login) == ("units.build", "planner")
        assert event.detail["units"] == report.units


def test_without_communities_it_says_so() -> None:
    with pytest.raises(Invalid) as caught:
        units.build(SYSTEM, "110101000000")
    assert caught.value.code == "UNITS_NO_COMMUNITY"
    assert "110101000000" in caught.value.sentence("zh")


def test_progress_goes_from_nothing_to_all() -> None:
    seen: list[float] = []
    units.build(SYSTEM, progress=lambda share, _: seen.append(share))
    assert seen == sorted(seen) and 0 < seen[0] < seen[-1] == 1


def test_two_builds_at_once_leave_one_layer_of_units() -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: units.build(SYSTEM), range(2)))
    assert len(_living()["id"]) == reports[0].units == reports[1].units
    shapes = shapely.get_geometry(bulk.shapes(_living()["geom"]), 0)
    assert shapely.coverage_is_valid(shapes)


def test_a_plan_made_during_a_build_keeps_its_units() -> None:
    with ThreadPoolExecutor(2) as pool:
        building = pool.submit(units.build, SYSTEM)
        plan_id = pool.submit(plans.create_empty, SYSTEM, "同时", "339901000000").result()
        building.result()
    with transaction() as session:
        held = session.scalars(sa.select(PlanUnit.unit_id).where(PlanUnit.plan_id == plan_id)).all()
        areas = session.scalar(sa.select(sa.func.sum(Unit.area_m2)).where(Unit.id.in_(held)))
        whole = session.scalar(sa.select(sa.func.sum(Unit.area_m2)).where(Unit.retired_at.is_(None)))
        assert areas == pytest.approx(whole)
