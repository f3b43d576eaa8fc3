"""Counts of the heat service are those of plain SQL, for whoever asks, with a store and without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.density import density_grid, map_metres
from geodata.heat import Bins
from gridmap.db.engine import transaction
from gridmap.errors import Invalid
from gridmap.services import heat
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.heat import keeper

WORLD = (100.0, 20.0, 130.0, 40.0)
TOWN, COMMUNITY = "339901001", "339901001001"
NORTH = Actor("north", (Grant(Role.CASE_OFFICER, TOWN),))
TWO = Actor("two", (Grant(Role.PLANNER, COMMUNITY), Grant(Role.CASE_OFFICER, "339901002")))
NOBODY = Actor("nobody", (Grant(Role.CASE_OFFICER, "990000"),))


PLAIN = """
SELECT width_bucket(-ST_Y(c.point), CAST(:rows AS float8[])) AS row,
       width_bucket(ST_X(c.point), CAST(:columns AS float8[])) AS col, count(*) AS n
FROM case_record c JOIN region r ON r.id = c.region_id
WHERE ST_X(c.point) >= :west AND ST_X(c.point) < :east AND ST_Y(c.point) >= :south AND ST_Y(c.point) < :north
  AND r.code LIKE ANY (CAST(:patterns AS text[])) AND r.code LIKE :region
  AND (CAST(:since AS timestamptz) IS NULL OR occurred_at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR occurred_at < :until)
  AND (CAST(:categories AS text[]) IS NULL OR category = ANY (CAST(:categories AS text[])))
GROUP BY 1, 2
"""


@pytest.fixture(autouse=True)
def fresh(heat_stores: Path) -> Iterator[None]:
    keeper.forget()
    yield
    keeper.forget()


@pytest.fixture(scope="module")
def built(shared_demo_url: str) -> str:
    heat.run_build()
    return shared_demo_url


@pytest.fixture(scope="module")
def known(built: str) -> Any:
    with transaction() as session:
        rows = session.execute(sa.text(
            "SELECT ST_X(point) AS x, ST_Y(point) AS y, occurred_at, category FROM case_record"
            " WHERE point IS NOT NULL AND region_id IS NOT NULL ORDER BY id"))  # fmt: skip
        return rows.all()


@pytest.fixture(scope="module")
def apart(built: str) -> set[tuple[float, float]]:
    """Points of cases whose place was not found, by SQL."""
    with transaction() as session:
        rows = session.execute(sa.text(
            "SELECT ST_X(point), ST_Y(point), count(*) AS n, count(DISTINCT place) AS places FROM case_record"
            " WHERE point IS NOT NULL AND region_id IS NOT NULL GROUP BY 1, 2"))  # fmt: skip
        rows = rows.all()
    low, high = np.quantile([row.n for row in rows], [0.25, 0.75])
    found = {tuple(row[:2]) for row in rows if row.n >= 20 and row.n > high + 3 * (high - low)
             and row.places >= max(10, row.n / 10)}  # fmt: skip
    assert found
    return found


def plain(found: Bins, actor: Actor, bounds: Any, prefix: str = "", **chosen: Any) -> Any:
    """The counts by SQL that compares degrees; rows are told apart by minus the latitude, open at their other end."""
    counts = np.zeros_like(found.counts)
    upper = [-float(np.nextafter(edge, -100)) for edge in found.latitudes]  # half-open downwards: the edge is above
    values = dict(zip(("west", "south", "east", "north"), bounds, strict=True)) | {
        "rows": upper[:-1],
        "columns": found.longitudes[:-1].tolist(),
        "patterns": actor.patterns(Role.VIEWER),
        "region": prefix + "%",
        "since": chosen.get("since"),
        "until": chosen.get("until"),
        "categories": chosen.get("categories"),
    }
    with transaction() as session:
        for row in session.execute(sa.text(PLAIN), values):
            counts[row.row - 1, row.col - 1] = row.n
    return counts


@st.composite
def questions(draw: Any, known: Any) -> dict[str, Any]:
    def side(axis: int) -> float:
        value = known[draw(st.integers(0, len(known) - 1))][axis]
        return value if draw(st.booleans()) else value + draw(st.floats(-0.02, 0.02))

    west, east = sorted((side(0), side(0)))
    south, north = sorted((side(1), side(1)))
    moments = sorted(
        known[draw(st.integers(0, len(known) - 1))][2] + timedelta(microseconds=draw(st.sampled_from((0, 0, 1, -1))))
        for _ in "ab"
    )
    names = sorted({row.category for row in known})
    return {
        "bounds": (west, south, float(np.nextafter(east, 200)), float(np.nextafter(north, 90))),
        "level": draw(st.integers(8, 19)),
        "actor": draw(st.sampled_from((SYSTEM, NORTH, TWO, NOBODY))),
        "region": draw(st.sampled_from((None, None, "339901000000", TOWN + "000", COMMUNITY, "3399"))),
        "since": draw(st.sampled_from((None, moments[0]))),
        "until": draw(st.sampled_from((None, moments[1] + timedelta(microseconds=1)))),
        "categories": draw(st.none() | st.lists(st.sampled_from(names), min_size=1, unique=True)),
    }


def ask(asked: dict[str, Any]) -> tuple[Bins, Any]:
    actor, region = asked["actor"], asked["region"]
    chosen = {name: asked[name] for name in ("since", "until", "categories")}
    found = heat.bins(actor, asked["bounds"], asked["level"], region=region, **chosen)
    digits = (
        ""
        if region is None
        else {12: region.rstrip("0") if region.endswith("000") else region}.get(len(region), region)
    )
    return found, plain(found, actor, asked["bounds"], digits, **chosen)


@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_those_of_plain_sql(known: Any, data: st.DataObject) -> None:
    asked = data.draw(questions(known))
    found, told = ask(asked)
    assert np.array_equal(found.counts, told)


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_a_store_too(known: Any, heat_stores: Path, data: st.DataObject) -> None:
    asked = data.draw(questions(known))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "stores", lambda identity: [])
        found, told = ask(asked)
    keeper.forget()
    assert np.array_equal(found.counts, told)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("wrong", [
    {"since": datetime(2026, 1, 1)},
    {"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)},
    {"level": 25}, {"level": 24},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    level = wrong.pop("level", 8)
    with pytest.raises(Invalid):
        heat.bins(SYSTEM, WORLD, level, **wrong)


def test_the_image_is_the_same_with_and_without_a_store(built: str, known: Any, apart: Any) -> None:
    x, y = (sorted(row[axis] for row in known) for axis in (0, 1))
    box = (x[len(x) // 10], y[len(y) // 10], x[-len(x) // 10], y[-len(y) // 10])
    kept = heat.image(NORTH, box, (256, 256))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "stores", lambda identity: [])
        raw = heat.image(NORTH, box, (256, 256))
    assert kept == raw
    away = sum(plain_total(NORTH, (x, y, np.nextafter(x, 999), np.nextafter(y, 99)))
               for x, y in apart if box[0] <= x < box[2] and box[1] <= y < box[3])  # fmt: skip
    assert kept.cases == plain_total(NORTH, box) - away


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("bandwidth_m", [100.0, 250.0, 1000.0])
def test_the_surface_is_that_of_the_points(
    known: Any, apart: Any, monkeypatch: pytest.MonkeyPatch, bandwidth_m: float
) -> None:
    points = np.array([row[:2] for row in known if tuple(row[:2]) not in apart])
    (west, south), (east, north) = points.min(axis=0) - 0.01, points.max(axis=0) + 0.01
    drawn: list[Any] = []
    monkeypatch.setattr("geodata.density.png", lambda surface: drawn.append(surface) or b"")
    found = heat.image(SYSTEM, (west, south, east, north), (512, 512), bandwidth_m=bandwidth_m)
    latitude = (south + north) / 2
    (xmin, ymin), (xmax, ymax) = map_metres([(west, south), (east, north)], latitude)
    rows, columns = drawn[0].shape
    cell_km2 = (xmax - xmin) / columns * (ymax - ymin) / rows / 1e6
    assert found.cases == len(points) < len(known)
    assert drawn[0].sum() * cell_km2 == pytest.approx(len(points), rel=0.01)
    told = density_grid(map_metres(points, latitude), bandwidth_m, (xmax - xmin) / columns, (xmin, ymin, xmax, ymax))
    told = told[:rows, :columns]
    assert told.shape == drawn[0].shape
    assert np.abs(drawn[0] - told).sum() < 0.1 * told.sum()


def plain_total(actor: Actor, box: Any) -> int:
    return int(plain(heat.bins(actor, box, 3), actor, box).sum())
