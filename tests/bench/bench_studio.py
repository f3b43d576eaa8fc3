"""The studio in Chromium on 20,000 units and 2,000 grids, beside a naive GeoJSON page of the same units.

``python -m tests.bench.bench_studio [--units N] [--times N]``. A frame is measured from the browser's event to the
end of the frame that shows its outcome: counts, card and map. Memory is the proportional set size of the tab's process.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import shapely
from playwright.sync_api import Browser, Page, sync_playwright

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.migrate import migrate
from gridmap.settings import Settings
from tests.bench.report import write
from tests.bench.studio_town import load_town, make_town
from tests.browser.conftest import CHROMIUM_OPTIONS, Server, chromium_path, serving, sign_in_first

MOVE_BAR_MS, STROKE_BAR_MS, PAINT_BAR_MS, READY_BAR_MS, MEMORY_BAR_MB = 16, 50, 2000, 3000, 300
STROKE = 200
VIEW = {"width": 1366, "height": 768}
NAIVE = Path(__file__).with_name("naive_studio.html")
LEAFLET = Path(__file__).parents[2] / "gridmap" / "static" / "vendor" / "leaflet"
PEER = "GeoJSON on Leaflet's canvas, counts by adding up features"

WATCH = """() => {
  window.spent = {};
  for (const name of ["pointermove", "pointerup"]) {
    spent[name] = [];
    addEventListener(name, () => {
      const begun = performance.now();
      requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => spent[name].push(performance.now() - begun);
        after.port2.postMessage(0);
      });
    }, true);
  }
}"""
SPENT = "(name) => { const found = spent[name]; spent[name] = []; return found; }"
#: Looks at a grid of a community from zoom z, takes it to paint with; where its middle is on the screen.
LOOK = """([z, part]) => {
  const { map } = gridmap.page;
  const { model, layer } = gridmap.studio;
  const whole = (grid) => grid.kind === "basic" && layer.boxOf(grid.id) && model.stats(grid.id).pieces === 1;
  const grids = [...model.grids.values()].filter(whole);
  const grid = grids[Math.floor(grids.length * part)];
  const [west, north, east, south] = layer.boxOf(grid.id);
  const [lon, lat] = model.ground.lonLat((west + east) / 2, (north + south) / 2);
  map.setView([lat, lon], z, { animate: false });
  model.setActive(grid.id);
  const { x, y } = map.latLngToContainerPoint([lat, lon]);
  const box = map.getContainer().getBoundingClientRect();
  return [box.x + x, box.y + y];
}"""
STROKE_NOW = "gridmap.studio.overlay.preview?.units.length ?? 0"
SAVES = """() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/operations"))
  .map((one) => one.responseEnd - one.requestStart)"""


def p95(values: list[float]) -> float:
    """The value that 95 % stay below."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def until(page: Page, condition: str, tries: int = 600) -> None:
    """Wait for a JavaScript expression; Playwright's own waiting needs ``eval``, which the page's CSP forbids."""
    for _ in range(tries):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise TimeoutError(condition)


def wander(page: Page, x: float, y: float, steps: int) -> None:
    """The pointer in widening loops around a place."""
    for k in range(steps):
        angle, reach = k * 4 / 30, 150 * k / steps
        page.mouse.move(x + reach * math.sin(angle), y + reach * math.cos(1.3 * angle))


def memory_mb(browser: Browser, page: Page) -> float:
    """Proportional set size of the largest process of tabs, after a collection of garbage."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(500)
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(_pss_mb(one["id"]) for one in found if one["type"] == "renderer")


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def opened(browser: Browser, server: Server, plan: int, cookies: Path) -> tuple[Page, dict[str, float]]:
    """The studio in a browser that has nothing of it yet; when it was painted and ready, ms after it was asked for."""
    context = browser.new_context(base_url=server.base, viewport=VIEW, locale="zh-CN", storage_state=cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"/plans/{plan}/studio")
    until(page, "Boolean(window.gridmap?.studio)")
    page.wait_for_timeout(300)
    marks = page.evaluate("performance.getEntriesByType('mark').map((one) => [one.name, one.startTime])")
    return page, dict(marks)


def ours(browser: Browser, server: Server, plan: int, folder: Path, times: int) -> dict[str, Any]:
    """Everything measured on the real page."""
    cookies = folder / "cookies.json"
    context = browser.new_context(base_url=server.base)
    sign_in_first(context.new_page(), server)
    context.storage_state(path=cookies)
    context.close()
    first, marks = opened(browser, server, plan, cookies)
    first.context.close()
    again = []
    for _ in range(5):
        page, later = opened(browser, server, plan, cookies)
        again.append(later)
        page.context.close()
    page, _ = opened(browser, server, plan, cookies)
    page.evaluate(WATCH)
    page.evaluate("performance.setResourceTimingBufferSize(5000)")
    moves: dict[str, list[float]] = {}
    for zoom in (13, 15, 16.5):
        x, y = page.evaluate(LOOK, [zoom, 0.5])
        page.wait_for_timeout(1000)
        for tool, brush in (("paint", 0), ("paint", 3), ("border", 0)):
            page.evaluate("(name) => gridmap.studio.model.setTool(name)", tool)
            page.evaluate("(size) => gridmap.studio.stage.setBrush(size)", brush)
            page.mouse.move(x, y)
            page.evaluate(SPENT, "pointermove")
            wander(page, x, y, times)
            moves[f"{tool} {brush} z{zoom}"] = page.evaluate(SPENT, "pointermove")
    during, released, sizes = [], [], []
    page.evaluate("gridmap.studio.model.setTool('paint')")
    for k in range(max(times // 10, 5)):
        x, y = page.evaluate(LOOK, [13.5, (k + 0.5) / max(times // 10, 5)])
        page.evaluate("gridmap.studio.stage.setBrush(3)")
        page.wait_for_timeout(800)
        page.mouse.move(x, y)
        page.evaluate(SPENT, "pointermove")
        page.mouse.down()
        for step in range(200):
            if page.evaluate(STROKE_NOW) >= STROKE:
                break
            page.mouse.move(x + step * math.cos(step / 4), y + step * math.sin(step / 4))
        sizes.append(page.evaluate(STROKE_NOW))
        during += page.evaluate(SPENT, "pointermove")
        page.evaluate(SPENT, "pointerup")
        page.mouse.up()
        page.wait_for_timeout(600)
        released += page.evaluate(SPENT, "pointerup")
    found = {
        "first": marks,
        "again": again,
        "moves": moves,
        "during": during,
        "released": released,
        "sizes": sizes,
        "saves": page.evaluate(SAVES),
        "memory": memory_mb(browser, page),
    }
    page.context.close()
    return found


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing of the files that are asked for."""


@contextmanager
def files(folder: Path) -> Iterator[str]:
    """A plain server of a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def naive(browser: Browser, units: int, folder: Path, times: int) -> dict[str, Any]:
    """The same of the peer."""
    town = make_town(units)
    shapes = shapely.to_geojson(shapely.set_precision(town.lonlat, 1e-7))
    features = [
        {"type": "Feature", "geometry": json.loads(shape), "properties": {"grid": int(grid), "households": int(n)}}
        for shape, grid, n in zip(shapes, town.grid, town.households, strict=True)
    ]
    (folder / "units.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    for name in ("leaflet.js", "leaflet.css"):
        shutil.copy(LEAFLET / name, folder / name)
    shutil.copy(NAIVE, folder / "index.html")
    with files(folder) as base:
        page = browser.new_context(viewport=VIEW).new_page()  # type: ignore[arg-type]
        page.goto(base)
        until(page, "performance.getEntriesByName('painted').length > 0")
        painted = page.evaluate("performance.getEntriesByName('painted')[0].startTime")
        moves: list[float] = []
        for zoom in (13, 15, 16.5):
            page.evaluate("(z) => map.setView(map.getCenter(), z, { animate: false })", zoom)
            page.wait_for_timeout(1000)
            wander(page, 683, 384, times)
            moves += page.evaluate("moved.splice(0)")
        page.evaluate("map.setView(map.getCenter(), 13.5, { animate: false })")
        page.wait_for_timeout(1000)
        strokes = [page.evaluate(_STROKE, STROKE) for _ in range(5)]
        found = {"painted": painted, "moves": moves, "strokes": strokes, "memory": memory_mb(browser, page)}
        page.context.close()
    return found


_STROKE = """(size) => new Promise((resolve) => {
  map.panBy([40, 0], { animate: false });
  const go = stroke(size);
  setTimeout(() => {
    const begun = performance.now();
    go();
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => resolve(performance.now() - begun);
      after.port2.postMessage(0);
    });
  }, 500);
})"""


def rows(mine: dict[str, Any], peer: dict[str, Any], units: int) -> list[dict[str, object]]:
    """The rows of the report."""
    made: list[dict[str, object]] = []

    def row(metric: str, value: float, unit: str, bar: float | None, peers: float | None) -> None:
        ratio = None if peers is None else value / peers
        bars = None if bar is None else f"<= {bar}"
        name = None if peers is None else PEER
        made.append(
            {"metric": metric, "value": value, "unit": unit, "bar": bars, "peer": name, "peer_value": peers}
            | {"ratio": ratio}
        )

    moves = [one for each in mine["moves"].values() for one in each] + mine["during"]
    again = mine["again"]
    painted = statistics.median(one["studio-painted"] for one in again)
    ready = statistics.median(one["studio-ready"] for one in again)
    row(f"p95 pointer move to counts and colours, {units:,} units", p95(moves), "ms", MOVE_BAR_MS, p95(peer["moves"]))
    row("median of the same", statistics.median(moves), "ms", None, statistics.median(peer["moves"]))
    for name, spent in mine["moves"].items():
        row(f"p95 {name}", p95(spent), "ms", None, None)
    row("p95 while a stroke is drawn", p95(mine["during"]), "ms", None, None)
    size = round(statistics.mean(mine["sizes"]))
    strokes = statistics.median(peer["strokes"])
    row(f"a stroke of {size} units let go, median", statistics.median(mine["released"]), "ms", STROKE_BAR_MS, strokes)
    row("p95 of the same", p95(mine["released"]), "ms", None, p95(peer["strokes"]))
    row("first paint of the plan, browser without cache", painted, "ms", PAINT_BAR_MS, peer["painted"])
    row("ready to edit", ready, "ms", READY_BAR_MS, peer["painted"])
    row("ready to edit, server just started", mine["first"]["studio-ready"], "ms", None, None)
    row("memory of the tab", mine["memory"], "MB", MEMORY_BAR_MB, peer["memory"])
    # the bar of 100 ms is the server's (bench_saves); here the first save of each connection is among the few
    row("median save, seen by the browser", statistics.median(mine["saves"]), "ms", None, None)
    row("p95 of the same", p95(mine["saves"]), "ms", None, None)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=150)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(Settings(data_dir=folder)).used() as cluster, sync_playwright() as running:
            engine.connect(cluster.url)
            migrate()
            plan = load_town(asked.units).draft
            engine.disconnect()
            browser = running.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_OPTIONS))
            with serving(cluster.url, folder) as server:
                mine = ours(browser, server, plan, folder, asked.times)
            pages = folder / "naive"
            pages.mkdir()
            peer = naive(browser, asked.units, pages, asked.times)
            browser.close()
    write("studio", rows(mine, peer, asked.units))


if __name__ == "__main__":
    main()
