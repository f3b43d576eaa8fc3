"""The time slider in a real browser: drawn by hand and keys, played in order, one with the rest of the page."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import until
from tests.browser.steps import looked_at
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser
SLIDER = "window.gridmap.page.slider"


def asked(page: Page) -> dict[str, list[str]]:
    """The filters that stand in the address."""
    for _ in range(100):  # a page just gone to has no state yet
        if page.evaluate("Boolean(window.gridmap?.page?.state)"):
            break
        time.sleep(0.1)
    page.evaluate("window.gridmap.page.state.write()")  # the address follows a moment later by itself
    return parse_qs(urlsplit(page.url).query)


def figure(page: Page) -> int:
    return int(page.locator("#status b").inner_text().replace(",", ""))


def opened(page: Page, query: str = "") -> None:
    page.goto(f"/cases{query}")
    expect(page.locator(".ts-said")).to_contain_text("件", timeout=15_000)
    expect(page.locator("#status b")).to_be_visible(timeout=15_000)


def test_the_window_is_dragged_and_moved_by_keys(page: Page) -> None:
    opened(page)
    expect(page.locator(".ts-said")).to_contain_text("730 天 · 50,000 件")
    box = page.locator(".ts-track").bounding_box()
    assert box is not None
    page.locator(".ts-track").scroll_into_view_if_needed()
    end = page.locator(".ts-grip.end").bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + 12, end["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 12 - box["width"] / 2, end["y"] + 20, steps=5)
    page.mouse.up()
    span = asked(page)
    assert "since" in span and "2025-10" <= span["until"][0] < "2025-12"
    expect(page.locator("#until")).to_have_value(span["until"][0])
    said = page.locator(".ts-said").inner_text()
    expect(page.locator("#status")).to_contain_text("未结")
    assert f"{figure(page):,} 件" in said, "the bars and the sums agree"
    window = page.get_by_role("slider", name="移动时间窗")
    page.get_by_label("时间窗", exact=True).select_option("30")
    expect(page.locator(".ts-said")).to_contain_text("· 30 天 ·")
    before = asked(page)["since"][0]
    window.press("ArrowRight")
    window.press("PageUp")
    after = asked(page)
    assert after["since"][0] > before
    expect(window).to_have_attribute("aria-valuetext", re.compile(f"^{after['since'][0]}"))
    page.get_by_role("slider", name="结束日期").press("End")
    page.get_by_role("slider", name="开始日期").press("Home")
    assert "since" not in asked(page), "all of the time is no filter"
    assert breaches(page) == []
    looked_at(page, "cases-slider")


def test_playback_shows_frame_after_frame_in_order(page: Page) -> None:
    asked_for: list[str] = []

    def slowly(route: Route) -> None:
        asked_for.append(route.request.url)
        if len(asked_for) % 2:
            time.sleep(0.3)  # every second image is late
        route.continue_()

    opened(page, "?since=2025-03-01&until=2025-03-30")
    page.evaluate(
        """() => {
          const { heat, slider } = window.gridmap.page;
          window.shown = [];
          window.told = [];
          heat.on("loaded", () => window.shown.push(heat._params.since));
          slider.on("frame", ({ told, cases }) => window.told.push([told.from, cases]));
        }"""
    )
    page.route("**/heat.png*", slowly)
    page.get_by_label("速度").select_option("400")
    page.get_by_role("button", name="播放").click()
    until(page, "window.shown.length >= 5")
    page.get_by_role("button", name="暂停").click()
    shown, told = page.evaluate("[window.shown, window.told]")
    assert shown[:5] == [moment for moment, _ in told[:5]] == sorted(shown[:5])
    span = asked(page)
    told = page.evaluate("window.told")
    assert told[-1][0].startswith(span["since"][0]), "where it stopped is the filter"
    expect(page.locator("#status")).to_contain_text("未结", timeout=10_000)
    assert figure(page) == told[-1][1]
    moments = [parse_qs(urlsplit(url).query)["since"][0] for url in asked_for]
    assert all(moments.count(one) <= 2 for one in set(moments)), "nothing is fetched over and over"


def test_at_the_end_it_stops_and_nothing_plays_without_cases(page: Page) -> None:
    opened(page, "?since=2026-10-10&until=2026-10-20")
    page.get_by_label("速度").select_option("400")
    page.get_by_label("步长").select_option("30")
    page.get_by_role("button", name="播放").click()
    expect(page.get_by_role("button", name="播放")).to_be_visible(timeout=10_000)
    page.wait_for_url("**until=2026-10-31**")
    page.route(
        "**/cases/timeline*", lambda route: route.fulfill(json={"edges": [], "counts": [], "days": [], "total": 0})
    )
    page.get_by_label("治安").check()
    expect(page.locator(".ts-said")).to_have_text("这些条件下没有事件。")
    page.get_by_role("button", name="播放").click()
    expect(page.get_by_role("button", name="播放")).to_be_visible()
