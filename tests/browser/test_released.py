"""Somebody who only looks reads released figures: chooses, ranks, clicks, is told why numbers are missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from gridmap.db import engine
from tests.browser.conftest import Server, until, watched
from tests.web import PASSWORD, add_person

pytestmark = pytest.mark.browser


def test_reader_of_releases(browser: Browser, demo_server: Server) -> None:
    engine.connect(demo_server.url)
    add_person("release-reader", "viewer")
    engine.disconnect()
    with watched(browser, demo_server, viewport={"width": 1366, "height": 768}, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/sign-in")
        page.locator("input[name=login]").fill("release-reader")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main button.primary").click()
        page.wait_for_url("**/")
        page.goto("/cases")
        expect(page.locator("#rank tr").first).to_be_visible()
        page.get_by_role("link", name="为什么？").click()
        expect(page.locator("#why")).to_contain_text("用合计减去其他各格就能算出来")
        # a month: some grids have few cases, and others are withheld beside them
        page.get_by_label("时间").select_option("2026-08/2026-08")
        expect(page.locator("#status")).to_contain_text("个为“<5”")
        expect(page.locator("#rank")).to_contain_text("<5")
        # a category is released of the whole only: the time goes back to all
        page.get_by_label("类别").select_option(index=1)
        expect(page.get_by_label("时间")).to_have_value("2024-10/2026-09")
        page.get_by_label("类别").select_option("")
        # a grid: its months, categories, weekdays and hours
        expect(page.locator("#rank tr").first).to_be_visible()
        page.locator("#rank .row-button").first.click()
        expect(page.locator("#place")).to_contain_text("已发布")
        until(page, "document.querySelectorAll('#by-month tr').length === 24")
        assert "grid=" in page.url
        page.get_by_label("按", exact=True).select_option("community")
        expect(page.locator("#rank tr")).to_have_count(30)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # on the map the grids of a community have its colour, not a dash that would mean "withheld"
        until(page, "window.gridmap.page.grids._byId.size > 100")
        fills = page.evaluate(
            """() => {
              const of = {};
              for (const { feature, options } of window.gridmap.page.grids._byId.values())
                (of[feature.properties.code.slice(0, 12)] ??= new Set()).add(options.fillColor);
              return Object.values(of).map(one => one.size);
            }"""
        )
        assert len(fills) == 30 and set(fills) == {1}
        expect(page.locator("[data-sort=per_1000_households]")).to_be_hidden()
        page.go_back()
        expect(page.get_by_label("按", exact=True)).to_have_value("grid", timeout=15_000)
        expect(page.locator("[data-sort=per_1000_households]")).to_be_visible()
