"""What the engine offers at the desk: time to an answer on the demo town and in a plan of 20,000 units.

``python -m tests.bench.bench_assist [--units N]``. Each row is one kind of question put to 40 grids, those out of the
band first. The first question of a process has to import and load the engine, unless an open studio made it ready.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.db.models import Plan
from gridmap.settings import Settings
from tests.bench.report import write

GRIDS = 40
DEMO_BAR_MS, LARGE_BAR_MS = 300, 1000
ASKS = ("heal", "halve", "merges", "fill")


def ask(plan: int, ready: bool) -> dict[str, list[float]]:
    """Milliseconds of each question; the process is this one, and new. ``ready``: the engine is loaded before."""
    from geodata.errors import CodedError
    from geodata.warm import rehearse
    from gridmap.services import assist
    from gridmap.services.actor import SYSTEM

    engine.connect(os.environ["DATABASE_URL"])
    with transaction() as session:
        version = session.get_one(Plan, plan).version
        chosen = sa.text(
            "SELECT id FROM grid WHERE plan_id = :plan AND kind = 'basic' AND units > 1"
            " ORDER BY status IN ('within', 'unchecked'), md5(code) LIMIT :count"
        )
        grids = list(session.scalars(chosen, {"plan": plan, "count": GRIDS}))
    told: dict[str, list[float]] = {"ready": []}
    if ready:
        began = time.perf_counter()
        rehearse()
        told["ready"] = [1000 * (time.perf_counter() - began)]
    for name in ASKS:
        told[name] = []
        for grid in grids if name != "fill" else grids[:5]:
            began = time.perf_counter()
            try:
                if name == "fill":
                    assist.fill(SYSTEM, plan, version)
                else:
                    getattr(assist, name)(SYSTEM, plan, version, grid)
            except CodedError:  # a grid of one unit, or in pieces
                continue
            told[name].append(1000 * (time.perf_counter() - began))
    return told


def rows(town: str, url: str, folder: str, plan: int, bar: int) -> list[dict[str, Any]]:
    """Loosen some units so that there is something to fill, then ask in a process of its own, with the ground known."""
    with transaction() as session:
        loose = sa.text(
            "UPDATE plan_unit SET grid_id = NULL WHERE plan_id = :plan AND unit_id IN ("
            "SELECT p.unit_id FROM plan_unit p JOIN grid g ON g.id = p.grid_id WHERE p.plan_id = :plan"
            " AND g.kind = 'basic' AND g.units > 3 ORDER BY md5(p.unit_id::text) LIMIT 20)"
        )
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        session.execute(loose, {"plan": plan})
    environment = {**os.environ, "DATABASE_URL": url, "GRIDMAP_DATA_DIR": folder}
    found: list[dict[str, Any]] = []
    turns = {"first of all, ground made": [], "first of a process": [], "first of a process made ready": ["--ready"]}
    for turn, more in turns.items():
        command = [sys.executable, "-m", "tests.bench.bench_assist", "--ask", str(plan), *more]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        found.append({"metric": f"{town}: {turn}", "value": told["heal"][0], "unit": "ms"})
    found.append({"metric": f"{town}: getting ready, behind the scenes", "value": told["ready"][0], "unit": "ms"})
    for name in ASKS:
        times = sorted(told[name])
        p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
        found.append({"metric": f"{town}: {name}, median", "value": statistics.median(times), "unit": "ms"})
        found.append({"metric": f"{town}: {name}, p95 of {len(times)}", "value": p95, "unit": "ms", "bar": bar})
    return found


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--ask", type=int)
    parser.add_argument("--ready", action="store_true")
    given = parser.parse_args()
    if given.ask is not None:
        print(json.dumps(ask(given.ask, given.ready)))
        return
    from geodata.warm import warm
    from gridmap.services import demo
    from gridmap.services.actor import SYSTEM
    from tests.bench.studio_town import load_town

    warm()
    found = []
    for town in ("demo town", f"{given.units:,} units"):
        with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as folder:
            Path(folder).chmod(0o755)
            with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
                url = cluster.url_of("gridmap")
                engine.connect(url)
                migrate()
                if town == "demo town":
                    demo.load(SYSTEM, size=1.0)
                    found += rows(town, url, folder, 1, DEMO_BAR_MS)
                else:
                    found += rows(town, url, folder, load_town(given.units).draft, LARGE_BAR_MS)
                engine.disconnect()
    write("assist", found)


if __name__ == "__main__":
    main()
