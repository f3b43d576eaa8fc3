"""The pictures of the README, taken of the demo town into ``docs/images`` by ``make screenshots``, small to commit."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from geodata.synth import synthesise
from geodata.synth.files import write_demo_files
from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.migrate import migrate
from gridmap.services import demo, imports, plans
from gridmap.services.actor import SYSTEM
from gridmap.settings import settings
from tests.browser.conftest import CHROMIUM_OPTIONS, chromium_path, serving, sign_in_first

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
_VIEW = {"width": 1366, "height": 768}
_COLOURS = (128, 64, 32, 24, 16)
_FADE_MS = 1500
_MOST_BYTES = 150_000


def main() -> None:
    """Load the demo town into a database of its own, serve it, and take the pictures."""
    with tempfile.TemporaryDirectory(prefix="gridmap-images-") as folder:
        Path(folder).chmod(0o755)  # root runs the database as another user, who must reach its data
        home = Path(folder)
        os.environ["GRIDMAP_DATA_DIR"] = folder
        IMAGES.mkdir(exist_ok=True)
        with Cluster(settings()).used() as cluster:
            engine.connect(cluster.url)
            migrate()
            demo.load(SYSTEM)
            plan = max((found for found in plans.list_plans(SYSTEM) if not found.department), key=lambda p: p.grids).id
            batch = _import(home)
            engine.disconnect()
            with serving(cluster.url, home) as server, sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium_path(),
                    args=[*CHROMIUM_OPTIONS, "--lang=zh-CN"],
                    env={**os.environ, "LANGUAGE": "zh_CN"},
                )
                context = browser.new_context(base_url=server.base, viewport=_VIEW, locale="zh-CN")
                page = context.new_page()
                sign_in_first(page, server)
                _map(page)
                _cases(page)
                _take(page, f"/imports/{batch}", "import")
                _take(page, f"/plans/{plan}", "plan")
                browser.close()


def _import(folder: Path) -> int:
    """A file of grids with faults, read and checked but not accepted: the number of the import."""
    path = write_demo_files(synthesise(1, 1.0), folder / "files")["grids"]
    with path.open("rb") as stream:
        batch = imports.receive(SYSTEM, stream, path.name, "grids").id
    imports.configure(SYSTEM, batch)
    imports.prepare(SYSTEM, batch)
    imports.run_stage(batch)
    return batch


def _map(page: Page) -> None:
    """The middlemost of the grids over the standard, chosen, with its neighbours around it."""
    page.goto("/map")
    page.wait_for_function("() => window.gridmap.page.grids._byId.size > 0")
    chosen = page.evaluate(
        """() => {
          const { map, grids } = window.gridmap.page;
          const at = ({ feature: { properties: p } }) => map.getCenter().distanceTo([p.label_lat, p.label_lon]);
          const over = [...grids._byId.values()].filter(l => l.feature.properties.status === "over");
          return over.sort((a, b) => at(a) - at(b))[0].feature.id;
        }"""
    )
    page.goto(f"/map?grid={chosen}")
    page.locator("#card h2").wait_for()
    page.wait_for_timeout(_FADE_MS)
    page.evaluate("() => { const { map } = window.gridmap.page; map.setZoom(map.getZoom() + 1); }")
    _save(page, "map")


def _cases(page: Page) -> None:
    page.goto("/cases")
    _save(page, "cases")


def _take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    _save(page, name)


def _save(page: Page, name: str) -> None:
    """Take what is on the screen; as many colours as the size allows (hatched grids do not compress well)."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(_FADE_MS)
    with Image.open(io.BytesIO(page.screenshot())) as opened:
        shown = opened.convert("RGB")
    (IMAGES / f"{name}.png").write_bytes(
        next(packed for colours in _COLOURS if len(packed := _packed(shown, colours)) < _MOST_BYTES)
    )


def _packed(shown: Image.Image, colours: int) -> bytes:
    into = io.BytesIO()
    palette = shown.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(into, "PNG", optimize=True)
    return into.getvalue()


if __name__ == "__main__":
    main()
