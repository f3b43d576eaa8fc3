"""An official looks where cases concentrate: hot spots in words, on the map, and the places that only look like one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, until, watched
from tests.browser.steps import PHONE, looked_at
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser
MARKED = "window.gridmap.page.grids._marked?.length > 0"


def test_hot_spots_lead_to_the_map(page: Page) -> None:
    page.goto("/cases")
    spots = page.locator("#spots > li")
    expect(spots.first).to_contain_text("为平均的", timeout=15_000)
    expect(page.locator("#spots-note")).to_contain_text("选定开始日期后")
    stack = page.locator("#stacks > li").first
    expect(stack).to_contain_text("件记在同一点，地址有")
    spots.first.get_by_role("button", name="在地图上看").click()
    until(page, MARKED)
    stack.get_by_role("button").click()
    until(page, "window.gridmap.page.map.getZoom() === 17")
    assert breaches(page) == []
    looked_at(page, "cases-spots")
    page.get_by_label("自", exact=True).fill("2025-06-01")
    page.get_by_label("至", exact=True).fill("2025-10-31")
    expect(page.locator("#spots-note")).to_contain_text("与之前同样长的一段时间相比")
    expect(spots.first.locator(".kind")).to_have_text(re.compile("新出现|持续|回落"))
    expect(spots.first).to_contain_text("上一期")
    page.get_by_label("自", exact=True).fill("1999-01-01")
    page.get_by_label("至", exact=True).fill("1999-02-01")
    expect(page.locator("#spots-note")).to_contain_text("没有热点")
    expect(spots).to_have_count(0)
    expect(page.locator("#stacks")).to_contain_text("没有这样的地点")
    assert breaches(page) == []


def test_in_english_on_a_phone(browser: Browser, demo_server: Server, signed_in: Path) -> None:
    with watched(browser, demo_server, viewport=PHONE, storage_state=signed_in, has_touch=True) as context:
        context.add_cookies([{"name": "gridmap_locale", "value": "en", "url": demo_server.base}])
        page = context.new_page()
        page.goto("/cases")
        spots = page.locator("#spots > li")
        expect(spots.first).to_contain_text("times the average", timeout=15_000)
        spots.first.get_by_role("button", name="See on the map").tap()
        until(page, MARKED)
        expect(page.locator(".map-frame")).to_be_in_viewport()
        assert breaches(page) == []
        looked_at(page, "cases-spots-en")
