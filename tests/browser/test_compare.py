"""Two plans compared in Chromium: three modes with mouse, keyboard and touch, the table, both languages, a phone; and
comments on a plan's page."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gridmap.db import engine
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from tests.browser.conftest import Server, until, watched
from tests.browser.steps import PHONE, looked_at
from tests.browser.test_every_page import breaches
from tests.drafts import Draft, region_of_units

pytestmark = pytest.mark.browser

_CENTRES = (
    "window.gridmap.page.maps.map("
    "m => [m.getZoom(), m.getCenter().lat.toFixed(5), m.getCenter().lng.toFixed(5)].join())"
)
_MARKED = "window.gridmap.page.maps.every(m => Object.values(m._layers).some(l => l.options?.color === '#b3001b'))"
_GRIDS = "Boolean(window.gridmap.page.a._byId.size && window.gridmap.page.b._byId.size)"
#: The share of the map's width where the pane of plan B begins to be seen.
_CLIP = """() => {
  const map = window.gridmap.page.maps[0];
  const left = Number(/rect\\([^,]*, [^,]*, [^,]*, ([-\\d.]+)px\\)/.exec(map.getPane("plan-b").style.clip)[1]);
  return (left - map.containerPointToLayerPoint([0, 0]).x) / map.getSize().x;
}"""


@pytest.fixture(scope="module")
def draft(demo_server: Server) -> int:
    """A copy of the plan in force in which some units went elsewhere, and some nowhere."""
    engine.connect(demo_server.url)
    made = Draft(plans.copy_plan(SYSTEM, 1, name="调整草案"))
    dice, region, now = random.Random(4), region_of_units(), made.units()
    homes: dict[int, list[int]] = defaultdict(list)
    for id, row in made.grids().items():
        if row["kind"] == "basic" and row["units"]:
            homes[row["region_id"]].append(id)
    for unit in dice.sample(sorted(now), 12):
        made.move([unit], dice.choice([grid for grid in (*homes[region[unit]], None) if grid != now[unit]]))
    engine.disconnect()
    return made.id


def test_side_by_side_moves_as_one_and_marks_the_same_ground(page: Page, draft: int) -> None:
    page.goto(f"/plans/{draft}")
    page.get_by_role("link", name="与现行方案比较").click()
    expect(page.get_by_role("heading", name="比较方案", exact=True)).to_be_visible()
    assert f"a=1&b={draft}" in page.url
    until(page, _GRIDS)
    assert len(set(page.evaluate(_CENTRES))) == 1
    before = page.evaluate(_CENTRES)
    page.locator("#map_b").focus()
    page.keyboard.press("+")
    until(
        page,
        f"JSON.stringify({_CENTRES}) !== {str(before)!r}.replaceAll(\"'\", '\"') && new Set({_CENTRES}).size === 1",
    )
    page.wait_for_timeout(400)
    assert len(set(page.evaluate(_CENTRES))) == 1
    assert "at=" in page.url
    box = page.locator("#map_a").bounding_box()
    assert box is not None
    for share in (0.3, 0.4, 0.5, 0.6, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2, steps=3)
        page.wait_for_timeout(150)
        if page.evaluate(_MARKED):
            break
    assert page.evaluate(_MARKED)
    looked_at(page, "compare-side")


def test_the_divider_is_dragged_and_moved_by_keys(page: Page, draft: int) -> None:
    page.goto(f"/plans/compare?a=1&b={draft}&mode=swipe")
    until(page, _GRIDS)
    handle = page.get_by_role("slider", name=re.compile("分界线"))
    handle.focus()
    for key, now in (("ArrowRight", 52), ("PageUp", 62), ("ArrowLeft", 60), ("Home", 0), ("End", 100)):
        page.keyboard.press(key)
        expect(handle).to_have_attribute("aria-valuenow", str(now))
        assert page.evaluate(_CLIP) == pytest.approx(now / 100, abs=0.01)
    box = page.locator("#map_a").bounding_box()
    held = handle.bounding_box()
    assert box is not None
    assert held is not None
    page.mouse.move(held["x"] + held["width"] / 2, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 200, steps=4)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "30")
    assert page.evaluate(_CLIP) == pytest.approx(0.3, abs=0.01)
    assert "split=0.30" in page.url
    page.reload()
    expect(handle).to_have_attribute("aria-valuenow", "30")
    looked_at(page, "compare-swipe")


def test_differences_table_and_link_show_one_state(page: Page, draft: int) -> None:
    page.goto(f"/plans/compare?a=1&b={draft}&mode=difference")
    until(page, "window.gridmap.page.difference.getLayers().length > 0")
    kinds = page.evaluate(
        "window.gridmap.page.difference.getLayers()[0].getLayers().map(l => l.feature.properties.kind)"
    )
    assert set(kinds) <= {"moved", "assigned", "unassigned"}
    assert "moved" in kinds
    expect(page.locator(".map-legend")).to_contain_text("换了网格")
    _hovered(page)
    expect(page.locator(".grid-tip")).to_contain_text("→")
    rows = page.locator("#rows tr")
    expect(rows.first).to_contain_text("→")
    shown = rows.count()
    page.get_by_role("button", name="迁入 / 迁出").click()
    expect(page.locator("#rows tr").first).to_contain_text(re.compile(r"[+−]\d"))
    page.get_by_label("变化", exact=True).select_option("same")
    expect(rows.first).to_contain_text("不变")
    assert shown
    assert "change=same" in page.url
    link = page.get_by_role("navigation", name="看法").get_by_role("link", name="卷帘")
    assert "change=same" in (link.get_attribute("href") or "")
    page.reload()
    expect(rows.first).to_contain_text("不变")
    rows.first.get_by_role("button").click()
    until(page, "Object.values(window.gridmap.page.maps[0]._layers).some(l => l.options?.color === '#b3001b')")
    page.get_by_role("button", name="复制链接").click()
    expect(page.get_by_role("button", name="链接已复制")).to_be_visible()
    looked_at(page, "compare-difference")


def _hovered(page: Page) -> None:
    """The pointer on the label of the first area."""
    x, y = page.evaluate(
        """() => {
          const map = window.gridmap.page.maps[0];
          const [lng, lat] = window.gridmap.page.difference.getLayers()[0].getLayers()[0].feature.properties.label;
          const at = map.latLngToContainerPoint([lat, lng]);
          const box = map.getContainer().getBoundingClientRect();
          return [box.left + at.x, box.top + at.y];
        }"""
    )
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y, steps=3)


def test_without_plans_there_is_a_form_and_the_same_twice_is_said(page: Page) -> None:
    page.goto("/plans/compare")
    page.get_by_label("后：比较的方案").select_option("1")
    page.get_by_label("前：与谁比").select_option("1")
    page.get_by_role("button", name="比较").click()
    expect(page.get_by_role("alert")).to_contain_text("两个不同的方案")
    page.get_by_label("后：比较的方案").select_option("2")
    page.get_by_role("button", name="比较").click()
    expect(page.get_by_role("table", name="两个方案的汇总")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_in_both_languages(
    browser: Browser, demo_server: Server, signed_in: Path, draft: int, language: str
) -> None:
    options = {"viewport": PHONE, "storage_state": signed_in, "has_touch": True}
    with watched(browser, demo_server, **options) as context:
        context.add_cookies([{"name": "gridmap_locale", "value": language, "url": demo_server.base}])
        page = context.new_page()
        for mode in ("side", "swipe", "difference"):
            page.goto(f"/plans/compare?a=1&b={draft}&mode={mode}")
            expect(page.locator("#rows tr").first).to_contain_text("→")
            assert breaches(page) == [], mode
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), mode
            if mode == "side":
                tops = [page.locator(name).bounding_box() for name in ("#map_a", "#map_b")]
                assert tops[0] is not None
                assert tops[1] is not None
                assert tops[1]["y"] >= tops[0]["y"] + tops[0]["height"], "one under the other"
            if mode == "swipe":
                _swiped_by_touch(page)


def _swiped_by_touch(page: Page) -> None:
    handle = page.get_by_role("slider")
    handle.scroll_into_view_if_needed()
    box, held = page.locator("#map_a").bounding_box(), handle.bounding_box()
    assert box is not None
    assert held is not None
    session = page.context.new_cdp_session(page)
    y = held["y"] + held["height"] / 2
    for kind, x in (("touchStart", held["x"] + held["width"] / 2), ("touchMove", box["x"] + box["width"] * 0.6),
                    ("touchMove", box["x"] + box["width"] * 0.75), ("touchEnd", None)):  # fmt: skip
        points = [] if x is None else [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(handle).to_have_attribute("aria-valuenow", "75")


def test_a_comment_on_a_grid_and_one_on_a_place(page: Page, draft: int) -> None:
    page.goto(f"/plans/{draft}")
    page.locator("#grids button").first.click()
    text = page.get_by_label("您的意见")
    expect(page.locator(".comment-about")).to_contain_text("网格")
    text.fill("请打 13800138000")
    page.get_by_role("button", name="提交意见").click()
    expect(page.locator("#comments [role=alert]").first).to_contain_text("不保存居民个人信息")
    text.fill("这个网格太大了")
    page.get_by_role("button", name="提交意见").click()
    said = page.locator(".comments > li", has_text="太大了")
    expect(said).to_contain_text("网格 3399")
    said.get_by_role("button", name=re.compile("^回复")).click()
    said.get_by_label("回复", exact=True).fill("已拆成两个")
    said.locator("form").get_by_role("button", name="回复").click()
    expect(said.locator("ol li")).to_contain_text("已拆成两个")
    page.get_by_role("button", name="在地图上选一处").click()
    page.keyboard.press("Enter")
    text.fill("这里应以道路为界")
    page.get_by_role("button", name="提交意见").click()
    expect(page.locator(".comments > li").first).to_contain_text("地图上的位置")
    said.get_by_role("button", name=re.compile("^标记为已解决")).click()
    expect(said).to_have_count(0)
    page.get_by_label("含已解决").check()
    expect(said).to_contain_text("已解决")
    assert breaches(page) == []
    looked_at(page, "plan-comments")
