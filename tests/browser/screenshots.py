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
_COLOURS = 64
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
    page.goto("/map")
    page.locator("#list button").first.click()
    for _ in range(2):
        page.wait_for_timeout(_FADE_MS)
        page.locator(".leaflet-control-zoom-out").click()
    _save(page, "map")


def _cases(page: Page) -> None:
    page.goto("/cases")
    _save(page, "cases")


def _take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    _save(page, name)


def _save(page: Page, name: str) -> None:
    """Take what is on the screen; a palette of its own keeps the file small."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(_FADE_MS)
    with Image.open(io.BytesIO(page.screenshot())) as shown:
        palette = shown.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    path = IMAGES / f"{name}.png"
    palette.save(path, optimize=True)
    assert path.stat().st_size < _MOST_BYTES, f"{path} has {path.stat().st_size} bytes"


if __name__ == "__main__":
    main()
