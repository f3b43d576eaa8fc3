"""A planner has a subdistrict redrawn, follows it, reads before and after, opens the proposal and puts it away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, watched
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser


#: A community is proven the best at once; a subdistrict takes its time.
COMMUNITY, SUBDISTRICT = "339901001005", "339901001000"


def _start(page: Page, seconds: str, region: str = COMMUNITY) -> None:
    page.goto("/plans/1/redraw")
    page.get_by_label("划分范围").select_option(region)
    page.get_by_label("少动：").check()
    page.get_by_label("计算时间").select_option(seconds)
    page.get_by_role("button", name="开始划分").click()
    page.wait_for_url("**/redraw?job=*")


def _discard(page: Page) -> None:
    page.locator(".proposal").get_by_role("button", name="放弃").click()
    page.locator("dialog button[value=yes]").click()
    expect(page.get_by_text("建议方案已放弃")).to_be_visible()


def test_start_follow_read_open_discard(page: Page) -> None:
    _start(page, "5", SUBDISTRICT)
    live = page.locator('[data-live="in_band"]')
    expect(live).to_have_text("—")
    expect(live).not_to_have_text("—", timeout=30_000)
    assert breaches(page) == []
    expect(page.locator(".proposal")).to_be_visible(timeout=60_000)
    expect(page.locator(".proposal h2")).to_contain_text("机器建议：")
    assert breaches(page) == []
    page.get_by_text("不可避免（附证明）").click()
    address = page.url
    page.get_by_role("link", name="打开建议方案与核查结果").click()
    page.wait_for_url("**/plans/*")
    expect(page.locator("h1")).to_contain_text("机器方案")
    expect(page.locator(".stats").first).to_contain_text("符合标准")
    page.goto(address)
    _discard(page)


def test_a_planner_stops_early_and_takes_the_best_so_far(page: Page) -> None:
    _start(page, "300", SUBDISTRICT)
    keep = page.get_by_role("button", name="到此为止")
    expect(keep).to_be_visible(timeout=30_000)
    keep.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".proposal")).to_be_visible(timeout=60_000)
    expect(page.locator(".proposal")).to_contain_text("提前结束")
    _discard(page)


def test_a_planner_cancels_and_nothing_is_kept(page: Page) -> None:
    _start(page, "300", SUBDISTRICT)
    page.get_by_role("button", name="取消，不保留").click()
    expect(page.get_by_text("已按要求取消")).to_be_visible(timeout=30_000)
    expect(page.locator(".proposal")).to_have_count(0)


def test_a_phone_shows_it_whole(browser: Browser, demo_server: Server, signed_in: Path) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "storage_state": signed_in, "locale": "zh-CN"}
    with watched(browser, demo_server, **options) as context:
        page = context.new_page()
        _start(page, "5")
        expect(page.locator(".proposal")).to_be_visible(timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
        _discard(page)
