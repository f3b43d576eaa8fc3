"""Pages of officials on a city at full scale: painted in under 2 s with under 1 MB transferred; and what they ask for.

``python -m tests.bench.bench_city [--cases N] [--keep FOLDER] [--times N]``: 105,000 grids twice (in force, and as a
draft), 5 million buildings, 10 million cases of which closed quarters are released (``tests/bench/city.py``, some
fifteen minutes to fill; ``--keep`` leaves the database in FOLDER and uses it again). Painted: the largest contentful
paint of a warm server and a cold browser.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.migrate import migrate
from gridmap.errors import Conflict
from gridmap.services import heat, plans
from gridmap.services.accounts import create_sign_in_link, redeem_link
from gridmap.services.actor import SYSTEM
from gridmap.services.cases import release
from gridmap.services.heat import keeper, source
from gridmap.services.users import add_user
from gridmap.settings import Settings, settings
from tests.bench.city import fill
from tests.bench.over_http import ask_ms, token_of
from tests.bench.report import write
from tests.browser.conftest import CHROMIUM_OPTIONS, PASSWORD, Server, chromium_path, serving

PAINT_BAR_MS, SIZE_BAR_KB = 2_000, 1_000
SETTLED_MS = 5_000
SUBDISTRICT, COMMUNITY = "339901006000", "339901006041"
READER = "bench-reader"
MONTH = "since=2026-10-20&until=2026-11-19"
#: What it is, its address.
PAGES = (
    ("coverage of the county", "/coverage"),
    ("of a subdistrict", f"/coverage?region={SUBDISTRICT}"),
    ("of a community", f"/coverage?region={COMMUNITY}"),
    ("cases", "/cases"),
    ("of a subdistrict", f"/cases?region={SUBDISTRICT}"),
    ("of a community", f"/cases?region={COMMUNITY}"),
    ("rate by community", "/cases?map=rate"),
    ("a saved view", f"/cases?region={SUBDISTRICT}&category=类别0&category=类别2&days=365&map=count"),
    ("two periods", f"/cases?{MONTH}&compare=before"),
    ("wall screen", "/cases?wall=1"),
    ("released", "/cases/released"),
    ("load of a draft", "/plans/2/load"),
    ("reports", "/reports"),
    ("home", "/"),
    ("regions", "/regions"),
)
READERS_PAGES = (("released, to a reader", "/cases"), ("coverage, to a reader", "/coverage"))
TIMES = "since=2025-11-20T00:00:00Z&until=2026-11-20T00:00:00Z"
BEFORE = "before_since=2024-11-20T00:00:00Z&before_until=2025-11-20T00:00:00Z"
QUESTIONS = (
    "/api/v1/coverage",
    f"/api/v1/coverage?region={SUBDISTRICT}",
    "/api/v1/cases/sums",
    f"/api/v1/cases/sums?region={SUBDISTRICT}",
    "/api/v1/cases/timeline",
    "/api/v1/plans/1/cases?limit=200",
    f"/api/v1/plans/1/cases?limit=200&region={COMMUNITY}",
    "/api/v1/plans/1/cases.geojson",
    "/api/v1/plans/1/hot-spots",
    f"/api/v1/plans/1/hot-spots?region={SUBDISTRICT}",
    f"/api/v1/cases/compared?{TIMES}&{BEFORE}&plan=1",
    "/api/v1/plans/2/load",
    "/api/v1/plans/2/load?since=2026-01-01&until=2026-06-30",
    "/api/v1/cases/released?limit=500",
    "/api/v1/cases/released/hot-spots",
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
        os.environ["GRIDMAP_DATA_DIR"] = str(place)
        settings.cache_clear()
        with Cluster(Settings()).used() as cluster:
            engine.connect(cluster.url)
            prepare(asked.cases)
            engine.disconnect()
            write("city", measure(cluster.url, place, asked.times, asked.loads))


def prepare(cases: int) -> None:
    """Fill the database unless it is; a store of its cases, releases, a draft, and somebody who only looks."""
    migrate()
    with transaction() as session:
        full = session.scalar(sa.text("SELECT EXISTS (SELECT FROM case_record)"))
        session.execute(sa.text("UPDATE app_user SET password_hash = NULL"))  # the bench signs in by a link
        built = keeper.stores(source.identity(session))
    if not full:
        fill(cases)
    if not built:
        heat.run_build()
    if len(plans.names(SYSTEM)) < 2:
        plans.copy_plan(SYSTEM, 1, name="草案")
    release.make(SYSTEM)


def measure(url: str, folder: Path, times: int, loads: int) -> list[dict[str, object]]:
    """A row for each page and question."""
    with serving(url, folder) as server:
        token = token_of(server)
        add_reader()
        rows = [question(server, address, token, times) for address in QUESTIONS]
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_OPTIONS))
            for who, pages in (("admin", PAGES), (READER, READERS_PAGES)):
                state = signed_in(browser, server, who)
                for name, address in pages:
                    rows += painted(browser, server, f"{name} {address}", address, state, loads)
            browser.close()
    engine.disconnect()
    return rows


def add_reader() -> None:
    """Somebody who only looks, with a password; the engine is connected."""
    with suppress(Conflict):
        add_user(SYSTEM, READER, READER, [("viewer", None)])
    redeem_link(create_sign_in_link(SYSTEM, READER).rsplit("/", 1)[-1], PASSWORD)


def question(server: Server, address: str, token: str, times: int) -> dict[str, object]:
    """First answer aside, the 95th percentile of the next."""
    first = ask_ms(server.base + address, token)
    spent = [ask_ms(server.base + address, token) for _ in range(times)]
    worst = statistics.quantiles(spent, n=20, method="inclusive")[-1]
    return {"metric": f"p95 {address} (first {first:,.0f})", "value": worst, "unit": "ms"}


def signed_in(browser: Browser, server: Server, login: str) -> Any:
    """Cookies of somebody."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.base}/sign-in")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url(f"{server.base}/")
    state = context.storage_state()
    context.close()
    return state


PAINT = """new Promise((done) => new PerformanceObserver((list) => {
  done(list.getEntries().at(-1).startTime);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""


class Traffic:
    """What a page fetches: kilobytes, and what never came to its end."""

    def __init__(self, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        self.taken, self.open = 0.0, {}  # type: ignore[var-annotated]
        session.on(
            "Network.requestWillBeSent", lambda event: self.open.update({event["requestId"]: event["request"]["url"]})
        )
        session.on("Network.loadingFinished", self._ended)
        session.on("Network.loadingFailed", lambda event: self.open.pop(event["requestId"], None))

    def _ended(self, event: dict[str, Any]) -> None:
        self.taken += event["encodedDataLength"] / 1000
        self.open.pop(event["requestId"], None)


def painted(
    browser: Browser, server: Server, name: str, address: str, state: Any, loads: int
) -> list[dict[str, object]]:
    """Largest paint, and kilobytes of the first seconds in which nobody does anything: medians of cold browsers.

    The first visit, which makes the server ready, is told in the name and counts no further.
    """
    paints, sizes = [], []
    for _ in range(loads + 1):
        context = browser.new_context(storage_state=state, viewport={"width": 1366, "height": 768})
        page = context.new_page()
        traffic = Traffic(page)
        page.goto(server.base + address)
        page.wait_for_timeout(SETTLED_MS)  # a fixed time: a wall screen never comes to rest
        paints.append(page.evaluate(PAINT))
        sizes.append(traffic.taken)
        if traffic.open and len(paints) > loads:
            print(f"{name}: still open after {SETTLED_MS / 1000:.0f} s: {sorted(set(traffic.open.values()))}")
        context.close()
    paint, size = statistics.median(paints[1:]), statistics.median(sizes[1:])
    told = f"{name} (first {paints[0]:,.0f})"
    return [
        {"metric": f"painted {told}", "value": paint, "unit": "ms", "bar": f"<= {PAINT_BAR_MS}"},
        {"metric": f"sent {name}", "value": size, "unit": "kB", "bar": f"<= {SIZE_BAR_KB}"},
    ]


if __name__ == "__main__":
    main()
