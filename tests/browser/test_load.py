"""A planner sees what a draft does to the grids' cases before submitting it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gridmap.db import engine
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from tests.browser.conftest import Server, until
from tests.browser.steps import downloaded, looked_at
from tests.browser.test_every_page import breaches
from tests.drafts import Draft

pytestmark = pytest.mark.browser

DRAWN = "window.gridmap?.page?.layers?.every((layer) => layer._byId.size > 0 && layer._values)"


@pytest.fixture(scope="module")
def draft(demo_server: Server) -> Iterator[int]:
    """A copy of the plan in force in which one unit went to its neighbour."""
    engine.connect(demo_server.url)
    made = Draft(plans.copy_plan(SYSTEM, 1, name="负荷草案"))
    _, second, mine, _ = made.neighbours()
    made.move(mine[:1], second)
    engine.disconnect()
    yield made.id
    engine.connect(demo_server.url)
    plans.delete(SYSTEM, made.id)
    engine.disconnect()


def test_from_the_draft_to_its_load(page: Page, draft: int, tmp_path: Path) -> None:
    page.goto(f"/plans/{draft}")
    page.get_by_role("link", name="看负荷").click()
    expect(page.get_by_role("heading", name="这个方案改变什么")).to_be_visible()
    expect(page.locator(".load-said")).to_contain_text("最忙的网格")
    until(page, DRAWN)
    centres = "window.gridmap.page.maps.map((map) => map.getCenter().toString())"
    page.evaluate("void window.gridmap.page.maps[0].panBy([80, 40], {animate: false})")
    assert len(set(page.evaluate(centres))) == 1
    row = page.locator("#rows tbody tr").first
    expect(row).to_contain_text("→")
    row.get_by_role("link").focus()
    widths = page.evaluate("window.gridmap.page.layers.map((layer) => layer._byId.get(layer._marked)?.options.weight)")
    assert widths == [4, 4]
    page.get_by_role("group", name="地图着色").get_by_role("button", name="每千户事件").click()
    expect(page.locator(".map-legend summary")).to_have_text("每千户事件（件）")
    assert breaches(page) == []
    looked_at(page, "load")
    page.get_by_label("上限（件/网格）").fill("20")
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".load-said")).to_contain_text("超过 20 件的网格")
    assert downloaded(page, "导出 XLSX", tmp_path).stat().st_size > 10_000
