"""An official opens the page of coverage, goes down to a grid and up again, and looks at an earlier day."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import looked_at
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser


def test_from_the_county_down_to_a_grid_and_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="覆盖").click()
    expect(page.locator(".stats")).to_contain_text("符合标准")
    table = page.get_by_role("table", name="覆盖情况")
    whole = int(page.locator(".stats .stat-value").first.inner_text())
    assert sum(int(cell) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts()) == whole
    assert breaches(page) == []
    looked_at(page, "coverage")
    for name in ("城北街道", "花园社区"):
        page.get_by_role("table", name="覆盖情况").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_have_text(name)
    grids = page.get_by_role("table", name="网格", exact=True)
    assert grids.locator("tbody tr").count() == int(page.locator(".stats .stat-value").first.inner_text())
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
