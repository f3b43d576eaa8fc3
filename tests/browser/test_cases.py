"""An official looks where cases concentrate: hot spots in words, on the map, and the places that only look like one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import Server, until, watched
from tests.browser.steps import PHONE, looked_at
from tests.browser.test_cases_time import asked, figure, opened
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
    expect(page.locator("#stacks-none")).to_have_text("没有这样的地点。")
    expect(page.locator("#stacks > li")).to_have_count(0)
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


def test_the_address_brings_everything_back(page: Page) -> None:
    opened(page)
    page.get_by_role("button", name="近一年").click()
    page.locator("#region").select_option(index=2)
    page.get_by_label("乱停车").check()
    page.get_by_label("带宽").select_option("500")
    page.get_by_role("button", name="发生率").click()
    page.get_by_role("button", name="平滑").click()
    expect(page.locator("#rank tr")).not_to_have_count(0)
    page.locator("#rank .row-button").first.click()
    expect(page.locator("#chosen")).to_be_visible()
    page.wait_for_timeout(800)
    page.evaluate("void window.gridmap.page.map.setZoom(15.5, { animate: false })")
    first = asked(page)
    assert {
        "days",
        "since",
        "until",
        "region",
        "category",
        "bandwidth",
        "map",
        "order",
        "grid",
        "lat",
        "lon",
        "zoom",
    } <= set(first)
    expect(page.locator("#status")).to_contain_text("未结")
    told = [page.locator(one).inner_text() for one in ("#status", "#chosen-name", "#rank", "#by-category")]
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#status b")).to_be_visible(timeout=15_000)
    expect(page.locator("#rank tr.chosen")).to_have_count(1, timeout=15_000)
    expect(page.get_by_role("button", name="近一年")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="发生率")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("乱停车")).to_be_checked()
    expect(page.locator("#by-category th")).to_have_text("乱停车")
    assert asked(page) == first
    assert [page.locator(one).inner_text() for one in ("#status", "#chosen-name", "#rank", "#by-category")] == told
    page.get_by_role("button", name="查看全部").click()
    expect(page.locator("#chosen")).to_be_hidden()
    assert "grid" not in asked(page)
    page.goto("/cases?days=x&since=2026-13-45&map=no&grid=-1&lat=x&compare=what&region=1&category=无")
    expect(page.locator("#status b")).to_have_text("50,000", timeout=15_000)


def test_a_chosen_grid_narrows_all_panels(page: Page) -> None:
    opened(page)
    expect(page.locator("#rank tr")).not_to_have_count(0)
    row = page.locator("#rank tr").first
    cases = int(row.locator(".number").nth(1).inner_text().replace(",", ""))
    row.get_by_role("button").click()
    expect(page.locator("#status b")).to_have_text(f"{cases:,}")
    expect(page.locator(".ts-said")).to_contain_text(f"{cases:,} 件")
    expect(page.locator("#spots li.chosen .mine")).to_be_visible(timeout=15_000)
    page.evaluate("void window.gridmap.page.map.setZoom(12, { animate: false })")
    page.locator("#chosen").get_by_role("button", name="在地图上看").click()
    until(page, "window.gridmap.page.map.getZoom() > 13")
    until(page, "window.gridmap.page.grids._selected === window.gridmap.page.state.grid")
    row.get_by_role("button").click()
    expect(page.locator("#status b")).to_have_text("50,000")


def test_grids_are_coloured_by_rate_and_count_with_words(page: Page) -> None:
    opened(page, "?since=2026-03-01&until=2026-05-31")
    legend = page.locator(".map-legend")
    for name, title, status in (("发生率", "件/千户·年", "v6"), ("件数", "网格事件数", "v0")):
        page.get_by_role("button", name=name, exact=True).first.click()
        expect(legend).to_contain_text(title)
        expect(legend.locator("li")).to_have_count(7)
        until(page, f"[...window.gridmap.page.grids._values.values()].some(one => one.status === '{status}')")
        rows = page.evaluate(
            "[...window.gridmap.page.grids._values.values()].map(one => [one.status, one.label[1], one.words])"
        )
        assert all(label and "件" in words for _, label, words in rows)
        assert page.evaluate("window.gridmap.page.map.hasLayer(window.gridmap.page.heat)") is False
    page.get_by_role("button", name="播放").click()  # the grids follow the window too
    until(page, "window.gridmap.page.slider._range[0] > 492")
    page.get_by_role("button", name="暂停").click()
    page.get_by_role("button", name="热力").click()
    expect(legend).to_contain_text("事件密度")
    assert breaches(page) == []


def test_two_periods_side_by_side(page: Page) -> None:
    opened(page)
    page.get_by_label("与之前同期比较").select_option("year")
    panel = page.locator("#compared")
    expect(panel).to_contain_text("每天件数之比", timeout=15_000)
    expect(panel.locator(".change").first).to_have_text(re.compile("明显增加|明显减少|无明显变化"))
    assert asked(page)["days"] == ["365"], "all of the time has no time before: the last year is taken"
    labels = page.locator(".map-label")
    expect(labels).to_have_count(2)
    expect(labels.first).to_contain_text("之前：")
    page.locator("#since").fill("2026-03-01")
    page.locator("#until").fill("2026-05-31")
    expect(labels.first).to_have_text("之前：2025-03-01 – 2025-05-31")
    expect(panel.locator(".stat").nth(1)).to_contain_text("2026-03-01")
    expect(panel.locator(".stat-value").nth(1)).to_have_text(page.locator("#status b").inner_text())
    assert breaches(page) == []
    looked_at(page, "cases-periods")
    panel.locator("table").last.locator(".row-button").first.click()
    expect(page.locator("#chosen")).to_be_visible()
    page.get_by_role("button", name="查看全部").click()
    page.get_by_label("与之前同期比较").select_option("own")
    expect(panel).to_contain_text("请选定用来比较的起止日期")
    page.get_by_label("比较自").fill("2025-01-01")
    page.get_by_label("比较至").fill("2025-01-31")
    expect(labels.first).to_have_text("之前：2025-01-01 – 2025-01-31")
    expect(panel.locator(".stat").first).to_contain_text("平均每天")
    page.get_by_label("与之前同期比较").select_option("")
    expect(panel).to_be_hidden()
    expect(labels).to_have_count(0)


def test_categories_side_by_side_move_as_one(page: Page) -> None:
    opened(page, "?since=2026-03-01&until=2026-05-31")
    page.get_by_role("button", name="类别并排").click()
    maps = page.locator("#multiples figure")
    expect(maps).to_have_count(6)
    first = page.locator("#by-category tr").first
    expect(maps.first).to_contain_text(first.locator("th").inner_text())
    expect(maps.first).to_contain_text(f"{first.locator('.number').first.inner_text()} 件")
    expect(maps.first.locator(".leaflet-image-layer")).to_have_count(1, timeout=15_000)
    page.get_by_label("治安").check()
    page.get_by_label("乱停车").check()
    expect(maps).to_have_count(2)
    assert breaches(page) == []
    page.get_by_role("button", name="类别并排").click()
    expect(maps).to_have_count(0)


def test_close_by_there_are_circles_and_single_cases(page: Page) -> None:
    opened(page, "?since=2026-05-01&until=2026-05-31&lat=30.1975&lon=120.0852&zoom=15.5")
    circle = page.locator(".cluster").first
    expect(circle).to_be_visible(timeout=15_000)
    page.locator(".cluster").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_be_visible()
    page.get_by_role("button", name="查看全部").click()
    page.evaluate("void window.gridmap.page.map.setZoom(17, { animate: false })")
    listed = page.locator("#near tbody tr")
    expect(listed).not_to_have_count(0, timeout=15_000)
    expect(page.locator(".cluster")).to_have_count(0)
    expect(page.locator("#near")).to_contain_text(re.compile(r"\d+ 件，新的在前"))
    assert breaches(page) == []
    refusal = {"code": "CASES_TOO_MANY", "message": "这里的事件超过 2000 件，不能逐件显示。", "details": {}}
    page.route("**/cases/points*", lambda route: route.fulfill(status=413, json=refusal))
    page.get_by_role("button", name="全部", exact=True).click()
    expect(page.locator("#near")).to_contain_text("超过 2000 件", timeout=15_000)
    page.unroute("**/cases/points*")
    page.route("**/cases/points*", lambda route: route.fulfill(status=403, json={**refusal, "code": "CASES_RAW"}))
    page.get_by_role("button", name="近一年").click()
    expect(page.locator("#near")).to_be_hidden(timeout=15_000)


def test_a_view_is_saved_opened_renamed_and_brought_back(page: Page) -> None:
    opened(page, "?days=30&category=治安&map=count")
    page.locator("#views summary").click()
    page.get_by_label("把现在看到的存为").fill("治安 近30天")
    page.locator("#view-form button").click()
    expect(page.locator("#view-note")).to_contain_text("已保存")
    assert breaches(page) == []
    page.locator("#view-form input").fill("治安 近30天")
    page.locator("#view-form button").click()
    expect(page.locator("#view-note")).to_contain_text("已有名为")
    page.get_by_role("button", name="改名 治安 近30天").click()
    page.get_by_label("新名字").fill("治安月报")
    page.get_by_label("新名字").press("Enter")
    expect(page.get_by_role("link", name="治安月报")).to_be_visible()
    page.goto("/cases")
    page.locator("#views summary").click()
    page.get_by_role("link", name="治安月报").click()
    expect(page.get_by_role("button", name="近30天", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=15_000
    )
    expect(page.get_by_label("治安", exact=True)).to_be_checked()
    page.locator("#views summary").click()
    page.get_by_role("button", name="删除 治安月报").click()
    expect(page.locator("#view-list")).to_contain_text("还没有保存的视图")
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("link", name="治安月报")).to_be_visible()
    page.get_by_role("button", name="删除 治安月报").click()


def test_the_wall_refreshes_itself_and_survives_a_lost_network(page: Page) -> None:
    context: BrowserContext = page.context
    page.clock.install()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto("/cases?days=365&wall=1")
    expect(page.locator("#wall-time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"), timeout=15_000)
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#spots li").first).to_be_visible(timeout=15_000)
    count = page.locator("#wall-count").inner_text()
    assert int(count.replace(",", "")) > 1000
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('#by-category td')).fontSize)") >= 24
    assert breaches(page) == []
    first = page.locator("#wall-time").inner_text()
    with page.expect_response("**/cases/sums*"):
        page.clock.run_for(61_000)
    expect(page.locator("#wall-time")).not_to_have_text(first)
    context.set_offline(True)
    page.clock.run_for(61_000)
    expect(page.locator("#wall-note")).to_contain_text("连接中断：显示的是")
    expect(page.locator("#wall-count")).to_have_text(count)
    context.set_offline(False)
    page.clock.run_for(11_000)
    expect(page.locator("#wall-note")).to_be_hidden()
    page.get_by_role("link", name="退出大屏").click()
    expect(page.locator("#filters")).to_be_visible()
    assert asked(page)["days"] == ["365"] and figure(page) > 0


def test_full_screen_and_a_failing_server(page: Page) -> None:
    opened(page)
    page.get_by_role("button", name="全屏").click()
    expect(page.locator("#map-side")).to_have_class(re.compile("full"))
    page.get_by_role("button", name="退出全屏").click()
    expect(page.locator("#map-side")).not_to_have_class(re.compile("full"))
    gone = {"code": "DATABASE_GONE", "message": "数据库没有回应。", "details": {}}
    page.route("**/cases/sums*", lambda route: route.fulfill(status=409, json=gone))
    page.get_by_role("button", name="近一年").click()
    expect(page.locator("#sums [role=alert]")).to_contain_text("数据库没有回应")
    page.unroute("**/cases/sums*")
    page.locator("#sums [role=alert]").get_by_role("button", name="重试").click()
    expect(page.locator("#sums [role=alert]")).to_have_count(0)
    page.route("**/cases/sums*", lambda route: (page.wait_for_timeout(600), route.continue_()))
    page.locator("#since").fill("2026-05-01")
    page.locator("#until").fill("2026-04-01")
    expect(page.locator("#status")).to_contain_text("开始日期晚于结束日期")
    page.wait_for_timeout(1500)  # the answer to the first of the two changes comes no more
    expect(page.locator("#status")).to_contain_text("开始日期晚于结束日期")
    page.unroute("**/cases/sums*")


def test_the_way_back_goes_through_what_was_chosen(page: Page) -> None:
    opened(page, "?since=2026-03-01&until=2026-05-31")
    first = figure(page)
    page.get_by_label("乱停车").check()
    expect(page.locator("#by-category tr")).to_have_count(1, timeout=15_000)
    page.wait_for_url("**category=**")
    fewer = figure(page)
    page.get_by_role("button", name="发生率").click()
    page.wait_for_url("**map=rate**")
    page.go_back()
    expect(page.get_by_role("button", name="热力")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("乱停车")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("乱停车")).not_to_be_checked()
    expect(page.locator("#status b")).to_have_text(f"{first:,}", timeout=15_000)
    page.go_forward()
    expect(page.locator("#status b")).to_have_text(f"{fewer:,}", timeout=15_000)
    # moving the map is no step of its own: one click on 'back' undoes a choice, whatever was looked at meanwhile
    steps = page.evaluate("history.length")
    page.evaluate("void window.gridmap.page.map.setZoom(15, { animate: false })")
    page.wait_for_url("**zoom=15**")
    assert page.evaluate("history.length") == steps


def test_days_without_data_are_told_and_no_preset_ends_in_them(page: Page) -> None:
    """The demo town's cases end on 2026-10-31, whatever day it is."""
    opened(page, "?days=30")
    expect(page.locator("#until")).to_have_value("2026-10-31")
    expect(page.locator("#since")).to_have_value("2026-10-02")
    expect(page.locator("#status")).to_contain_text("数据到 2026-10-31")
    expect(page.locator("#status .tone-warn")).to_have_count(0)
    page.get_by_label("与之前同期比较").select_option("before")
    expect(page.locator("#compared .stat")).to_have_count(3, timeout=15_000)
    expect(page.locator("#compared .notice")).to_have_count(0)
    page.locator("#until").fill("2026-11-09")
    expect(page.locator("#status .tone-warn")).to_have_text(
        ["2026-11-01 至 2026-11-09 的 9 天没有数据"], timeout=15_000
    )
    expect(page.locator("#compared .notice")).to_contain_text("下面的增减因此不可靠")
    page.locator("#since").fill("2024-10-30")
    page.locator("#until").fill("2024-11-10")
    expect(page.locator("#status .tone-warn")).to_have_text(
        ["2024-10-30 至 2024-10-31 的 2 天没有数据"], timeout=15_000
    )
    page.locator("#since").fill("2001-01-01")
    page.locator("#until").fill("2001-02-01")
    expect(page.locator(".ts-said")).to_have_text("所选时间不在有事件的时间之内。")


def test_rates_are_coloured_whoever_is_first_the_slider_or_the_page(page: Page) -> None:
    """Of all of the time only the slider knows the days, which it may have before the page's script runs."""

    def late(route: Route) -> None:
        page.wait_for_timeout(1500)
        route.continue_()

    page.route("**/js/cases/index.js", late)
    opened(page, "?map=rate")
    until(page, "[...window.gridmap.page.grids._values.values()].filter(one => one.status === 'v6').length > 3")
    page.unroute("**/js/cases/index.js")


def test_the_town_lies_beside_the_legend_and_nothing_hangs_below_the_page(page: Page) -> None:
    opened(page)
    until(page, "window.gridmap.page.grids._byId.size > 0")
    inside = page.evaluate(
        """() => {
          const { map, grids, legend } = window.gridmap.page;
          const right = one => map.latLngToContainerPoint(one.getBounds().getNorthEast()).x;
          const east = Math.max(...[...grids._byId.values()].map(right));
          return east + map.getContainer().getBoundingClientRect().left <= legend._box.getBoundingClientRect().left;
        }"""
    )
    assert inside
    foot = "document.querySelector('footer').getBoundingClientRect().bottom"
    below = page.evaluate(f"document.documentElement.scrollHeight - scrollY - {foot}")
    assert abs(below) < 3, "an invisible table made the page longer than it is"
