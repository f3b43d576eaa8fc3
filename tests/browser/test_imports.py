"""Bringing data in with a real browser: the demo town's files, with their encodings, datums and slips, into nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from geodata.synth import synthesise
from geodata.synth.files import write_demo_files
from tests.browser.conftest import Server, sign_in_first, until, watched

pytestmark = pytest.mark.browser
SLOW_MS = 30_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_demo_files(synthesise(1, 0.1), tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def context(browser: Browser, empty_server: Server) -> Iterator[BrowserContext]:
    options = {"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN"}
    with watched(browser, empty_server, **options) as opened:
        first = opened.new_page()
        sign_in_first(first, empty_server)
        first.close()
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened = context.new_page()
    yield opened
    opened.close()


def upload(page: Page, path: Path, kind: str) -> None:
    page.goto("/imports")
    page.get_by_label("把文件拖到这里").set_input_files(path)
    page.locator(f"[name=kind][value={kind}]").check()
    page.get_by_role("button", name="上传", exact=True).click()


def previewed(page: Page, path: Path, kind: str) -> None:
    upload(page, path, kind)
    page.wait_for_url(re.compile(r"/imports/\d+$"))
    expect(page.get_by_role("button", name="开始核查")).to_be_visible()


def checked(page: Page) -> None:
    """Wait for the detective, then have the file checked."""
    if page.locator("#datum-said").count():
        expect(page.locator("[name=datum]:checked")).to_have_count(1, timeout=SLOW_MS)
    page.get_by_role("button", name="开始核查").click()
    expect(page.locator(".verdict")).to_be_visible(timeout=SLOW_MS)


def accepted(page: Page) -> None:
    page.get_by_role("button", name=re.compile("接收")).click()
    expect(page.get_by_role("heading", name="接下来")).to_be_visible(timeout=SLOW_MS)


def figure(page: Page, label: str) -> int:
    text = page.locator(".stat", has=page.get_by_text(label, exact=True)).locator(".stat-value").inner_text()
    return int(text.replace(",", ""))


def test_an_empty_place_says_where_to_begin(page: Page) -> None:
    page.goto("/imports")
    expect(page.get_by_text("请从区划开始")).to_be_visible()
    expect(page.locator(".order .badge")).to_have_text(["○还没有"] * 6)


def test_regions_come_first_and_the_same_file_is_recognised(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["regions"], "regions")
    expect(page.locator("#map-code")).to_have_value("区划代码")
    until(page, "window.gridmap?.sample?.getLayers().length > 0")
    checked(page)
    expect(page.get_by_role("button", name=re.compile("全部接收"))).to_be_enabled()
    accepted(page)
    assert figure(page, "新增") > 3
    upload(page, files["regions"], "regions")
    expect(page.locator("#upload-note")).to_contain_text("以前上传过")
    page.get_by_role("link", name="打开该批次").click()
    expect(page.get_by_role("heading", name="撤回")).to_be_visible()


def test_a_gbk_shapefile_without_cpg_reads_in_chinese(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["buildings"], "buildings")
    expect(page.locator("#encoding option").first).to_contain_text("gb18030")
    expect(page.locator("#map-compound")).to_have_value("小区")
    page.locator("#encoding").select_option("big5")  # the wrong one is tried at once, and not kept
    page.wait_for_url(re.compile("encoding=big5"))
    page.locator("#encoding").select_option("gb18030")
    page.wait_for_url(re.compile("encoding=gb18030"))
    expect(page.locator("tr:has(#map-kind) .sample")).to_have_text(re.compile("[\u4e00-\u9fff]"))
    checked(page)
    accepted(page)
    assert figure(page, "新增") > 500


def test_the_detective_recommends_gcj02_and_the_map_shows_why(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["barriers"], "barriers")
    row = page.locator("tr[data-datum=GCJ02]")
    expect(row.locator(".advice")).to_have_text("✓ 建议", timeout=SLOW_MS)
    expect(page.locator("[name=datum][value=GCJ02]")).to_be_checked()
    rows = {name: page.locator(f"tr[data-datum={name}] .outside") for name in ("GCJ02", "CGCS2000")}
    outside = {name: int(row.inner_text()) for name, row in rows.items()}
    assert outside["GCJ02"] * 3 < outside["CGCS2000"]
    where = "window.gridmap.sample.getBounds().getCenter().lng"
    until(page, "Boolean(window.gridmap?.sample)")
    with page.expect_response(lambda answer: "datum=CGCS2000" in answer.url):
        page.locator("[name=datum][value=CGCS2000]").check()
    page.wait_for_timeout(200)
    unmoved = page.evaluate(where)
    with page.expect_response(lambda answer: "datum=GCJ02" in answer.url):
        page.locator("[name=datum][value=GCJ02]").check()
    until(page, f"Math.abs({where} - {unmoved}) > 0.001")
    checked(page)
    accepted(page)
    assert figure(page, "新增") > 100


def test_a_ledger_without_coordinates_joins_by_key(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["ledger"], "buildings")
    expect(page.locator("[name=crs]")).to_have_count(0)
    checked(page)
    accepted(page)
    assert figure(page, "更新") > 0


def test_findings_are_seen_on_the_map_and_the_good_rows_accepted(
    page: Page, files: dict[str, Path], tmp_path: Path
) -> None:
    previewed(page, files["grids"], "grids")
    checked(page)
    expect(page.locator(".tally .bad td")).not_to_have_text("0")
    page.get_by_role("link", name=re.compile("几何无效")).click()
    page.wait_for_url(re.compile("code=CHECK_GEOMETRY_INVALID"))
    until(page, "document.querySelector('#map-note').hidden")
    show = page.locator("[data-show]").first
    show.focus()
    zoom = page.evaluate("window.gridmap.page.map.getZoom()")
    page.keyboard.press("Enter")
    expect(show).to_have_attribute("aria-pressed", "true")
    until(page, f"window.gridmap.page.map.getZoom() > {zoom}")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    rejected = gpd.read_file(target)
    assert {"网格编码", "gridmap_reason", "gridmap_row"} <= set(rejected.columns)
    assert rejected["gridmap_reason"].str.len().min() > 3
    accepted(page)
    assert figure(page, "未接收的行") == len(rejected)
    expect(page.get_by_text("还没有单元")).to_be_visible()
    page.get_by_role("button", name="撤回这次接收").click()
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".notices")).to_contain_text("已撤回")


def test_two_people_at_once_get_a_sentence(page: Page, context: BrowserContext, files: dict[str, Path]) -> None:
    previewed(page, files["departments"], "grids")
    other = context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="放弃该批次").click()
    other.get_by_role("button", name="确定").click()
    expect(other.get_by_role("heading", name="该批次已放弃")).to_be_visible()
    expect(page.locator("[name=datum]:checked")).to_have_count(1, timeout=SLOW_MS)
    page.get_by_role("button", name="开始核查").click()
    expect(page.locator("#form-note")).to_contain_text("已被他人处理")
    page.get_by_role("link", name="重新载入").click()
    expect(page.get_by_role("heading", name="该批次已放弃")).to_be_visible()


def test_a_file_that_is_none_says_so_and_shows_the_way_on(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "区划.gpkg"
    path.write_bytes(b"PK\x03\x04 not really an archive")
    upload(page, path, "regions")
    expect(page.get_by_role("alert")).to_contain_text("不能读取", timeout=SLOW_MS)
    expect(page.get_by_role("link", name="上传另一个文件")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_overflows_a_phone(context: BrowserContext, empty_server: Server, language: str) -> None:
    context.add_cookies([{"name": "gridmap_locale", "value": language, "url": empty_server.base}])
    phone = context.new_page()
    phone.set_viewport_size({"width": 390, "height": 844})
    for address in ("/imports", "/imports/1", "/imports/2", "/imports/5"):
        phone.goto(address)
        expect(phone.locator("h1")).to_be_visible()
        wide_px = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide_px <= 0, address
    phone.close()
