"""The notebook of docs/notebooks, run against a live server; its maps opened in a browser from another origin."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gridmap.db import engine
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.tokens import create_token
from gridmap.services.users import add_user
from tests.browser.conftest import Server, serving, until
from tests.conftest import Databases, demo_template

pytestmark = pytest.mark.browser
NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "officials.ipynb"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Another origin that serves a folder."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{other.server_address[1]}", folder
        other.shutdown()


@pytest.fixture(scope="module")
def open_server(
    databases: Databases, elsewhere: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """The small demo town on a server that lets that origin in, and a planner's token."""
    url = databases.create(demo_template(databases, 0.2))
    engine.connect(url)
    user_id = add_user(SYSTEM, "reader", "Reader", [("planner", None)])
    _, token = create_token(Actor("reader", (Grant(Role.PLANNER),), user_id), "notebook", 3)
    engine.disconnect()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDMAP_CORS_ORIGINS", elsewhere[0])
        with serving(url, tmp_path_factory.mktemp("open")) as server:
            yield server, token


@pytest.fixture(scope="module")
def saved(open_server: tuple[Server, str], elsewhere: tuple[str, Path]) -> Iterator[None]:
    """The notebook's cells, run one after another."""
    server, token = open_server
    with pytest.MonkeyPatch.context() as patch:
        told = {"GRIDMAP_ADDRESS": server.base, "GRIDMAP_TOKEN": token, "GRIDMAP_SAVE": str(elsewhere[1])}
        for name, value in told.items():
            patch.setenv(name, value)
        cells = [cell for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] for cell in cells), "no output is kept: it would hold a token"
        names: dict[str, object] = {}
        for cell in cells:
            exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    yield


def _opened(browser: Browser, address: str, server: Server, ready: str) -> tuple[list[str], list[str], object]:
    """Faults, paths asked of the server, and what ``ready`` waits for, of a page."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: "ERR_ABORTED" in str(request.failure) or faults.append(request.url))
    page.on("response", lambda got: got.url.startswith(server.base) and got.ok and asked.append(got.url))
    # Folium's own header names style sheets of the internet, which is closed here
    page.route(lambda address: "127.0.0.1" not in address, lambda route: route.fulfill(status=200, body=""))
    page.goto(address)
    until(page, ready)
    page.wait_for_timeout(500)
    found = page.evaluate("[...document.querySelectorAll('canvas, img')].length")
    context.close()
    return faults, asked, found


def test_grids_come_from_another_origin(
    browser: Browser, open_server: tuple[Server, str], elsewhere: tuple[str, Path], saved: None
) -> None:
    ready = "window.grids_layer && [...grids_layer._byId.keys()].length > 20"
    faults, asked, _ = _opened(browser, f"{elsewhere[0]}/grids.html", open_server[0], ready)
    assert faults == []
    assert [one for one in asked if "/grids.geojson" in one], "grids"
    assert [one for one in asked if "/tiles/ground/" in one] and [one for one in asked if "/tiles/regions/" in one]


def test_the_slider_drives_the_heat_from_another_origin(
    browser: Browser, open_server: tuple[Server, str], elsewhere: tuple[str, Path], saved: None
) -> None:
    ready = "document.querySelectorAll('.ts-bars rect').length > 3 && document.querySelector('.leaflet-image-layer')"
    faults, asked, _ = _opened(browser, f"{elsewhere[0]}/heat.html", open_server[0], ready)
    assert faults == []
    images = [one for one in asked if "/heat.png" in one]
    assert images and all("bandwidth=250" in one for one in images)
    assert [one for one in asked if "/cases/timeline" in one]


def test_without_the_token_nothing_is_shown(
    browser: Browser, open_server: tuple[Server, str], elsewhere: tuple[str, Path], saved: None
) -> None:
    folder = elsewhere[1]
    text = (folder / "grids.html").read_text("utf-8").replace(open_server[1], "gridmap_no")
    (folder / "stolen.html").write_text(text, "utf-8")
    _, asked, _ = _opened(browser, f"{elsewhere[0]}/stolen.html", open_server[0], "window.grids_layer")
    assert not [one for one in asked if "/api/" in one]


def test_the_slider_fits_on_a_phone(
    browser: Browser, open_server: tuple[Server, str], elsewhere: tuple[str, Path], saved: None
) -> None:
    """A page of somebody else's has no style sheet of ours that would count padding in."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.route(lambda address: "127.0.0.1" not in address, lambda route: route.fulfill(status=200, body=""))
    page.goto(f"{elsewhere[0]}/heat.html")
    until(page, "document.querySelectorAll('.ts-bars rect').length > 3")
    box = page.locator(".time-slider").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    legend = page.locator(".map-legend")
    if legend.count():
        above = legend.bounding_box()
        assert above is not None and above["y"] + above["height"] <= box["y"]
    context.close()
