"""The tree of regions: sums, statuses of the plan shown, and how much of it a subdistrict sees."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Building, Grid, Plan, Region
from gridmap.errors import NotFound
from gridmap.services import regions
from gridmap.services.actor import SYSTEM, Actor, Grant, Role

pytestmark = pytest.mark.usefixtures("shared_demo_url")

COUNTY, NORTH_CODE = "339901000000", "339901001000"
NORTH = Actor("north", (Grant(Role.VIEWER, "339901001"),))


def test_the_tree_adds_up() -> None:
    tree = {region.code: region for region in regions.tree(SYSTEM)}
    county = tree[COUNTY]
    for below in ("subdistrict", "community"):
        parts = [region for region in tree.values() if region.level == below]
        for field in ("households", "population", "buildings", "units", "missing_households", "communities"):
            assert sum(getattr(part, field) for part in parts) == getattr(county, field)
    with transaction() as session:
        assert county.households == session.scalar(sa.select(sa.func.sum(Building.households)))
        assert county.buildings == session.scalar(sa.select(sa.func.count()).select_from(Building))


def test_parents_come_before_their_children() -> None:
    seen: set[str] = set()
    for region in regions.tree(SYSTEM):
        assert region.parent_code is None or region.parent_code in seen
        seen.add(region.code)


def test_statuses_are_those_of_the_plan_asked_for() -> None:
    with transaction() as session:
        plans = dict(session.execute(sa.select(Plan.name, Plan.id)).all())
        for name, plan_id in plans.items():
            counted = dict(
                session.execute(
                    sa.select(Grid.status, sa.func.count()).where(Grid.plan_id == plan_id).group_by(Grid.status)
                ).all()
            )
            found = regions.get(SYSTEM, COUNTY, plan_id=plan_id).statuses
            assert {status: n for status, n in found.items() if n} == counted, name
    assert regions.get(SYSTEM, COUNTY).statuses == regions.get(SYSTEM, COUNTY, plan_id=plans["现行网格"]).statuses


def test_children_and_breadcrumb() -> None:
    below = regions.children(SYSTEM, COUNTY)
    assert [region.level for region in below] == ["subdistrict"] * 3
    community = regions.children(SYSTEM, NORTH_CODE)[0]
    assert [crumb.level for crumb in regions.breadcrumb(SYSTEM, community.code)] == [
        "county",
        "subdistrict",
        "community",
    ]


def test_a_subdistrict_sees_itself_and_the_county_by_name() -> None:
    assert {region.code[:9] for region in regions.tree(NORTH)} == {"339901001"}
    assert [region.code for region in regions.children(NORTH, COUNTY)] == [NORTH_CODE]
    assert [crumb.open for crumb in regions.breadcrumb(NORTH, NORTH_CODE)] == [False, True]
    for hidden in (COUNTY, "339901002000"):
        with pytest.raises(NotFound):
            regions.get(NORTH, hidden)
    with pytest.raises(NotFound):
        regions.breadcrumb(NORTH, "339901002000")
    assert {f["properties"]["code"][:9] for f in regions.outlines(NORTH)["features"]} == {"339901001"}
    assert [f["properties"]["level"] for f in regions.outlines(NORTH, level="county")["features"]] == ["county"]


def test_outlines_are_geojson_of_one_level() -> None:
    found = regions.outlines(SYSTEM, level="community", within=NORTH_CODE)
    with transaction() as session:
        wanted = session.scalars(
            sa.select(Region.code).where(Region.level == "community", Region.code.startswith("339901001"))
        ).all()
    assert sorted(feature["id"] for feature in found["features"]) == sorted(wanted)
    assert all(feature["geometry"]["type"] == "MultiPolygon" for feature in found["features"])


def test_unknown_regions_are_not_found() -> None:
    for code in ("110101000000", "x"):
        with pytest.raises(NotFound):
            regions.get(SYSTEM, code)
        with pytest.raises(NotFound):
            regions.breadcrumb(SYSTEM, code)
