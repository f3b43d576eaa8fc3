"""The map in a real browser: filters, list, card, search and address hold one state."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import until

pytestmark = pytest.mark.browser


def _ready(page: Page, address: str = "/map") -> None:
    page.goto(address)
    expect(page.locator("#list button").first).to_be_visible()
    until(page, "window.gridmap.page.grids._byId.size > 0")


def test_a_status_filter_reaches_list_map_and_address(page: Page) -> None:
    _ready(page)
    total = page.evaluate("window.gridmap.page.grids._byId.size")
    page.get_by_label(re.compile("超出标准")).check()
    until(page, f"window.gridmap.page.grids._byId.size < {total}")
    assert "status=over" in page.url
    shown = page.evaluate("[...window.gridmap.page.grids._byId.values()].map(l => l.feature.properties.status)")
    assert set(shown) == {"over"}
    expect(page.locator("#list-total")).to_have_text(f"{len(shown)} 个网格")


def test_a_grid_clicked_in_the_list_opens_its_card_and_survives_a_reload(page: Page) -> None:
    _ready(page)
    row = page.locator("#list button").nth(2)
    name = row.locator(".name").inner_text()
    row.click()
    expect(page.locator("#card h2")).to_contain_text(name)
    expect(page.locator("#card")).to_contain_text("标准")
    assert "grid=" in page.url
    page.reload()
    expect(page.locator("#card h2")).to_contain_text(name)


def test_a_grid_clicked_on_the_map_is_marked_in_the_list(page: Page) -> None:
    _ready(page)
    spot = page.evaluate(
        """() => {
          const { map, grids } = window.gridmap.page;
          const layer = [...grids._byId.values()].find(l => l._pxBounds.getSize().x > 60);
          const p = layer.feature.properties;
          const at = map.latLngToContainerPoint([p.label_lat, p.label_lon]);
          const box = map.getContainer().getBoundingClientRect();
          return { x: box.x + at.x, y: box.y + at.y, id: layer.feature.id, name: p.name };
        }"""
    )
    page.mouse.click(spot["x"], spot["y"])
    expect(page.locator("#card h2")).to_contain_text(spot["name"])


def test_search_is_a_combobox_for_the_keyboard(page: Page) -> None:
    _ready(page)
    name = page.locator("#list .name").first.inner_text()
    page.get_by_role("combobox", name=re.compile("查找")).fill(name[:4])
    expect(page.locator("#found [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_be_hidden()


def test_the_heat_layer_turns_the_grids_into_outlines(page: Page) -> None:
    _ready(page)
    with page.expect_response(lambda answer: "/heat.png" in answer.url) as answer:
        page.get_by_label("事件热力").check()
    assert int(answer.value.headers["x-cases"]) > 1000
    until(page, "[...window.gridmap.page.grids._byId.values()][0].options.fillOpacity < 0.1")


def test_nothing_large_is_inlined(page: Page) -> None:
    answer = page.goto("/map")
    assert answer is not None
    assert len(answer.body()) < 60_000
