"""What goes wrong at a desk: files that are none, double clicks, the back button, reloads, two tabs at once."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from geodata.synth import synthesise
from geodata.synth.files import write_demo_files
from gridmap.db.engine import libpq_url
from tests.browser.conftest import Server, sign_in_first, watched
from tests.browser.steps import DESKTOP, SLOW_MS, checked, figure, looked_at, previewed, upload

pytestmark = pytest.mark.browser
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_demo_files(synthesise(1, 0.1), tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def context(browser: Browser, empty_server: Server) -> Iterator[BrowserContext]:
    with watched(browser, empty_server, viewport=DESKTOP, locale="zh-CN") as opened:
        first = opened.new_page()
        sign_in_first(first, empty_server)
        first.close()
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened = context.new_page()
    yield opened
    opened.close()


def count(server: Server, table: str) -> int:
    with psycopg.connect(libpq_url(server.url)) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def bad_file(folder: Path, name: str) -> Path:
    path = folder / name
    if name == "炸弹.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("roads.geojson", b"0" * 300_000_000)
    else:
        headers = "楼栋编号,户数,经度,纬度\n"
        path.write_bytes({"空.csv": b"", "图片.zip": PNG, "只有表头.csv": headers.encode()}[name])
    return path


@pytest.mark.parametrize("name", ["空.csv", "图片.zip", "炸弹.zip", "只有表头.csv"])
def test_a_file_that_is_none_is_one_sentence(page: Page, tmp_path: Path, name: str) -> None:
    """Said at once or on the page of the batch, with a way on, and nothing to check or accept."""
    upload(page, bad_file(tmp_path, name), "buildings")
    said = page.locator("#upload-note .notice").or_(page.get_by_role("alert").filter(has_text=re.compile("。")))
    expect(said.first).to_be_visible(timeout=SLOW_MS)
    looked_at(page, f"bad-{Path(name).stem}")
    assert "Traceback" not in (page.locator("body").text_content() or "")
    expect(page.get_by_role("button", name=re.compile("接收"))).to_have_count(0)


def test_a_double_click_accepts_once(page: Page, files: dict[str, Path], empty_server: Server) -> None:
    previewed(page, files["regions"], "regions")
    checked(page)
    page.locator("form.accept button").dblclick()
    expect(page.get_by_role("heading", name="接下来")).to_be_visible(timeout=SLOW_MS)
    assert figure(page, "新增") == count(empty_server, "region")


def test_the_back_button_and_a_reload_while_it_is_read_lose_nothing(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["buildings"], "buildings")
    page.get_by_role("button", name="开始核查").click()
    page.wait_for_load_state()
    page.reload()
    page.reload()
    expect(page.locator(".verdict")).to_be_visible(timeout=SLOW_MS)
    page.go_back()
    page.wait_for_load_state()
    page.go_forward()
    expect(page.locator(".verdict")).to_be_visible(timeout=SLOW_MS)
    address = page.url
    page.goto("/")
    page.go_back()
    expect(page.locator(".verdict")).to_be_visible(timeout=SLOW_MS)
    assert page.url == address


def _anew(tab: Page) -> None:
    """Load a page again that may just be leaving by itself, which ends the reload."""
    for _ in range(5):
        with suppress(Error):
            tab.reload()
            return
        tab.wait_for_timeout(300)
    tab.reload()


def test_two_tabs_accept_one_batch_once(context: BrowserContext, page: Page, empty_server: Server) -> None:
    page.goto("/imports")
    page.get_by_role("link", name="楼栋.zip").first.click()
    other = context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        tab.locator("form.accept button").evaluate("button => setTimeout(() => button.click(), 50)")
    for tab in (page, other):
        tab.wait_for_timeout(300)
        tab.wait_for_load_state()  # of what the click led to
        _anew(tab)
        expect(tab.get_by_role("heading", name="接下来")).to_be_visible(timeout=SLOW_MS)
    assert figure(page, "新增") == count(empty_server, "building")
    other.close()
