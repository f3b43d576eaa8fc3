"""An official opens the page of coverage, goes down to a grid and up again, by table and by map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gridmap.db import engine
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from tests.browser.conftest import Server, until
from tests.browser.steps import DESKTOP, downloaded, figure, looked_at
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser

COMMUNITY = "339901001002"
DRAWN = "window.coverage_layer && window.coverage_layer._byId.size > 0"


def test_from_the_county_down_to_a_grid_and_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="覆盖").click()
    expect(page.locator(".stats")).to_contain_text("符合标准")
    table = page.get_by_role("table", name="覆盖情况")
    whole = figure(page, "网格数")
    assert sum(int(cell) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts()) == whole
    until(page, DRAWN)
    assert breaches(page) == []
    looked_at(page, "coverage")
    for name in ("城北街道", "花园社区"):
        page.get_by_role("table", name="覆盖情况").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_have_text(name)
    grids = page.get_by_role("table", name="网格", exact=True)
    assert grids.locator("tbody tr").count() == figure(page, "网格数")
    until(page, f"{DRAWN} && window.coverage_layer.of() === 'grids'")
    assert breaches(page) == []
    looked_at(page, "coverage-community")
    grids.get_by_role("link").first.click()
    page.wait_for_url("**/map?*grid=*")
    page.go_back()
    page.get_by_role("navigation", name="所在位置").get_by_role("link", name="城北街道").click()
    expect(page.locator("h1")).to_have_text("城北街道")
    page.get_by_label("看某一天生效的网格").fill("2001-01-01")
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".empty")).to_contain_text("2001-01-01 没有生效的方案")
    page.get_by_role("link", name="今天生效的").click()
    expect(page.locator(".stats")).to_be_visible()


def at(page: Page, area: str) -> tuple[float, float]:
    """A point of the window in the middle of an area on the map."""
    where = page.evaluate(
        f"""() => {{
          const {{ map }} = window.gridmap.page;
          const box = map.getContainer().getBoundingClientRect();
          const point = map.latLngToContainerPoint(window.coverage_layer._byId.get("{area}").getBounds().getCenter());
          return [box.x + point.x, box.y + point.y];
        }}"""
    )
    return float(where[0]), float(where[1])


def test_map_and_table_are_one(page: Page) -> None:
    """Pointing marks in both, colours change with the mode, a click on the map goes down and keeps the mode."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.goto("/coverage")
    until(page, DRAWN)
    row = page.locator("#areas tr[data-area]").nth(1)
    area = str(row.get_attribute("data-area"))
    weight = f"window.coverage_layer._byId.get('{area}').options.weight"
    row.get_by_role("link").focus()
    assert page.evaluate(weight) == 4
    page.get_by_role("button", name="查看").focus()
    assert page.evaluate(weight) == 1.5
    page.mouse.move(*at(page, area))
    expect(row).to_have_class(re.compile("chosen"))
    expect(page.locator(".map-legend summary")).to_have_text("不达标网格占比")
    page.get_by_role("group", name="地图着色").get_by_role("button", name="估算占比").click()
    expect(page.locator(".map-legend summary")).to_have_text("户数中估算的占比")
    page.mouse.click(*at(page, area))
    page.wait_for_url(f"**/coverage?*region={area}*")
    assert "mode=estimated" in page.url
    expect(page.locator(".map-legend summary")).to_have_text("户数中估算的占比")
    page.get_by_role("group", name="地图显示").get_by_role("button", name="网格").click()
    page.wait_for_url("**of=grids**")
    until(page, f"{DRAWN} && window.coverage_layer.of() === 'grids'")
    assert page.evaluate("window.coverage_layer._byId.size") > figure(page, "网格数") * 0.8


@pytest.fixture
def empty_plan(demo_server: Server) -> Iterator[int]:
    """A draft of one community without a grid."""
    engine.connect(demo_server.url)
    made = plans.create_empty(SYSTEM, "空草案", COMMUNITY)
    yield made
    engine.connect(demo_server.url)
    plans.delete(SYSTEM, made)
    engine.disconnect()


def test_what_is_not_covered_is_listed_and_shown(page: Page, empty_plan: int, tmp_path: Path) -> None:
    """Under an empty plan nothing is covered; each place leads to the map. The table comes as a workbook."""
    page.goto(f"/coverage?region={COMMUNITY}")
    page.get_by_label("方案").select_option(str(empty_plan))
    page.get_by_role("button", name="查看").click()
    assert figure(page, "未覆盖楼栋") > 0
    section = page.locator("#uncovered")
    expect(section).to_be_visible()
    expect(section.get_by_role("button", name="在地图上显示")).to_be_visible()
    section.locator("a.place").first.click()
    assert page.evaluate("window.gridmap.page.map.getZoom()") == 17
    expect(section.get_by_role("button", name="从地图上移去")).to_have_attribute("aria-pressed", "true")
    assert breaches(page) == []
    looked_at(page, "coverage-uncovered")
    file = downloaded(page, "导出 XLSX", tmp_path)
    assert file.stat().st_size > 5000
    expect(page.locator("#trend-table tbody tr")).to_have_count(1)
