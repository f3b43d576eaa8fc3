"""Around the studio's map: the bar of the selection, a step of the log taken back, hint, legend, the phone's sheet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, watched
from tests.browser.steps import PHONE
from tests.browser.test_every_page import breaches
from tests.browser.test_studio import Studio

pytestmark = pytest.mark.browser


def test_a_selection_becomes_a_grid_and_the_log_takes_it_back(page: Page) -> None:
    studio = Studio(page).copy()
    expect(page.locator("#hint")).to_be_visible(timeout=15_000)  # once "copied" has been read
    grid = studio.grid()
    studio.choose(grid)
    unit, grids = studio.neighbour(grid), studio.js("return model.grids.size;")
    before = studio.js("return model.gridOf(it);", unit)
    bar = page.locator("#chosen")
    expect(bar).to_be_hidden()
    studio.tool("框选")
    page.mouse.click(*studio.at(unit))
    expect(bar).to_contain_text("已选 1 个单元")
    assert breaches(page) == []
    bar.get_by_role("button", name="新建网格").click()
    studio.whole()
    expect(bar).to_be_hidden()
    expect(page.locator("#hint")).to_be_hidden()
    assert studio.js("return model.grids.size;") == grids + 1
    page.mouse.click(*studio.at(unit))
    studio.choose(grid)
    bar.get_by_role("button", name="划入").click()
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == grid
    page.get_by_role("tab", name="日志").click()
    steps = page.locator(".log-rows > li")
    for left in (3, 4):  # the last step, then the one before it, in the same tab and without a reload
        expect(steps).to_have_count(left)
        steps.nth(2 * (left - 3)).get_by_role("button", name="撤销这一步").click()
        studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == before
    assert studio.js("return model.grids.size;") == grids
    page.reload()
    studio.ready()
    expect(page.locator("#hint")).to_be_hidden()


def test_remarks_on_a_grid_and_on_a_place_stand_on_the_map(page: Page) -> None:
    studio = Studio(page).copy()
    grid = studio.grid()
    studio.choose(grid)
    tab = page.get_by_role("tab", name="意见")
    tab.click()
    panel = page.locator("#panel-comments")
    pins = page.locator(".comment-pin")
    for about, text in (("grid", "这一格太小"), ("point", "这里有一道墙")):
        panel.get_by_label("意见针对").select_option(about)
        panel.get_by_label("您的意见").fill(text)
        panel.get_by_role("button", name="提交意见").click()
        expect(panel.locator(".comments > li").first).to_contain_text(text)
    expect(pins).to_have_count(2)
    expect(tab).to_have_text("意见 2")
    assert breaches(page) == []
    row = panel.locator(".comments > li", has_text="这一格太小")
    studio.js("model.setActive(null);")
    row.get_by_role("button", name=re.compile("^网格")).click()
    assert studio.js("return model.active;") == grid
    row.get_by_role("button", name=re.compile("标记为已解决")).click()
    expect(pins).to_have_count(1)
    expect(tab).to_have_text("意见 1")


def test_on_a_phone_everything_is_in_reach(browser: Browser, demo_server: Server, signed_in: Path) -> None:
    options: dict[str, Any] = {"viewport": PHONE, "storage_state": signed_in, "locale": "zh-CN", "has_touch": True}
    with watched(browser, demo_server, **options) as context:
        page = context.new_page()
        studio = Studio(page).copy()
        for name in ("撤销", "重做", "快捷键", "提交审批"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], name
        for tool in page.locator(".tool").all():
            box = tool.bounding_box()
            assert box is not None and box["x"] + box["width"] <= PHONE["width"] and box["height"] >= 44
        tall = studio.js("return stage.box.clientHeight;")
        page.get_by_role("button", name="展开或收起面板").tap()
        expect(page.locator("#panels")).to_be_hidden()
        stage = "window.gridmap.studio.stage"
        studio.comes(f"{stage}.map.getSize().y === {stage}.box.clientHeight && {stage}.box.clientHeight > {tall}")
        page.get_by_role("tab", name="总览").tap()
        expect(page.locator("#panel-plan")).to_be_visible()
        page.locator("#legend-box summary").tap()
        expect(page.locator("#colour")).to_be_visible()
        assert breaches(page) == []
