"""Tiles a second over HTTP: z14 of grids and buildings, new and kept, and small scales before and after they are made.

``python -m tests.bench.bench_tiles [--side N]``. gunicorn as ``gridmap serve`` runs it, N x N grids (default
142: 20,164) of 41 vertices with 3 buildings each; 8 connections that stay open. The peer is tipg with as
many processes (uvicorn, else ``asgi_server``) on tables with the same rows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.util import find_spec
from math import asinh, pi, radians, tan
from pathlib import Path
from urllib.parse import quote

import numpy as np
import psutil
import shapely
import sqlalchemy as sa

from gridmap.db import bulk, engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.db.models import Building, Grid, Plan, Region
from gridmap.services.actor import SYSTEM
from gridmap.settings import Settings
from tests.bench.report import write

COUNTY, STEP_DEG, BENDS = "339901000000", 0.004, 9
WEST, SOUTH, WORKERS, CONNECTIONS = 110.0, 25.0, 2, 8
CACHED_BAR, PEER_BAR, ROUNDS = 1500, 3.0, 4
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


def lattice(side: int) -> np.ndarray:
    """``side`` x ``side`` polygons with bent borders that neighbours share."""
    rng = np.random.default_rng(1)
    knots = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1)), axis=-1) * STEP_DEG + (WEST, SOUTH)
    t = (np.arange(1, BENDS + 1) / (BENDS + 1))[:, None]

    def sides(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        straight = a[..., None, :] + t * (b - a)[..., None, :]
        return straight + rng.uniform(-0.04 * STEP_DEG, 0.04 * STEP_DEG, straight.shape)

    across, up = sides(knots[:, :-1], knots[:, 1:]), sides(knots[:-1], knots[1:])
    rings = [
        *(knots[:-1, :-1, None], across[:-1], knots[:-1, 1:, None], up[:, 1:]),
        *(knots[1:, 1:, None], across[1:, :, ::-1], knots[1:, :-1, None], up[:, :-1, ::-1]),
    ]
    return shapely.polygons(np.concatenate(rings, axis=2)).ravel()


def town(side: int) -> None:
    """Region, a published plan of grids, buildings, and the same rows as plain tables for the peer."""
    shapes = lattice(side)
    n, rng = len(shapes), np.random.default_rng(2)
    with transaction() as session:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))  # grids without units, here only
        [region] = bulk.reserve_ids(session, Region, 1)
        whole = bulk.wkb_hex(bulk.multi([shapely.box(*shapely.total_bounds(shapes))]))
        bulk.copy(
            session,
            "region",
            {"id": [region], "code": [COUNTY], "name": [COUNTY], "level": ["county"], "area_m2": [1.0],
             "prefix": [COUNTY[:6]], "geom": whole},
        )  # fmt: skip
        plan = Plan(
            name="bench",
            region_id=int(region),
            profile_name="national",
            profile={},
            state="published",
            valid_from=date(2026, 1, 1),
        )
        session.add(plan)
        session.flush()
        codes = [f"{COUNTY[:9]}{k:06d}" for k in range(n)]
        people = rng.integers(200, 600, n)
        bulk.copy(
            session,
            "grid",
            {"id": bulk.reserve_ids(session, Grid, n), "plan_id": np.full(n, plan.id), "region_id": np.full(n, region),
             "code": codes, "name": codes, "geom": bulk.wkb_hex(bulk.multi(shapes)), "households": people,
             "population": people * 3, "status": rng.choice(["under", "within", "over"], n)},
        )  # fmt: skip
        middle = np.repeat(shapely.get_coordinates(shapely.centroid(shapes)), 3, axis=0)
        at = middle + rng.uniform(-0.3, 0.3, middle.shape) * STEP_DEG
        houses = shapely.box(at[:, 0], at[:, 1], at[:, 0] + 2e-4, at[:, 1] + 1e-4)
        bulk.copy(
            session,
            "building",
            {"id": bulk.reserve_ids(session, Building, 3 * n), "region_id": np.full(3 * n, region),
             "kind": ["residential"] * (3 * n), "geom": bulk.wkb_hex(houses),
             "point": bulk.wkb_hex(shapely.centroid(houses))},
        )  # fmt: skip
        session.execute(sa.text("INSERT INTO data_version (layer, version) VALUES ('plans', 1), ('buildings', 1)"))
        for table, columns in (("grid", "id, code, name, kind, status, households, population"), ("building", "kind")):
            session.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS peer; CREATE TABLE peer.{table}s AS"
                                    f" SELECT {columns}, geom FROM {table}"))  # fmt: skip
            session.execute(sa.text(f"CREATE INDEX ON peer.{table}s USING gist (geom)"))
    with engine.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as settled:
        settled.execute(sa.text("VACUUM ANALYZE"))


def squares(side: int, z: int) -> list[str]:
    """``z/x/y`` of the tiles that hold the town."""

    def at(lon: float, lat: float) -> tuple[int, int]:
        return int((lon + 180) / 360 * (1 << z)), int((1 - asinh(tan(radians(lat))) / pi) / 2 * (1 << z))

    (x0, y1), (x1, y0) = at(WEST, SOUTH), at(WEST + side * STEP_DEG, SOUTH + side * STEP_DEG)
    return [f"{z}/{x}/{y}" for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]


def rate(port: int, paths: Sequence[str], headers: dict[str, str]) -> float:
    """Answers a second over all connections that stay open.

    Bare sockets: on a machine of two cores a client that parses headers takes from the servers what it measures.
    """
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())

    def ask(part: Sequence[str]) -> int:
        size = 0
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for path in part:
                connection.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
                got = connection.recv(1 << 18)
                while (end := got.find(b"\r\n\r\n")) < 0:
                    got += connection.recv(1 << 18)
                status = got[9:12]
                assert status in (b"200", b"204"), (path, got[:300])
                length = _LENGTH.search(got, 0, end + 2)
                body = int(length[1]) if length else 0
                assert length or status == b"204", got[:end]
                left = end + 4 + body - len(got)
                while left > 0:
                    left -= len(connection.recv(1 << 18))
                assert left == 0
                size += body
        return size

    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        size = sum(pool.map(ask, [paths[k::CONNECTIONS] for k in range(CONNECTIONS)]))
    assert size > 0
    return len(paths) / (time.perf_counter() - started)


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str], port: int, log: Path) -> Iterator[tuple[int, int]]:
    """A server until the block ends: its port and process."""
    with log.open("w") as file:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=file, stderr=file)
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bump() -> int:
    """Every kept tile is out of date; the new version."""
    with transaction() as session:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        session.execute(sa.text("UPDATE data_version SET version = version + 1"))
        session.execute(sa.text("UPDATE grid SET workers = COALESCE(workers, 0) + 1 WHERE id % 1000 = 0"))
        return int(session.execute(sa.text("SELECT max(version) FROM data_version")).scalar_one())


def bearer() -> dict[str, str]:
    from gridmap.services.accounts import actor_of, create_sign_in_link, redeem_link
    from gridmap.services.tokens import create_token
    from gridmap.services.users import add_user

    user_id = add_user(SYSTEM, "viewer", "Viewer", [("viewer", COUNTY)])
    identity = redeem_link(create_sign_in_link(SYSTEM, "viewer").rsplit("/", 1)[-1], "measured-Ground-7")
    actor = actor_of(user_id, identity.epoch)
    assert actor is not None
    return {"Authorization": f"Bearer {create_token(actor, 'bench')[1]}"}


def measure(url: str, folder: Path, side: int) -> list[dict[str, object]]:
    """The rows of the bench. Both servers are up and asked by turns, so that what else runs is the same to both."""
    engine.connect(url)
    migrate()
    town(side)
    headers, tiles, rows = bearer(), squares(side, 14), []
    ways = {"grids": "plans/1/{version}", "buildings": "ground/{version}"}
    port = free_port()
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "gridmap.web.wsgi:app", "--preload", "--worker-class", "gthread"),
        *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--threads", "8", "--timeout", "120"),
    ]
    environment = {"DATABASE_URL": url, "GRIDMAP_DATA_DIR": str(folder)}
    with running(gunicorn, environment, port, folder / "web.log") as (_, ours), tipg(url, folder) as peer:
        for name, way in ways.items():

            def paths(z_x_y: Sequence[str], version: int, way: str = way) -> list[str]:
                return [f"/api/v1/tiles/{way.format(version=version)}/{one}.mvt" for one in z_x_y]

            one_more = 1 if name == "grids" else 0  # the plan's own version
            new, kept, of_peer = [], [], []
            there = [f"/collections/peer.{name}/tiles/WebMercatorQuad/{one}" for one in tiles]
            for k in range(ROUNDS + 1):
                asked = paths(tiles, bump() + one_more)
                found = timed(port, asked, headers, ours)
                again = rate(port, asked * max(1, 4000 // len(asked)), headers)
                theirs = timed(peer[0], there, {}, peer[1]) if peer else None
                if k == 0:  # the kernels are loaded behind the scenes, the peer opens its connections
                    time.sleep(3)
                    continue
                new.append(found)
                kept.append(again)
                of_peer += [theirs] if theirs else []
            best = max(each[0] for each in new)
            row: dict[str, object] = {"metric": f"z14 {name} new, {len(tiles)} tiles", "value": best, "unit": "1/s"}
            cpu: dict[str, object] = {
                "metric": f"z14 {name} new, CPU",
                "value": min(each[1] for each in new),
                "unit": "ms",
            }
            if of_peer:
                value, least = max(each[0] for each in of_peer), min(each[1] for each in of_peer)
                row |= {"peer": "tipg", "peer_value": value, "ratio": best / value, "bar": f">= {PEER_BAR:g}x"}
                cpu |= {"peer": "tipg", "peer_value": least, "ratio": least / float(str(cpu["value"]))}
            rows += [row, cpu]
            rows.append({"metric": f"z14 {name} kept", "value": max(kept), "unit": "1/s", "bar": f">= {CACHED_BAR}"})
        version = bump() + 1
        small = {z: [f"/api/v1/tiles/plans/1/{version}/{one}.mvt" for one in squares(side, z)] for z in (8, 10, 11)}
        live = {z: 1000 / rate(port, small[z][:CONNECTIONS], headers) for z in small}
        os.environ["GRIDMAP_DATA_DIR"] = str(folder)
        version = bump() + 1
        made, took = render()
        small = {z: [f"/api/v1/tiles/plans/1/{version}/{one}.mvt" for one in squares(side, z)] for z in (8, 10, 11)}
        for z in small:
            value = 1000 / rate(port, small[z][:CONNECTIONS], headers)
            row = {"metric": f"z{z} made ahead, first asked", "value": value, "unit": "ms", "peer": "made when asked"}
            rows.append({**row, "peer_value": live[z], "ratio": value / live[z]})
        rows.append({"metric": f"all {made} tiles up to z11 made ahead", "value": took, "unit": "s"})
    return rows


def timed(port: int, paths: Sequence[str], headers: dict[str, str], server: int) -> tuple[float, float]:
    """Answers a second, and the CPU time (ms) that an answer took of server and database: whatever else runs."""
    before = cpu_s(server)
    found = rate(port, paths, headers)
    return found, (cpu_s(server) - before) / len(paths) * 1000


def cpu_s(server: int) -> float:
    """CPU seconds so far of a server with its children and of all sessions of the database (this one too: it waits)."""
    with engine.engine().connect() as asking:
        sessions = asking.execute(sa.text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"))
        pids = list(sessions.scalars())
    processes = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    processes += [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return sum(each.cpu_times().user + each.cpu_times().system for each in processes)


def render() -> tuple[int, float]:
    """The job, here; tiles and seconds."""
    from gridmap.services.tiles import ahead
    from gridmap.settings import settings

    settings.cache_clear()
    started = time.perf_counter()
    return ahead.render(1), time.perf_counter() - started


@contextlib.contextmanager
def tipg(url: str, folder: Path) -> Iterator[tuple[int, int] | None]:
    """The peer while the block runs: its port and process; None where it is not installed.

    It keeps as much around a tile as the grids here do (by itself four times that), hence serves the same rows.
    """
    if find_spec("tipg") is None:
        print("tipg is not installed: no peer")
        yield None
        return
    port, address = free_port(), sa.make_url(engine.libpq_url(url))
    host = address.query.get("host") or address.host or ""
    plain = f"postgresql://{address.username or 'postgres'}@{quote(str(host), safe='')}/{address.database}"
    command = [sys.executable, "-m", "tests.bench.asgi_server", "tipg.main:app", str(port), str(WORKERS)]
    if find_spec("uvicorn"):
        command = [*(sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(port)), "--workers", str(WORKERS)]
    environment = {"DATABASE_URL": plain, "TIPG_DB_SCHEMAS": '["peer"]', "TIPG_MAX_FEATURES_PER_TILE": "20000"}
    environment["TIPG_TILE_BUFFER"] = "64"
    with running([*command], environment, port, folder / "tipg.log") as found:
        time.sleep(5)
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=142)
    side = parser.parse_args().side
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
            write("tiles", measure(cluster.url, Path(folder), side))
            engine.disconnect()


if __name__ == "__main__":
    main()
