"""One search finds communities, grids, compounds and addresses; exact matches first, nothing beyond one's regions."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Building, Compound, Grid, Plan, Region
from gridmap.services import search
from gridmap.services.actor import SYSTEM, Actor, Grant, Role

pytestmark = pytest.mark.usefixtures("shared_demo_url")


def _one(column: sa.ColumnElement[str] | object, *where: object) -> str:
    with transaction() as session:
        found = session.scalars(sa.select(column).where(*where).limit(1)).one()  # type: ignore[arg-type]
        return str(found)


def test_each_kind_is_found_by_its_name() -> None:
    in_force = sa.select(Plan.id).where(Plan.state == "published").scalar_subquery()
    for kind, text in (
        ("region", _one(Region.name, Region.level == "community")),
        ("region", _one(Region.code, Region.level == "community")),
        ("grid", _one(Grid.code, Grid.plan_id == in_force, Grid.geom.is_not(None))),
        ("grid", _one(Grid.name, Grid.plan_id == in_force, Grid.geom.is_not(None))),
        ("compound", _one(Compound.name)),
        ("building", _one(Building.address, Building.address.is_not(None))),
        ("building", _one(Building.key, Building.key.is_not(None))),
    ):
        first = search.find(SYSTEM, text)[0]
        assert first.kind == kind, text
        assert first.bbox is not None


def test_blank_finds_nothing_and_wildcards_are_characters() -> None:
    for text in ("", "   ", "%", "_", "\\"):
        assert search.find(SYSTEM, text) == ()


def test_the_limit_holds() -> None:
    assert len(search.find(SYSTEM, "号", limit=7)) == 7


def test_only_what_lies_in_ones_regions() -> None:
    north = Actor("north", (Grant(Role.VIEWER, "339901001"),))
    for text in ("网格", "社区", "号", "3399"):
        found = search.find(north, text, limit=50)
        assert found, text
        assert {hit.region_code[:9] for hit in found if hit.region_code} == {"339901001"}
