"""Coverage at full scale: counting 5 million buildings in 100,000 grids beside GeoPandas, and the sums over HTTP.

``python -m tests.bench.bench_coverage [--times N] [--no-count] [--draft] [--city FOLDER]``; the city is that of
``tests/bench/city.py`` with a few cases. "First" is the first answer after a change, which goes through all grids and
units once.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import sqlalchemy as sa

from geodata.counting import count_by_polygon
from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from gridmap.settings import Settings
from tests.bench import city
from tests.bench.bench_count import best, town
from tests.bench.bench_pages import p95
from tests.bench.over_http import ask_ms, token_of
from tests.bench.report import write
from tests.browser.conftest import serving

GRIDS, BUILDINGS = 100_000, 5_000_000
COUNT_BAR_S, BAR_MS = 3.0, 300
SUBDISTRICT, COMMUNITY = "339901005000", "339901005041"
ADDRESSES = (
    "/coverage",
    f"/coverage?region={SUBDISTRICT}",
    f"/coverage?region={COMMUNITY}",
    "/api/v1/coverage?region=339901000000",
    f"/api/v1/coverage?region={SUBDISTRICT}",
    "/api/v1/coverage.geojson?region=339901000000",
    f"/api/v1/coverage.geojson?of=grids&region={COMMUNITY}",
    "/api/v1/coverage/trend",
    "/api/v1/coverage/uncovered",
    "/ogc/collections/grids/items?limit=500",
    "/ogc/collections/grids/items?bbox=120.2,30.2,120.22,30.22",
    "/ogc/collections/coverage-community/items?limit=500",
    "/ogc/collections/grids/tiles/WebMercatorQuad/14/6730/13660",
)


def counting() -> list[dict[str, Any]]:
    """The product's count of a whole city, and GeoPandas ``sjoin`` in the same run."""
    polygons, xy, weights = town(GRIDS, BUILDINGS)
    points, frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T)), gpd.GeoDataFrame(geometry=polygons)
    count_by_polygon(xy[:10], weights[:10], polygons[:10])  # loads the compiled kernels
    count_s, counts = best(lambda: count_by_polygon(xy, weights, polygons))
    peer_s, joined = best(lambda: gpd.sjoin(points, frame), times=1)
    peer_counts = np.zeros_like(counts)
    np.add.at(peer_counts, joined["index_right"].to_numpy(), weights[joined.index.to_numpy()])
    assert (counts == peer_counts).all(), "totals differ from GeoPandas"
    told = {"metric": f"whole recount, {GRIDS} grids x {BUILDINGS} buildings", "value": count_s, "unit": "s"}
    return [
        told
        | {"bar": f"<= {COUNT_BAR_S:g}", "peer": "geopandas sjoin", "peer_value": peer_s, "ratio": count_s / peer_s}
    ]


@contextlib.contextmanager
def folder_of(kept: str | None) -> Iterator[str]:
    """The folder of the city's database: one that stays, or one for this run."""
    if kept is not None:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-", dir="/var/tmp") as made:
        yield made


def copied(cluster: Cluster) -> str:
    """A copy of the cluster's database for this run; its address."""
    with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS run WITH (FORCE)")
        connection.execute("CREATE DATABASE run TEMPLATE gridmap")
    return cluster.url_of("run")


def asking(times: int, draft: bool, kept: str | None) -> list[dict[str, Any]]:
    """Each address of the city over HTTP: the first answer and the p95 of the others, with one server process."""
    rows = []
    with folder_of(kept) as folder:
        Path(folder).chmod(0o755)
        with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
            engine.connect(cluster.url)
            migrate()
            with transaction() as session:
                empty = session.scalar(sa.text("SELECT count(*) FROM plan")) == 0
            if empty:
                start = time.perf_counter()
                city.fill(100_000)
                print(f"city {time.perf_counter() - start:.0f} s")
            engine.disconnect()
            url = copied(cluster)  # what is done in a run does not stay
            engine.connect(url)
            addresses = [*ADDRESSES]
            if draft:
                made = plans.copy_plan(SYSTEM, 1)
                addresses += [f"/plans/{made}/load", f"/api/v1/plans/{made}/load"]
            with transaction() as session:
                grids = session.scalar(sa.text("SELECT count(*) FROM grid WHERE plan_id = 1"))
            engine.disconnect()
            with serving(url, Path(folder)) as server:
                token = token_of(server)
                for address in addresses:
                    first, *rest = (ask_ms(server.base + address, token) for _ in range(times + 1))
                    print(f"{address} first {first:.0f} ms, then {p95(rest):.0f}")
                    rows += [
                        {
                            "metric": f"{address} p95, {grids} grids",
                            "value": p95(rest),
                            "unit": "ms",
                            "bar": f"<= {BAR_MS}",
                        },
                        {"metric": f"{address} first", "value": first, "unit": "ms"},
                    ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--no-count", action="store_true")
    parser.add_argument("--draft", action="store_true", help="also the load of a copy of the plan")
    parser.add_argument("--city", help="a folder that keeps the city's database")
    args = parser.parse_args()
    rows = [] if args.no_count else counting()
    write("coverage", [*rows, *asking(args.times, args.draft, args.city)])


if __name__ == "__main__":
    main()
