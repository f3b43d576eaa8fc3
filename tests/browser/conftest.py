"""Real Chromium against a real server: gunicorn and job worker on a database of their own, the network closed.

Every page that a test opens is watched: a request to any other host, a violation of the content security policy, an
error in a script or an answer of 500 fails the test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from gridmap.db import engine
from gridmap.db.migrate import migrate
from gridmap.services.accounts import ensure_first_administrator
from gridmap.services.actor import SYSTEM
from gridmap.services.cases import release
from tests.conftest import Databases, demo_template

PASSWORD = "measured-Ground-7"
CHROMIUM_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb"),
)


@dataclass(frozen=True)
class Server:
    """A running gridmap: where it is, its database, and the sign-in path of its first administrator."""

    base: str
    url: str
    sign_in: str
    data_dir: Path


def chromium_path() -> str:
    """The browser of this machine; the tests of this folder fail where there is none, lest nobody notice."""
    for name in (os.environ.get("GRIDMAP_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = name and shutil.which(name)
        if found:
            return found
    pytest.fail("no Chromium on this machine: run make test, which installs it")


@contextlib.contextmanager
def serving(url: str, data_dir: Path) -> Iterator[Server]:
    """gunicorn and worker on the database ``url`` until the block ends."""
    engine.connect(url)
    sign_in = ensure_first_administrator()
    engine.disconnect()
    assert sign_in is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": url, "GRIDMAP_DATA_DIR": str(data_dir), "GRIDMAP_DEFAULT_LOCALE": "zh"}
    log = (data_dir / "server.log").open("w")
    web = [sys.executable, "-m", "gunicorn", "gridmap.web.wsgi:app", "-b", f"127.0.0.1:{port}", "-k", "gthread"]
    commands = ([*web, "--threads", "8", "--timeout", "120"], [sys.executable, "-m", "gridmap.jobs.worker"])
    processes = [subprocess.Popen(command, env=environment, stdout=log, stderr=log) for command in commands]
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urlopen(f"{base}/health", timeout=10):
                break
            assert processes[0].poll() is None, (data_dir / "server.log").read_text()
            time.sleep(0.1)
        yield Server(base, url, sign_in, data_dir)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        log.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_OPTIONS))
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def demo_server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The full demo town, served; its closed quarters are released."""
    url = databases.create(demo_template(databases, 1.0))
    engine.connect(url)
    release.make(SYSTEM)
    engine.disconnect()
    with serving(url, tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="module")
def empty_server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nothing was ever brought to."""
    with serving(databases.create(databases.template("empty", migrate)), tmp_path_factory.mktemp("empty")) as server:
        yield server


class Watch:
    """What went wrong on the pages of a context."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.host = host
        self.faults: list[str] = []
        context.on("page", self._page)
        context.route(lambda address: self._foreign(address), self._refuse)
        context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " event => console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI))"
        )

    def _foreign(self, address: str) -> bool:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self.host

    def _refuse(self, route: object) -> None:
        self.faults.append(f"external request {route.request.url}")  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    def _page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"script error on {page.url}: {error}"))
        page.on("console", lambda message: message.text.startswith("CSP ") and self.faults.append(message.text))
        page.on("response", lambda answer: answer.status >= 500 and self.faults.append(f"{answer.status} {answer.url}"))


@contextlib.contextmanager
def watched(browser: Browser, server: Server, **options: object) -> Iterator[BrowserContext]:
    """A context whose pages are watched; leaving it fails on any fault."""
    context = browser.new_context(base_url=server.base, **options)  # type: ignore[arg-type]
    watch = Watch(context, urlsplit(server.base).netloc)
    yield context
    context.close()
    assert watch.faults == []


def until(page: Page, condition: str) -> None:
    """Wait for a JavaScript expression; Playwright's own waiting needs ``eval``, which the page's CSP forbids.

    While the page's scripts are not there yet what it names may be missing: that is not true either.
    """
    for _ in range(100):
        if page.evaluate(f"() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }}"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {condition}")


def sign_in_first(page: Page, server: Server) -> None:
    """Open the one-time link and set the administrator's password."""
    page.goto(server.sign_in)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main button.primary").click()
    page.wait_for_url("**/")


@pytest.fixture(scope="session")
def signed_in(browser: Browser, demo_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of the demo town's administrator."""
    path = tmp_path_factory.mktemp("cookies") / "state.json"
    with watched(browser, demo_server) as context:
        sign_in_first(context.new_page(), demo_server)
        context.storage_state(path=path)
    return path


@pytest.fixture
def page(browser: Browser, demo_server: Server, signed_in: Path) -> Iterator[Page]:
    """A watched page of the demo town's administrator, 1366 x 768, Chinese."""
    options = {"viewport": {"width": 1366, "height": 768}, "storage_state": signed_in, "locale": "zh-CN"}
    with watched(browser, demo_server, **options) as context:
        yield context.new_page()
