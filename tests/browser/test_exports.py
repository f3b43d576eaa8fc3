"""Officials take what they see away: the menu of the page of cases, the map in one file, the monthly report."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import until

pytestmark = pytest.mark.browser


def _downloaded(page: Page, link: str, folder: Path) -> tuple[Path, dict[str, list[str]]]:
    """What the menu's entry ``link`` gives, and the query it asked with."""
    page.locator(".export-menu summary").click()
    with page.expect_download(timeout=60_000) as waiting:
        page.locator(".export-menu").get_by_text(link).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    expect(page.locator(".export-menu")).not_to_have_attribute("open", "")
    return path, parse_qs(urlsplit(waiting.value.url).query)


def test_the_menu_takes_the_state_of_the_page_over(page: Page, tmp_path: Path) -> None:
    page.goto("/cases?plan=1&since=2026-01-01&until=2026-06-30")
    page.locator("[name=category][value=乱停车]").check(force=True)
    until(page, "location.search.includes('category')")
    path, query = _downloaded(page, "XLSX", tmp_path)
    assert query["category"] == ["乱停车"] and query["since"] == ["2026-01-01"]
    about = {row[0]: row[1] for row in openpyxl.load_workbook(path)["说明"].values}
    assert about["类别"] == "乱停车" and about["时间"] == "2026-01-01 至 2026-06-30"
    shown = re.sub(r"\D", "", page.locator("#summary b, #status b").first.inner_text())
    assert int(shown) == about["件事件"], "the sum on the screen"
    assert "事件分布" in path.name and "乱停车" in path.name and "2026-01-01" in path.name


def test_the_menu_is_reached_by_keyboard(page: Page) -> None:
    page.goto("/cases?plan=1")
    page.locator(".export-menu summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip().startswith("PDF")
    assert "plan=1" in str(page.evaluate("document.activeElement.href"))


def test_a_map_in_one_file_asks_nobody(page: Page, browser: Browser, tmp_path: Path) -> None:
    page.goto("/cases?plan=1")
    heat, _ = _downloaded(page, "HTML", tmp_path)
    page.goto("/map?plan=1&status=over")
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_text("离线地图").click()
    grids = tmp_path / "grids.html"
    waiting.value.save_as(grids)
    for path, words in ((heat, "事件密度"), (grids, "网格户数与标准")):
        context = browser.new_context(offline=True, viewport={"width": 1366, "height": 768})
        alone = context.new_page()
        asked: list[str] = []
        faults: list[str] = []
        alone.on("request", lambda request, asked=asked: request.url.startswith("data:") or asked.append(request.url))
        alone.on("console", lambda message, faults=faults: faults.append(message.text))
        alone.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
        alone.goto(path.as_uri())
        expect(alone.locator(".map-legend")).to_contain_text(words)
        until(alone, "window.grids_layer._byId.size > 20")
        assert asked == [path.as_uri()] and faults == []
        expect(alone.locator("header")).to_contain_text("现行网格")
        expect(alone.locator("footer")).to_contain_text("来源")
        assert alone.locator(".leaflet-image-layer").count() == (1 if path is heat else 0)
        assert alone.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && document.body.scrollHeight <= innerHeight"
        )
        context.close()


def test_a_report_is_made_followed_downloaded_and_deleted(page: Page, tmp_path: Path) -> None:
    page.goto("/reports")
    page.locator("#region").select_option("339901001000")
    page.locator("#month").select_option("2026-09")
    page.get_by_role("button", name="生成", exact=True).click()
    expect(page.get_by_text("月报已生成")).to_be_visible(timeout=60_000)
    row = page.locator("tbody tr", has_text="2026-09")
    expect(row).to_contain_text("城北")
    with page.expect_download() as waiting:
        row.get_by_role("link", name=re.compile("下载")).click()
    assert waiting.value.suggested_filename.endswith("2026-09.pdf")
    waiting.value.save_as(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    page.locator("#schedule-region").select_option("339901001000")
    page.get_by_role("button", name="每月自动生成").click()
    expect(page.get_by_text("定期月报已开启")).to_be_visible()
    page.get_by_role("button", name=re.compile("停用 .*的定期月报")).click()
    expect(page.get_by_text("定期月报已关闭")).to_be_visible()
    row.get_by_role("button", name=re.compile("删除")).click()
    page.locator("dialog").get_by_role("button").last.click()
    expect(page.get_by_text("月报已删除")).to_be_visible()
    expect(row).to_have_count(0)
