"""Saving what is drawn: strokes of 200 units in a plan of 20,000 units and 2,000 grids, alone and with 20 planners.

``python -m tests.bench.bench_saves [--times N]``. Through the whole web application: token, JSON in and out. The peer
saves as editors of a layer do: the whole grid layer as GeoJSON, every grid united anew by ST_Union.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np
import shapely
import sqlalchemy as sa
from flask import Flask

from gridmap.db import bulk, engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.db.models import Grid, Region, Unit
from gridmap.services.actor import SYSTEM
from gridmap.services.plans.make import GridRow, finish, living_units, new_plan, store
from gridmap.settings import Settings
from tests.bench.report import write

#: Communities in a row, each 25 x 40 units; a grid is 2 x 5 of them.
COMMUNITIES, ROWS, COLUMNS = 20, 40, 25
GRID_ROWS, GRID_COLUMNS = 5, 2
PLANS, STROKE_ROWS, STROKE_COLUMNS = 20, 20, 10
STEP_DEG, BENDS = 0.0008, 5
SAVE_BAR_MS, TOGETHER_BAR_MS = 100, 300
#: A stroke of 200 units is seldom drawn faster than this, looking at what it does.
PAUSE_S = 3.0
COUNTY = "339901000000"


def p95(values: list[float]) -> float:
    """The value that 95 % stay below."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def lattice() -> np.ndarray:
    """Units (rows, columns) of all communities as polygons of 24 vertices whose neighbours have the same ones."""
    rng = np.random.default_rng(1)
    height, width = ROWS + 1, COLUMNS * COMMUNITIES + 1
    knots = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) * STEP_DEG + (110.0, 25.0)
    t = (np.arange(1, BENDS + 1) / (BENDS + 1))[:, None]
    bend = STEP_DEG * 0.06

    def sides(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        straight = a[..., None, :] + t * (b - a)[..., None, :]
        return straight + rng.uniform(-bend, bend, straight.shape)

    across, up = sides(knots[:, :-1], knots[:, 1:]), sides(knots[:-1], knots[1:])
    rings = np.concatenate(
        [
            knots[:-1, :-1, None], across[:-1], knots[:-1, 1:, None], up[:, 1:],
            knots[1:, 1:, None], across[1:, :, ::-1], knots[1:, :-1, None], up[:, :-1, ::-1],
        ],
        axis=2,
    )  # fmt: skip
    return shapely.polygons(rings)


def ground() -> None:
    """County, communities and units in the database."""
    shapes, rng = lattice(), np.random.default_rng(2)
    with transaction() as session:
        whole = bulk.wkb_hex(bulk.multi([shapely.box(*shapely.total_bounds(shapes))]))[0]
        parts = shapes.reshape(ROWS, COMMUNITIES, COLUMNS).swapaxes(0, 1).reshape(COMMUNITIES, -1)
        boxes = bulk.wkb_hex(bulk.multi([shapely.coverage_union_all(part) for part in parts]))
        codes = [COUNTY, "339901001000", *(f"339901001{k + 1:03d}" for k in range(COMMUNITIES))]
        levels = ["county", "subdistrict"] + ["community"] * COMMUNITIES
        ids = bulk.reserve_ids(session, Region, len(codes))
        bulk.copy(
            session,
            "region",
            {
                "id": ids, "code": codes, "name": codes, "level": levels, "area_m2": [1.0] * len(codes),
                "prefix": [COUNTY[:6], "339901001", *codes[2:]], "settlement": [None, None] + ["urban"] * COMMUNITIES,
                "geom": [whole, whole, *boxes],
            },
        )  # fmt: skip
        n = parts.size
        people = rng.integers(10, 80, n)
        bulk.copy(
            session,
            "unit",
            {
                "id": bulk.reserve_ids(session, Unit, n), "region_id": np.repeat(ids[2:], ROWS * COLUMNS),
                "number": np.tile(np.arange(ROWS * COLUMNS) + 1, COMMUNITIES),
                "geom": bulk.wkb_hex(bulk.multi(parts.ravel())), "area_m2": np.round(rng.uniform(5e3, 9e3, n), 3),
                "households": people, "population": people * 3,
            },
        )  # fmt: skip
        bulk.analyse(session, "unit", "region")


def plan(number: int) -> tuple[int, np.ndarray, np.ndarray, float]:
    """A plan of 2,000 grids: its id, units (communities, rows, columns), ids of grids, and the seconds it took."""
    started = time.perf_counter()
    with transaction() as session:
        units = living_units(session, COUNTY)
        row, column = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
        across = -(-COLUMNS // GRID_COLUMNS)
        inside = row // GRID_ROWS * across + column // GRID_COLUMNS
        a_community = ROWS // GRID_ROWS * across
        grid_of = (np.arange(COMMUNITIES)[:, None] * a_community + inside).ravel()
        rows = [
            GridRow(f"339901001{k // a_community + 1:03d}{k % a_community + 1:03d}")
            for k in range(COMMUNITIES * a_community)
        ]
        made = new_plan(session, SYSTEM, f"方案{number}", COUNTY, "national")
        ids = store(session, made, units, rows, grid_of)
        finish(session, SYSTEM, made, COUNTY, "bench")
        plan_id, shape = made.id, (COMMUNITIES, ROWS, COLUMNS)
    return plan_id, units["id"].astype(np.int64).reshape(shape), ids, time.perf_counter() - started


class Planner:
    """One tab on one plan, that paints strokes over its communities one after the other."""

    def __init__(self, app: Flask, token: str, plan_id: int, units: np.ndarray, seed: int) -> None:
        self.client, self.plan_id, self.units = app.test_client(), plan_id, units
        self.headers = {"Authorization": f"Bearer {token}"}
        self.tab, self.rng, self.base = str(uuid4()), np.random.default_rng(seed), 1

    def stroke(self) -> float:
        """Paint 200 units of a community into one of its grids; milliseconds until the answer is there."""
        community = int(self.rng.integers(COMMUNITIES))
        row, column = int(self.rng.integers(ROWS - STROKE_ROWS)), int(self.rng.integers(COLUMNS - STROKE_COLUMNS))
        part = self.units[community, row : row + STROKE_ROWS, column : column + STROKE_COLUMNS]
        with transaction() as session:
            code = f"339901001{community + 1:03d}{int(self.rng.integers(1, 100)):03d}"
            to = session.scalar(sa.select(Grid.id).where(Grid.plan_id == self.plan_id, Grid.code == code))
        operation = {"key": str(uuid4()), "tool": "paint", "moves": [{"to": to, "units": part.ravel().tolist()}]}
        body = {"base": self.base, "client": self.tab, "operations": [operation]}
        started = time.perf_counter()
        answer = self.client.post(f"/api/v1/plans/{self.plan_id}/operations", json=body, headers=self.headers)
        took = 1000 * (time.perf_counter() - started)
        assert answer.status_code == 200, answer.text[:500]
        self.base = answer.json["version"]
        return took


def naive(plan_id: int, units: np.ndarray, times: int) -> list[float]:
    """The peer: the layer deleted and written from GeoJSON, then each grid united from its units."""
    took = []
    with transaction() as session:
        session.execute(
            sa.text("CREATE TABLE naive_unit AS SELECT * FROM plan_unit WHERE plan_id = :p"), {"p": plan_id}
        )
        session.execute(sa.text("CREATE INDEX ON naive_unit (unit_id)"))
        session.execute(sa.text("CREATE TABLE naive_grid (id bigint PRIMARY KEY, households bigint, geom geometry)"))
        rows = session.execute(
            sa.text("SELECT id, ST_AsGeoJSON(geom, 15) FROM grid WHERE plan_id = :p AND geom IS NOT NULL"),
            {"p": plan_id},
        ).all()
    features = [{"type": "Feature", "id": i, "properties": {}, "geometry": json.loads(shape)} for i, shape in rows]
    rng = np.random.default_rng(3)
    for _ in range(times):
        part = units[int(rng.integers(COMMUNITIES)), :STROKE_ROWS, :STROKE_COLUMNS].ravel().tolist()
        started = time.perf_counter()
        layer = json.dumps({"type": "FeatureCollection", "features": features})
        with transaction() as session:
            session.execute(sa.text("DELETE FROM naive_grid"))
            session.execute(
                sa.text("INSERT INTO naive_grid SELECT (f ->> 'id')::bigint, 0, ST_GeomFromGeoJSON(f -> 'geometry')"
                        " FROM jsonb_array_elements(CAST(:layer AS jsonb) -> 'features') AS f"),
                {"layer": layer},
            )  # fmt: skip
            session.execute(
                sa.text("UPDATE naive_unit SET grid_id = :to WHERE unit_id = ANY(:units)"),
                {"to": rows[int(rng.integers(len(rows)))][0], "units": part},
            )
            session.execute(
                sa.text("UPDATE naive_grid g SET geom = s.geom, households = s.households FROM ("
                        " SELECT n.grid_id, ST_Union(u.geom) AS geom, sum(u.households) AS households"
                        " FROM naive_unit n JOIN unit u ON u.id = n.unit_id GROUP BY n.grid_id) s"
                        " WHERE s.grid_id = g.id")
            )  # fmt: skip
        took.append(1000 * (time.perf_counter() - started))
    return took


def measure(folder: Path, times: int) -> list[dict[str, object]]:
    """Rows for a planner alone, 20 in plans of their own, and what the rule of the database costs a new plan."""
    from gridmap.services.accounts import actor_of, create_sign_in_link, redeem_link
    from gridmap.services.tokens import create_token
    from gridmap.services.users import add_user
    from gridmap.web.app import create_app

    migrate()
    ground()
    user_id = add_user(SYSTEM, "planner", "Planner", [("planner", COUNTY)])
    identity = redeem_link(create_sign_in_link(SYSTEM, "planner").rsplit("/", 1)[-1], "measured-Ground-7")
    actor = actor_of(user_id, identity.epoch)
    assert actor is not None
    _, token = create_token(actor, "bench")
    app = create_app(Settings(data_dir=folder, log_level="ERROR"))
    made = [plan(number) for number in range(PLANS)]
    with engine.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as settled:
        settled.execute(sa.text("VACUUM ANALYZE"))
        settled.execute(sa.text("CHECKPOINT"))
    planners = [Planner(app, token, plan_id, units, k) for k, (plan_id, units, _, _) in enumerate(made)]
    for _ in range(5):
        planners[0].stroke()
    alone = [planners[0].stroke() for _ in range(times)]
    together, _ = _together(planners, max(times // 5, 5), PAUSE_S)
    pressed, rate = _together(planners, max(times // 10, 3), 0.0)
    whole = statistics.median(naive(made[0][0], made[0][1], 5))
    size = f"{COMMUNITIES * ROWS * COLUMNS:,} units, {len(made[0][2]):,} grids"
    peer = "whole layer as GeoJSON, ST_Union of every grid"
    rows: list[dict[str, object]] = [
        {"metric": f"p95 save of 200 units, {size}", "value": p95(alone), "bar": f"<= {SAVE_BAR_MS}"},
        {"metric": "median of the same", "value": statistics.median(alone)},
        {"metric": f"p95, {PLANS} planners, a stroke every {PAUSE_S:g} s", "value": p95(together),
         "bar": f"<= {TOGETHER_BAR_MS}"},
        {"metric": f"p95, {PLANS} planners without a pause", "value": p95(pressed)},
    ]  # fmt: skip
    for line in rows:
        value = line["value"]
        assert isinstance(value, float)
        line |= {"unit": "ms", "peer": peer, "peer_value": whole, "ratio": value / whole}
    rows.append({"metric": f"saves, {PLANS} planners without a pause", "value": rate, "unit": "1/s"})
    rows.append({"metric": "a new plan", "value": statistics.median(s for *_, s in made), "unit": "s"})
    return rows


def _together(planners: list[Planner], strokes: int, pause_s: float) -> tuple[list[float], float]:
    """Milliseconds of each stroke of all planners at once, pausing ``pause_s`` on average; and strokes a second."""

    def work(planner: Planner) -> list[float]:
        took = []
        for _ in range(strokes):
            time.sleep(pause_s * float(planner.rng.uniform(0, 2)))
            took.append(planner.stroke())
        return took

    started = time.perf_counter()
    with ThreadPoolExecutor(len(planners)) as pool:
        found = [ms for each in pool.map(work, planners) for ms in each]
    return found, len(found) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
            engine.connect(cluster.url)
            write("saves", measure(Path(folder), times))
            engine.disconnect()


if __name__ == "__main__":
    main()
