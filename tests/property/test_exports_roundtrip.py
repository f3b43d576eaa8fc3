"""Any plan whatever goes out as a table or a map and comes back the same: codes, names, kinds, workers, assignment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.crs import middle_lon, to_metric
from geodata.overlay import overlay_grids
from geodata.readers import open_source
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanUnit
from gridmap.services import exports, plans
from gridmap.services.actor import SYSTEM
from gridmap.services.plans.make import finish, living_units, new_plan, store

COUNTY = "339901000000"
NAMES = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
)
CODES = st.one_of(
    st.from_regex(r"33990100[0-9]{7}", fullmatch=True), st.from_regex(r"[A-Z]{1,3}[0-9]{1,4}", fullmatch=True)
)


@pytest.fixture(autouse=True)
def _database(demo_url: str) -> Iterator[None]:
    yield


def _made(grids: list[plans.GridRow], seed: int) -> int:
    with transaction() as session:
        units = living_units(session, COUNTY)
        rng = np.random.default_rng(seed)
        grid_of = rng.integers(-1, len(grids), len(units["id"]))
        plan = new_plan(session, SYSTEM, "随机", COUNTY, "national")
        store(session, plan, units, grids, grid_of)
        return finish(session, SYSTEM, plan, COUNTY, "test")


def _stored(plan_id: int) -> list[tuple[Any, ...]]:
    with transaction() as session:
        columns = (Grid.code, Grid.name, Grid.kind, Grid.workers, Grid.households, Grid.population, Grid.units)
        chosen = sa.select(PlanUnit.unit_id, *columns).outerjoin(Grid, Grid.id == PlanUnit.grid_id)
        return [tuple(r) for r in session.execute(chosen.where(PlanUnit.plan_id == plan_id).order_by(PlanUnit.unit_id))]


GRIDS = st.lists(
    st.builds(
        plans.GridRow,
        code=CODES,
        name=NAMES,
        kind=st.sampled_from(["basic", "special"]),
        workers=st.one_of(st.none(), st.integers(0, 50)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grids=GRIDS, seed=st.integers(0, 2**32 - 1), fmt=st.sampled_from(["units-csv", "xlsx"]))
def test_the_assignment_goes_out_and_comes_back(grids: list[plans.GridRow], seed: int, fmt: str) -> None:
    plan_id = _made(grids, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = exports.plan(SYSTEM, plan_id, fmt, path=Path(folder) / f"x{exports.FORMATS[fmt]}")
        rows, read = exports.read_assignment(path)
    again = plans.from_assignment(SYSTEM, "回来", COUNTY, rows, read)
    assert _stored(again) == _stored(plan_id)
    with transaction() as session:
        session.execute(sa.delete(Plan).where(Plan.id.in_([plan_id, again])))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 8), seed=st.integers(0, 2**32 - 1), fmt=st.sampled_from(["gpkg", "geojson", "shp"]))
def test_exported_grids_laid_over_the_units_give_the_same_assignment(count: int, seed: int, fmt: str) -> None:
    plan_id = _made([plans.GridRow(f"G{k}") for k in range(count)], seed)
    with transaction() as session:
        units = living_units(session, COUNTY)
        stored = dict(
            session.execute(
                sa.select(PlanUnit.unit_id, Grid.code)
                .outerjoin(Grid, Grid.id == PlanUnit.grid_id)
                .where(PlanUnit.plan_id == plan_id)
            ).all()
        )
        lon0 = middle_lon(units["geom"])
    with tempfile.TemporaryDirectory() as folder:
        path = exports.plan(SYSTEM, plan_id, fmt, path=Path(folder) / f"x{exports.FORMATS[fmt]}")
        (batch,) = open_source(path, scratch=Path(folder) / "scratch").batches()
        codes, shapes = batch.attributes["网格编码"].tolist(), np.asarray(batch.geometry, dtype=object)
    found = overlay_grids(to_metric(units["geom"], lon0), to_metric(shapes, lon0))
    laid = [codes[grid] if grid >= 0 else None for grid in found.assignment.tolist()]
    assert laid == [stored[unit] for unit in units["id"].tolist()]
    with transaction() as session:
        session.execute(sa.delete(Plan).where(Plan.id == plan_id))
