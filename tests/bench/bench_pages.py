"""Every page and API call on the demo town: p95 over HTTP, and the map's page beside a naive Folium page.

``python -m tests.bench.bench_pages [--times N]``; the bar is 300 ms for each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.migrate import migrate
from gridmap.settings import Settings
from tests.bench.over_http import ask_ms, token_of
from tests.bench.report import write
from tests.browser.conftest import serving

BAR_MS = 300
PAGES = (
    *(
        "/",
        "/map",
        "/plans",
        "/plans/1",
        "/regions",
        "/regions/339901001001",
        "/coverage",
        "/cases",
        "/imports",
        "/imports/1",
    ),
    *("/standards", "/users", "/audit", "/help", "/account", "/api/v1/plans", "/api/v1/plans/1"),
    *("/api/v1/plans/1/grids?order=errors", "/api/v1/plans/1/grids/1", "/api/v1/plans/1/grids.geojson"),
    *(
        "/api/v1/plans/1/findings",
        "/api/v1/plans/1/misfits",
        "/api/v1/plans/1/cases",
        "/api/v1/cases/sums",
        "/api/v1/plans/1/hot-spots",
        "/api/v1/plans/1/hot-spots?since=2025-08-01T00:00:00Z&until=2025-11-01T00:00:00Z",
        "/api/v1/cases",
    ),
    *(
        "/api/v1/search?text=社区",
        "/api/v1/tiles/ground/1/14/13657/6748.mvt",
        "/api/v1/tiles/ground/1/12/3414/1687.mvt",
    ),
    *("/api/v1/tiles/plans/1/1/13/6828/3374.mvt", "/api/v1/tiles/regions/1/12/3414/1687.mvt"),
    *(f"/plans/compare?a=1&b=2&mode={mode}" for mode in ("side", "swipe", "difference")),
    *("/api/v1/plans/compare?a=1&b=2", "/api/v1/plans/compare/grids?a=1&b=2&order=moved"),
    *("/api/v1/plans/compare/difference.geojson?a=1&b=2", "/api/v1/plans/1/comments"),
    "/api/v1/heat.png?bbox=120.07,30.18,120.13,30.23&width=683&height=384&bandwidth=250",
)


def p95(values: list[float]) -> float:
    """The value that 95 % stay below."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def naive_folium_ms(url: str) -> float:
    """The peer: every grid inlined with a ``style_function``, as Folium's own examples do it."""
    import folium
    import geopandas as gpd
    import sqlalchemy as sa

    with sa.create_engine(engine.sqlalchemy_url(url)).connect() as connection:
        frame = gpd.read_postgis("SELECT id, status, geom FROM grid WHERE plan_id = 1", connection)
    frame = frame.dropna(subset="geom").set_crs(4490).to_crs(4326)
    start = time.perf_counter()
    shown = folium.Map()
    folium.GeoJson(frame, style_function=lambda feature: {"fillColor": feature["properties"]["status"]}).add_to(shown)
    shown.get_root().render()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Settings(data_dir=Path(folder))).used() as cluster:
            write("pages", measure(cluster.url, Path(folder), times))


def measure(url: str, folder: Path, times: int) -> list[dict[str, object]]:
    """A row for each address, on the demo town of size 1."""
    from gridmap.services import demo
    from gridmap.services.actor import SYSTEM

    engine.connect(url)
    migrate()
    demo.load(SYSTEM)
    with serving(url, folder) as server:
        token = token_of(server)
        rows: list[dict[str, object]] = []
        for address in PAGES:
            spent = [ask_ms(server.base + address, token) for _ in range(times + 1)][1:]
            rows.append({"metric": f"p95 {address}", "value": p95(spent), "unit": "ms", "bar": f"<= {BAR_MS}"})
        peer = min(naive_folium_ms(url) for _ in range(3))
        for row in rows:
            if row["metric"] == "p95 /map":
                row |= {"peer": "naive Folium page, rendering only", "peer_value": peer, "ratio": row["value"] / peer}  # type: ignore[operator]
    engine.disconnect()
    return rows


if __name__ == "__main__":
    main()
