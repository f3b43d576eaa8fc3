"""Pages of officials on a city at full scale: painted in under 2 s with under 1 MB transferred; and what they ask for.

``python -m tests.bench.bench_city [--cases N] [--keep FOLDER] [--times N]``: 105,000 grids, 5 million buildings, 10
million cases (``tests/bench/city.py``, some ten minutes to fill; ``--keep`` leaves the database in FOLDER and uses it
again). Painted: the largest contentful paint of a warm server and a cold browser.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.services import heat
from gridmap.services.heat import keeper
from gridmap.settings import Settings
from tests.bench.city import fill
from tests.bench.over_http import ask_ms, token_of
from tests.bench.report import write
from tests.browser.conftest import CHROMIUM_OPTIONS, Server, chromium_path, serving

PAINT_BAR_MS, SIZE_BAR_KB = 2_000, 1_000
SETTLED_MS = 5_000
SUBDISTRICT, COMMUNITY = "339901006000", "339901006041"
PAGES = (
    "/coverage",
    f"/coverage?region={SUBDISTRICT}",
    f"/coverage?region={COMMUNITY}",
    "/cases",
    f"/cases?region={SUBDISTRICT}",
    f"/cases?region={COMMUNITY}",
    "/cases/released",
    "/reports",
)
QUESTIONS = (
    "/api/v1/coverage",
    f"/api/v1/coverage?region={SUBDISTRICT}",
    "/api/v1/cases/sums",
    f"/api/v1/cases/sums?region={SUBDISTRICT}",
    "/api/v1/cases/timeline",
    "/api/v1/plans/1/cases?limit=200",
    f"/api/v1/plans/1/cases?limit=200&region={COMMUNITY}",
    f"/api/v1/plans/1/hot-spots?region={SUBDISTRICT}",
    "/api/v1/heat.png?bbox=120.1,30.1,120.4,30.4&width=683&height=384&bandwidth=250",
    "/ogc/collections/grids/items?limit=1000",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--loads", type=int, default=3, help="of each page")
    asked = parser.parse_args()
    where: Any = nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory(prefix="gridmap-bench-")
    with where as folder:
        place = Path(folder)
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        with Cluster(Settings(data_dir=place)).used() as cluster:
            write("city", measure(cluster.url, place, asked.cases, asked.times, asked.loads))


def measure(url: str, folder: Path, cases: int, times: int, loads: int) -> list[dict[str, object]]:
    """A row for each page and question."""
    engine.connect(url)
    migrate()
    with transaction() as session:
        full = session.scalar(sa.text("SELECT EXISTS (SELECT FROM case_record)"))
        session.execute(sa.text("UPDATE app_user SET password_hash = NULL"))  # the bench signs in by a link
    if not full:
        fill(cases)
    keeper.settings = lambda: Settings(data_dir=folder)  # type: ignore[attr-defined]
    heat.run_build()
    engine.disconnect()
    with serving(url, folder) as server:
        token = token_of(server)
        rows = [question(server, address, token, times) for address in QUESTIONS]
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_OPTIONS))
            state = signed_in(browser, server)
            for address in PAGES:
                rows += painted(browser, server, address, state, loads)
            browser.close()
    engine.disconnect()
    return rows


def question(server: Server, address: str, token: str, times: int) -> dict[str, object]:
    """First answer aside, the 95th percentile of the next."""
    first = ask_ms(server.base + address, token)
    spent = [ask_ms(server.base + address, token) for _ in range(times)]
    worst = statistics.quantiles(spent, n=20, method="inclusive")[-1]
    return {"metric": f"p95 {address} (first {first:,.0f})", "value": worst, "unit": "ms"}


def signed_in(browser: Browser, server: Server) -> Any:
    """Cookies of the administrator."""
    page = browser.new_page()
    page.goto(f"{server.base}/sign-in")
    page.locator("[name=login]").fill("admin")
    page.locator("[name=password]").fill("measured-Ground-7")
    page.locator("main form button").click()
    page.wait_for_url(f"{server.base}/")
    return page.context.storage_state()


PAINT = """new Promise((done) => new PerformanceObserver((list) => {
  done(list.getEntries().at(-1).startTime);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""


def painted(browser: Browser, server: Server, address: str, state: Any, loads: int) -> list[dict[str, object]]:
    """Largest paint, and kilobytes of the first seconds in which nobody does anything, the median of cold browsers."""
    paints, sizes = [], []
    for _ in range(loads):
        context = browser.new_context(storage_state=state, viewport={"width": 1366, "height": 768})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        taken: list[float] = []
        session.on("Network.loadingFinished", lambda event: taken.append(event["encodedDataLength"]))  # noqa: B023
        page.goto(server.base + address)
        page.wait_for_timeout(SETTLED_MS)  # a map whose polygons were too many for one answer never comes to rest
        paints.append(page.evaluate(PAINT))
        sizes.append(sum(taken) / 1000)
        context.close()
    return [
        {"metric": f"painted {address}", "value": statistics.median(paints), "unit": "ms", "bar": f"<= {PAINT_BAR_MS}"},
        {"metric": f"sent {address}", "value": statistics.median(sizes), "unit": "kB", "bar": f"<= {SIZE_BAR_KB}"},
    ]


if __name__ == "__main__":
    main()
