"""Importing building points from GeoPackage to accepted, beside ``ogr2ogr`` loading the same file into the same server.

``python -m tests.bench.bench_import [--rows N]``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyogrio
import shapely

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import libpq_url
from gridmap.db.migrate import migrate
from gridmap.settings import Settings
from tests.bench.report import write

SECONDS_BAR, RATIO_BAR, RSS_BAR_MB = 90.0, 4.0, 1024.0
WEST, SOUTH, SIZE_DEG, SIDE, COMPOUNDS = 120.0, 30.0, 0.5, 20, 60

#: Runs in a process of its own, so that its memory and its start are its own.
_IMPORT = """
import json, resource, sys, time
from pathlib import Path
from gridmap.db import engine
from gridmap.services import imports
from gridmap.services.actor import SYSTEM
engine.connect(sys.argv[1])
marks = [time.perf_counter()]
path = Path(sys.argv[2])
with path.open("rb") as stream:
    batch = imports.receive(SYSTEM, stream, path.name, "buildings").id
marks.append(time.perf_counter())
imports.prepare(SYSTEM, batch)
imports.run_stage(batch)
marks.append(time.perf_counter())
done = imports.accept(SYSTEM, batch, only_good=True)
marks.append(time.perf_counter())
spent = [round(b - a, 2) for a, b in zip(marks, marks[1:])]
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"spent": spent, "inserted": done.inserted, "left": done.left, "peak_mb": peak_mb}))
"""


def buildings_file(path: Path, rows: int, seed: int = 0) -> None:
    """A GeoPackage of building points with the columns of a ledger."""
    rng = np.random.default_rng(seed)
    for start in range(0, rows, 250_000):
        n = min(250_000, rows - start)
        number = np.arange(start, start + n)
        xy = np.column_stack([WEST + rng.random(n) * SIZE_DEG, SOUTH + rng.random(n) * SIZE_DEG])
        households = rng.integers(1, 60, n)
        cell = ((xy - (WEST, SOUTH)) / SIZE_DEG * COMPOUNDS).astype(int)
        table = pa.table(
            {
                "geometry": pa.array(shapely.to_wkb(shapely.points(xy)), pa.binary()),
                "楼栋编号": pa.array([f"{k:09}" for k in number]),
                "地址": pa.array([f"长安路{k // 40}号{k % 40}幢" for k in number]),
                "小区": pa.array([f"小区{x}-{y}" for x, y in cell.tolist()]),
                "层数": pa.array(rng.integers(1, 33, n)),
                "户数": pa.array(households),
                "人口": pa.array(households * 3),
                "更新日期": pa.array(["2026-04-03"] * n),
            }
        )
        pyogrio.write_arrow(
            table,
            path,
            layer="buildings",
            driver="GPKG",
            geometry_name="geometry",
            geometry_type="Point",
            crs="EPSG:4490",
            append=start > 0,
        )


def regions_sql(side: int = SIDE) -> str:
    """Communities that tile the ground of the buildings, ``side`` x ``side``."""
    step = SIZE_DEG / side
    return f"""
    INSERT INTO region (code, prefix, name, level, geom, area_m2)
    SELECT c, c, '社区' || c, 'community', ST_Multi(g), 0
    FROM (SELECT '330102' || lpad((100 + x)::text, 3, '0') || lpad((1 + y)::text, 3, '0') AS c,
                 ST_MakeEnvelope({WEST} + x * {step}, {SOUTH} + y * {step},
                                 {WEST} + (x + 1) * {step}, {SOUTH} + (y + 1) * {step}, 4490) AS g
          FROM generate_series(0, {side - 1}) x, generate_series(0, {side - 1}) y) AS cells
    """


@contextmanager
def fresh_cluster() -> Iterator[tuple[Cluster, Path]]:
    """A cluster of its own in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
            yield cluster, Path(folder)


@contextmanager
def town_with_file(rows: int) -> Iterator[tuple[Cluster, Path, Path]]:
    """A cluster with the communities, its folder, and a file of ``rows`` buildings in them."""
    with fresh_cluster() as (cluster, folder):
        engine.connect(cluster.url)
        migrate()
        engine.disconnect()
        with psycopg.connect(cluster.url) as connection:
            connection.execute(regions_sql().encode())
        path = folder / "buildings.gpkg"
        buildings_file(path, rows)
        yield cluster, folder, path


def ogr2ogr(url: str, path: Path) -> float:
    """Seconds that ogr2ogr takes to load ``path`` (COPY, geometry index)."""
    started = time.perf_counter()
    subprocess.run(
        ["ogr2ogr", "-f", "PostgreSQL", f"PG:{libpq_url(url)}", str(path), "-nln", "peer", "-lco", "OVERWRITE=YES"],
        check=True,
        env={**os.environ, "PG_USE_COPY": "YES"},
        capture_output=True,
    )
    return time.perf_counter() - started


def gridmap_import(url: str, path: Path, data_dir: Path) -> dict[str, Any]:
    """What a fresh process needs from receiving the file to accepted rows."""
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT, url, str(path)],
        env={**os.environ, "GRIDMAP_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return {**json.loads(ran.stdout.splitlines()[-1]), "seconds": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with town_with_file(rows) as (cluster, folder, path):
        before_s = ogr2ogr(cluster.url, path)
        ours = gridmap_import(cluster.url, path, folder)
        # beside it in time too: the machine is shared, and its load moves
        peer_s = (before_s + ogr2ogr(cluster.url, path)) / 2
        with psycopg.connect(cluster.url) as connection:
            stored, placed = connection.execute("SELECT count(*), count(region_id) FROM building").fetchone() or (0, 0)
    assert stored == rows - ours["left"] == placed, (stored, placed, ours)
    receive_s, stage_s, accept_s = ours["spent"]
    write(
        "import",
        [
            {
                "metric": f"import of {rows} building points",
                "value": ours["seconds"],
                "unit": "s",
                "bar": f"<= {SECONDS_BAR:g}",
                "peer": "ogr2ogr",
                "peer_value": peer_s,
                "ratio": ours["seconds"] / peer_s,
            },
            {"metric": "of it receive", "value": receive_s, "unit": "s"},
            {"metric": "of it stage", "value": stage_s, "unit": "s"},
            {"metric": "of it accept", "value": accept_s, "unit": "s"},
            {"metric": "times ogr2ogr", "value": ours["seconds"] / peer_s, "unit": "x", "bar": f"<= {RATIO_BAR:g}"},
            {"metric": "peak memory", "value": ours["peak_mb"], "unit": "MB", "bar": f"<= {RSS_BAR_MB:g}"},
        ],
    )


if __name__ == "__main__":
    main()
