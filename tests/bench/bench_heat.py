"""Bins of 10 million cases, beside PostGIS itself and DuckDB in memory, in the same run.

``python -m tests.bench.bench_heat [--cases N] [--times N]``. A question is timed from the call of the service to its
answer, its transaction and the look for changes included; DuckDB and PostGIS run the query alone, on squares of cases
that DuckDB has computed beforehand. DuckDB is passed over where it cannot be imported.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import sqlalchemy as sa

from geodata.heat import Bins, Cases, Store, Wanted, bins_of
from geodata.heat.lattice import squares
from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.migrate import migrate
from gridmap.services import heat
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.heat import keeper
from gridmap.settings import Settings
from tests.bench.heat_cases import BEGIN, CORNER, SIZE_DEG, YEAR, YEARS, make_cases
from tests.bench.over_http import ask_ms, token_of
from tests.bench.report import write
from tests.browser.conftest import serving

BAR_MS, IMAGE_BAR_MS, SIZE_BAR_MB, SEEN_BAR_S = 10, 40, 200, 5
DAY = 86_400_000_000
TOWN_KM = 50.0
FINE = 24  # level of the squares that DuckDB has as columns
DISTRICT = Actor("district", (Grant(Role.CASE_OFFICER, "339901005"),))


@dataclass(frozen=True)
class Question:
    """A kind of question: side of the view in km, years or days of the span, categories, level of the bins."""

    name: str
    km: float
    span: int
    categories: tuple[str, ...] | None
    level: int

    def at(self, k: int) -> Wanted:
        """The k-th of these, anywhere in town and time."""
        rng = np.random.default_rng(k)
        part = self.km / TOWN_KM
        west, south = (CORNER[axis] + rng.random() * (1 - part) * SIZE_DEG[axis] for axis in (0, 1))
        until = int(rng.integers(BEGIN + self.span, BEGIN + YEARS * YEAR + 1))
        bounds = (west, south, west + part * SIZE_DEG[0], south + part * SIZE_DEG[1])
        return Wanted(bounds, self.level, until - self.span, until, self.categories)


def questions(names: tuple[str, ...]) -> list[Question]:
    """The four of the plan, and harder ones."""
    return [
        Question("city, 3 years", 50, 3 * YEAR, None, 17),
        Question("city, 30 days, one category", 50, 30 * DAY, names[1:2], 17),
        Question("district of 10 km, 1 year", 10, YEAR, None, 19),
        Question("2 km, 3 years", 2, 3 * YEAR, None, 21),
        Question("city, 3 years, half of the categories", 50, 3 * YEAR, names[::2], 17),
        Question("25 km, 3 years, fine bins", 25, 3 * YEAR, None, 18),
        Question("10 km, 3 years, fine bins", 10, 3 * YEAR, None, 19),
    ]


def ours(question: Wanted, actor: Actor = SYSTEM) -> Bins:
    since, until = (_moment(one) for one in question.span)
    names = None if question.categories is None else list(question.categories)
    return heat.bins(actor, question.bounds, question.level, since=since, until=until, categories=names)


def _moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def spent(work: Callable[[int], Any], times: int) -> list[float]:
    """Milliseconds of each of ``times`` calls, after one that is not counted."""
    work(0)
    found = []
    for k in range(times):
        begun = time.perf_counter()
        work(k)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def p95(values: list[float]) -> float:
    """The value that 95 % stay below."""
    return float(np.quantile(values, 0.95))


def load(url: str, cases: Cases) -> None:
    """The cases as rows of PostGIS, by binary COPY, with the indexes that a heat query may use."""
    text = np.dtype([("fields", ">i2"), ("n1", ">i4"), ("category", f"S{len(cases.categories[0])}"), ("n2", ">i4"),
                     ("at", ">i8"), ("n3", ">i4"), ("region", ">i8"), ("n4", ">i4"), ("order", "u1"),
                     ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # neither foreign keys nor notes of changes
        connection.execute(
            "INSERT INTO region (id, code, prefix, name, level, geom, area_m2)"
            " SELECT k, '339901' || lpad(k::text, 3, '0') || '000', '339901' || lpad(k::text, 3, '0'),"
            " 'district ' || k, 'subdistrict', ST_Multi(ST_MakeEnvelope(120, 30, 121, 31, 4490)), 1"
            " FROM generate_series(1, %s) AS k",
            (len(cases.regions),),
        )
        for name in ("number", "region_id", "unit_id", "import_batch_id"):
            connection.execute(f"DROP INDEX ix_case_record_{name}".encode())
        kept = connection.execute(
            "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'case_record' AND indexname NOT LIKE 'pk%'"
        ).fetchall()
        for _, name in kept:
            connection.execute(f"DROP INDEX {name}".encode())
        statement = "COPY case_record (category, occurred_at, region_id, point) FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, cursor.copy(statement) as out:
            out.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for begin in range(0, len(cases), 500_000):
                part = slice(begin, begin + 500_000)
                rows = np.zeros(len(cases.x[part]), dtype=text)
                rows["fields"], rows["n1"], rows["n2"], rows["n3"], rows["n4"] = 4, text["category"].itemsize, 8, 8, 25
                rows["category"] = np.array([one.encode() for one in cases.categories])[cases.category[part]]
                rows["at"] = cases.at[part] - 946_684_800_000_000
                rows["region"] = np.array(cases.regions)[cases.region[part]]
                rows["order"], rows["type"], rows["srid"] = 1, 0x20000001, 4490
                rows["x"], rows["y"] = cases.x[part], cases.y[part]
                out.write(rows.tobytes())
            out.write(b"\xff\xff")
        connection.execute("SET maintenance_work_mem = '1GB'")
        for definition, _ in kept:
            connection.execute(definition.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE case_record")


POSTGIS = """
SELECT floor((ST_X(point) + 180) / 360 * :size) AS col,
       floor((1 - asinh(tan(radians(ST_Y(point)))) / pi()) / 2 * :size) AS line, count(*)
FROM case_record
WHERE point && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND ST_X(point) >= :west AND ST_X(point) < :east AND ST_Y(point) >= :south AND ST_Y(point) < :north
  AND occurred_at >= :since AND occurred_at < :until
  AND (CAST(:categories AS text[]) IS NULL OR category = ANY (CAST(:categories AS text[])))
GROUP BY 1, 2
"""


def postgis(question: Wanted) -> int:
    """The same by PostGIS itself; the number of cases."""
    box = dict(zip(("west", "south", "east", "north"), question.bounds, strict=True))
    since, until = (_moment(one) for one in question.span)
    names = None if question.categories is None else list(question.categories)
    chosen = {"since": since, "until": until, "categories": names, "size": 2**question.level}
    with engine.transaction() as session:
        return sum(row[2] for row in session.execute(sa.text(POSTGIS), box | chosen))


def duck(cases: Cases) -> Callable[[Wanted], int] | None:
    """The same by DuckDB in memory; None where it is not installed."""
    try:
        duckdb = importlib.import_module("duckdb")
    except ModuleNotFoundError:
        return None
    columns, rows = squares(cases.x, cases.y, FINE)
    import pyarrow as pa

    table = pa.table({"x": cases.x, "y": cases.y, "t": cases.at, "cat": cases.category.astype(np.uint8),
                      "c": columns.astype(np.uint32), "r": rows.astype(np.uint32)})  # fmt: skip
    connection = duckdb.connect(":memory:")
    connection.register("given", table)
    # in the order of place, so that its zone maps help it as much as they can
    connection.execute("CREATE TABLE cases AS SELECT * FROM given ORDER BY r >> 8, c >> 8")

    def ask(question: Wanted) -> int:
        west, south, east, north = question.bounds
        since, until = question.span
        chosen = "" if question.categories is None else " AND cat IN ({})".format(
            ", ".join(str(cases.categories.index(name)) for name in question.categories))  # fmt: skip
        shift = FINE - question.level
        found = connection.execute(
            f"SELECT c >> {shift} AS bc, r >> {shift} AS br, count(*) FROM cases"
            f" WHERE x >= ? AND x < ? AND y >= ? AND y < ? AND t >= ? AND t < ?{chosen} GROUP BY bc, br",
            [west, east, south, north, since, until],
        ).fetchnumpy()
        return int(next(reversed(found.values())).sum())

    return ask


def seen_after() -> float:
    """Seconds from the commit of a thousand cases until the answer counts them, at most."""
    west, south = CORNER
    world = (west - 1, south - 1, west + 2, south + 2)
    before = heat.bins(SYSTEM, world, 8).total
    committed: list[float] = []

    def arrive() -> None:
        with engine.transaction() as session:
            session.execute(sa.text(
                "INSERT INTO case_record (category, occurred_at, region_id, point)"
                " SELECT 'category 00', now(), 1, ST_SetSRID(ST_MakePoint(120.1, 30.1), 4490)"
                " FROM generate_series(1, 1000)"))  # fmt: skip
        committed.append(time.perf_counter())

    arrival = threading.Thread(target=arrive)
    arrival.start()
    while heat.bins(SYSTEM, world, 8).total != before + 1000:
        time.sleep(0.01)
    seen = time.perf_counter()
    arrival.join()
    return max(seen - committed[0], 0.0)


def measure(cases: Cases, times: int) -> list[dict[str, object]]:
    """The rows of the report, on a database that has the cases."""
    begun = time.perf_counter()
    folder = heat.run_build()
    build_s = time.perf_counter() - begun
    begun = time.perf_counter()
    store = Store.open(folder)
    open_s = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    ask_duck = duck(cases)
    if ask_duck is None:
        print("DuckDB is not installed: its column stays empty (dependency group bench: duckdb)")
    made: list[dict[str, object]] = []
    for number, question in enumerate(questions(cases.categories)):
        assert np.array_equal(ours(question.at(1)).counts, bins_of(cases, question.at(1)).counts), question.name
        whole = spent(lambda k, q=question: ours(q.at(k)), times)  # type: ignore[misc]
        alone = spent(lambda k, q=question: store.bins(q.at(k)), times)  # type: ignore[misc]
        row = {"metric": f"p95 {question.name}", "value": p95(whole), "unit": "ms", "bar": f"<= {BAR_MS}"}
        if ask_duck is not None:
            assert ask_duck(question.at(1)) == ours(question.at(1)).total
            peer = p95(spent(lambda k, q=question: ask_duck(q.at(k)), max(times // 3, 10)))  # type: ignore[misc]
            row |= {"peer": "DuckDB in memory", "peer_value": peer, "ratio": p95(whole) / peer}
        made.append(row)
        made.append({"metric": "median of the same", "value": statistics.median(whole), "unit": "ms"})
        made.append({"metric": "p95 of the store alone", "value": p95(alone), "unit": "ms"})
        if number < 4:
            assert postgis(question.at(1)) == ours(question.at(1)).total
            raw = statistics.median(spent(lambda k, q=question: postgis(q.at(k)), 2))  # type: ignore[misc]
            made[-2] |= {"peer": "PostGIS", "peer_value": raw, "ratio": statistics.median(whole) / raw}
    city, district = (questions(cases.categories)[k] for k in (0, 2))
    own = p95(spent(lambda k: ours(city.at(k), DISTRICT), times))
    made.append(
        {"metric": "p95 city, 3 years, one district's viewer", "value": own, "unit": "ms", "bar": f"<= {BAR_MS}"}
    )
    for question, bandwidth in ((city, 500.0), (city, 250.0), (district, 250.0)):
        drawn = p95(spent(lambda k, q=question, b=bandwidth: _image(q.at(k), b), max(times // 2, 10)))  # type: ignore[misc]
        name = f"p95 PNG 1024 x 768, {question.name}, bandwidth {bandwidth:g} m"
        made.append({"metric": name, "value": drawn, "unit": "ms", "bar": f"<= {IMAGE_BAR_MS}"})
    made.append({"metric": "store on disk and mapped", "value": size, "unit": "MB", "bar": f"<= {SIZE_BAR_MB}"})
    made.append({"metric": "built from PostGIS and compared with it", "value": build_s, "unit": "s"})
    made.append({"metric": "mapped by a process, checksums compared", "value": open_s, "unit": "s"})
    made.append({"metric": "1,000 cases seen after their commit", "value": seen_after(), "unit": "s",
                 "bar": f"<= {SEEN_BAR_S}"})  # fmt: skip
    return made


def _image(question: Wanted, bandwidth: float) -> None:
    since, until = (_moment(one) for one in question.span)
    heat.image(SYSTEM, question.bounds, (1024, 768), bandwidth_m=bandwidth, since=since, until=until)


def over_http(url: str, folder: Path, cases: Cases, times: int) -> list[dict[str, object]]:
    """Images as a browser asks for them, of the server in its own process."""
    made: list[dict[str, object]] = []
    with serving(url, folder) as server:
        token = token_of(server)
        for number, bandwidth in ((0, 500), (2, 250)):
            question = questions(cases.categories)[number]

            def ask(k: int, question: Question = question, bandwidth: int = bandwidth) -> None:
                wanted = question.at(k)
                since, until = (_moment(one).isoformat().replace("+00:00", "Z") for one in wanted.span)
                box = ",".join(f"{one:.6f}" for one in wanted.bounds)
                size = f"width=1024&height=768&bandwidth={bandwidth}"
                ask_ms(f"{server.base}/api/v1/heat.png?bbox={box}&{size}&since={since}&until={until}", token)

            name = f"p95 PNG over HTTP, {question.name}, bandwidth {bandwidth} m"
            value = p95(spent(ask, times))
            made.append({"metric": name, "value": value, "unit": "ms", "bar": f"<= {IMAGE_BAR_MS}"})
        engine.disconnect()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=60)
    asked = parser.parse_args()
    cases = make_cases(asked.cases)
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(Settings(data_dir=folder)).used() as cluster:
            engine.connect(cluster.url)
            migrate()
            begun = time.perf_counter()
            load(cluster.url, cases)
            print(f"{len(cases):,} cases in PostGIS after {time.perf_counter() - begun:.0f} s")
            keeper.folder = lambda: folder / "cache" / "heat"  # where a server of this folder has it
            rows = measure(cases, asked.times)
            engine.disconnect()
            rows += over_http(cluster.url, folder, cases, max(asked.times // 2, 10))
    write("heat", rows)


if __name__ == "__main__":
    main()
