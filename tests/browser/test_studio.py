"""The studio in real Chromium: every tool with mouse, keyboard and touch; undo over reload; a lost line; two people.

After each journey the plan in the browser, the plan on the server and a recount from nothing must agree.
"""

# ruff: noqa: E501 - JavaScript in strings

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from tests.browser.conftest import Server, until, watched
from tests.browser.test_every_page import breaches

pytestmark = pytest.mark.browser

DESK = {"width": 1366, "height": 768}
COMMUNITY = "339901001002"
SLOW_MS = 30_000
TABLET = {"width": 1180, "height": 820}


class Studio:
    """A studio page: where things are, and what the plan is."""

    def __init__(self, page: Page, *, finger: bool = False) -> None:
        self.page = page
        self.finger = page.context.new_cdp_session(page) if finger else None

    def open(self, path: str) -> Studio:
        self.page.goto(path)
        return self.ready()

    def ready(self) -> Studio:
        self.comes("Boolean(window.gridmap?.studio)")
        return self

    def copy(self, region: str = COMMUNITY) -> Studio:
        """A fresh draft of one community of the plan in force."""
        self.page.goto("/plans/1")
        self.page.locator("#copy-region").select_option(region)
        self.page.get_by_role("button", name="复制为草案并编辑").click()
        self.page.wait_for_url("**/studio*")
        return self.ready()

    def comes(self, condition: str) -> None:
        """Wait for a JavaScript expression, over reloads of the page."""
        for _ in range(150):
            with contextlib.suppress(Error):
                if self.page.evaluate(condition):
                    return
            self.page.wait_for_timeout(100)
        pytest.fail(f"never came true: {condition}")

    def js(self, code: str, argument: Any = None) -> Any:
        """Evaluate with the studio's parts in scope; ``argument`` is ``it``."""
        parts = "const {model, session, stage, layer, overlay, desk} = window.gridmap.studio;"
        return self.page.evaluate(f"async (it) => {{ {parts} {code} }}", argument)

    @property
    def version(self) -> int:
        return int(self.js("return model.version;"))

    def saved(self) -> None:
        """Wait until the server has everything."""
        until(
            self.page,
            "window.gridmap.studio.session.state === 'saved' && !window.gridmap.studio.session.pending.length",
        )

    def whole(self) -> None:
        """Browser, server and a recount from nothing agree; asked again where a change came while the server told."""
        self.saved()
        told = self.js(
            """
            let fresh, sent;
            do {
                while (session.pending.length) await new Promise((done) => setTimeout(done, 50));
                sent = model.version;
                fresh = await (await fetch(`/api/v1/plans/${model.plan.id}/studio`)).json();
            } while (session.pending.length || model.version !== sent);
            const mine = [...model.tally.slot].map((s) => (s < 0 ? null : model.gridAt(s).id));
            const theirs = fresh.assignment.map((k) => (k < 0 ? null : fresh.grids[k].id));
            const units = mine.map((id, u) => id === theirs[u]).filter((same) => !same).length;
            const grids = fresh.grids.filter((g) => !g.parent_id && model.grids.has(g.id) && (model.stats(g.id).households !== g.households || model.stats(g.id).units !== g.units)).map((g) => g.code);
            return {units, grids, count: [model.grids.size, fresh.grids.length], version: [model.version, fresh.plan.version]};
            """,
        )
        assert told["units"] == 0 and told["grids"] == [], told
        assert told["count"][0] == told["count"][1] and told["version"][0] == told["version"][1], told

    def at(self, unit: int) -> tuple[float, float]:
        """Where a unit's inner point is on the screen."""
        x, y = self.js("return stage.pixelOf(it);", unit)
        box = self.map.bounding_box()
        assert box is not None
        return box["x"] + x, box["y"] + y

    @property
    def map(self) -> Locator:
        return self.page.locator("#studio-map .leaflet-container")

    def grid(self, number: int = 0) -> int:
        """Id of one of the inhabited basic grids with at least two units, by code."""
        return int(
            self.js(
                """
                const fit = [...model.grids.values()].filter((g) => g.kind === "basic" && model.stats(g.id).units > 1);
                return fit.sort((a, b) => a.code.localeCompare(b.code))[it].id;
                """,
                number,
            )
        )

    def neighbour(self, grid: int) -> int:
        """A unit beside a grid that may come to it, of a grid that has more than one."""
        return int(
            self.js(
                """
                const {ground, tally} = model;
                for (const u of tally.members(model.slotOf(it))) {
                  for (let k = ground.first[u]; k < ground.first[u + 1]; k++) {
                    const v = ground.other[k];
                    const s = tally.slot[v];
                    if (s >= 0 && s !== model.slotOf(it) && tally.units[s] > 1 && model.allowed([v], it).length) return v;
                  }
                }
                """,
                grid,
            )
        )

    def choose(self, grid: int) -> None:
        self.js("model.setActive(it); desk.zoomTo(it);", grid)

    def tool(self, name: str) -> None:
        self.page.get_by_role("toolbar").get_by_role("button", name=name).click()

    def press(self, x: float, y: float) -> None:
        """Mouse or finger down."""
        if self.finger is None:
            self.page.mouse.move(x, y)
            self.page.mouse.down()
        else:
            self._touch("touchStart", (x, y))
        self.at_hand = (x, y)

    def pull(self, x: float, y: float, steps: int = 6) -> None:
        """On, in a straight line."""
        (x0, y0), self.at_hand = self.at_hand, (x, y)
        for k in range(1, steps + 1):
            point = (x0 + (x - x0) * k / steps, y0 + (y - y0) * k / steps)
            self.page.mouse.move(*point) if self.finger is None else self._touch("touchMove", point)

    def release(self) -> None:
        """Up again."""
        self.page.mouse.up() if self.finger is None else self._touch("touchEnd")

    def click(self, x: float, y: float) -> None:
        self.press(x, y)
        self.release()

    def drag(self, *points: tuple[float, float]) -> None:
        self.press(*points[0])
        for point in points[1:]:
            self.pull(*point)
        self.release()

    def _touch(self, kind: str, *points: tuple[float, float]) -> None:
        assert self.finger is not None
        given = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
        self.finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    def households(self, grid: int) -> int:
        return int(self.js("return model.stats(it).households;", grid))


@pytest.fixture
def studio(page: Page) -> Studio:
    return Studio(page).copy()


@pytest.fixture(params=["mouse", "finger"])
def drawn(request: pytest.FixtureRequest, browser: Browser, demo_server: Server, signed_in: Path) -> Iterator[Studio]:
    """A studio worked with the mouse on a desk, then with a finger on a tablet."""
    finger = request.param == "finger"
    options: dict[str, Any] = {"viewport": TABLET if finger else DESK, "has_touch": finger, "is_mobile": finger}
    with watched(browser, demo_server, storage_state=signed_in, locale="zh-CN", **options) as context:
        yield Studio(context.new_page(), finger=finger).copy()


def test_paint_undo_redo_over_reload_and_the_log(studio: Studio) -> None:
    page, grid = studio.page, studio.grid()
    studio.choose(grid)
    unit = studio.neighbour(grid)
    before = studio.js("return model.gridOf(it);", unit)
    studio.tool("涂绘")
    page.mouse.move(*studio.at(unit))
    expect(page.locator(".studio-card")).to_be_visible()
    assert studio.js("return overlay.preview.touched.length;") == 2
    page.mouse.down()
    page.mouse.up()
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == grid
    page.keyboard.press("Control+z")
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == before
    page.reload()
    studio.ready()
    expect(page.get_by_role("button", name="重做")).to_be_enabled()
    page.get_by_role("button", name="重做").click()
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == grid
    page.reload()
    studio.ready()
    page.get_by_role("button", name="撤销", exact=True).click()
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == before
    page.get_by_role("tab", name="日志").click()
    rows = page.locator(".log-rows > li")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("撤销")
    rows.nth(3).get_by_role("button", name="看当时的方案").click()
    expect(page.locator("#visit")).to_be_visible()
    assert studio.js("return [model.gridOf(it), model.mayEdit];", unit) == [grid, False]
    page.get_by_role("button", name="返回当前").click()
    assert studio.js("return [model.gridOf(it), model.mayEdit];", unit) == [before, True]
    assert breaches(page) == []


def test_every_drawing_tool_with_mouse_and_finger(drawn: Studio) -> None:
    studio, page = drawn, drawn.page
    # a border is pulled into the next grid
    edge = studio.js(
        """
        const {ground: g, tally} = model;
        for (let a = 0; a < g.arcs; a++) {
          const [l, r] = [g.arcLeft[a], g.arcRight[a]];
          if (l < 0 || r < 0 || tally.slot[l] < 0 || tally.slot[r] < 0 || tally.slot[l] === tally.slot[r]) continue;
          if (tally.units[tally.slot[r]] < 2) continue;
          const k = Math.floor((g.arcStart[a] + g.arcStart[a + 1] - 1) / 2);
          const [lon, lat] = g.lonLat((g.arcX[k] + g.arcX[k + 1]) / 2, (g.arcY[k] + g.arcY[k + 1]) / 2);
          const p = stage.map.latLngToContainerPoint([lat, lon]);
          const box = stage.box.getBoundingClientRect();
          return [p.x + box.left, p.y + box.top, r, model.gridOf(l)];
        }
        """
    )
    studio.tool("拖边界")
    if studio.finger is None:
        page.mouse.move(edge[0], edge[1])
        assert studio.js("return overlay.border.length > 0;")
    studio.drag((edge[0], edge[1]), studio.at(edge[2]))
    studio.whole()
    assert studio.js("return model.gridOf(it);", edge[2]) == edge[3]
    # Escape leaves everything as it was
    version = studio.version
    studio.press(*studio.at(edge[2]))
    studio.pull(edge[0], edge[1], steps=3)
    page.keyboard.press("Escape")
    studio.release()
    studio.whole()
    assert studio.version == version
    # a grid is split by a line, the smaller part is a new grid
    largest = studio.js(
        "return [...model.grids.values()].filter((g) => g.kind === 'basic').sort((a, b) => model.stats(b.id).units - model.stats(a.id).units)[0].id;"
    )
    studio.choose(largest)
    count = studio.js("return model.grids.size;")
    box = studio.js(
        """
        const b = layer.boxOf(it);
        const frame = stage.box.getBoundingClientRect();
        const at = (x, y) => { const [lon, lat] = model.ground.lonLat(x, y); const p = stage.map.latLngToContainerPoint([lat, lon]); return [p.x + frame.left, p.y + frame.top]; };
        return [at((b[0] + b[2]) / 2, b[1]), at((b[0] + b[2]) / 2, b[3])];
        """,
        largest,
    )
    studio.tool("拆分")
    studio.drag((box[0][0], box[0][1] - 3), (box[1][0], box[1][1] + 3))
    studio.whole()
    assert studio.js("return model.grids.size;") == count + 1
    # and merged again
    new = studio.js("return model.active;")
    studio.tool("合并")
    studio.click(*studio.at(studio.js("return model.tally.head[model.slotOf(it)];", largest)))
    studio.whole()
    assert studio.js("return [model.grids.size, model.grids.has(it)];", largest) == [count, False]
    assert studio.js("return model.active;") == new
    # lasso and rectangle select, Enter gives the selection to the active grid
    unit = studio.neighbour(new)
    x, y = studio.at(unit)
    studio.tool("框选")
    studio.drag((x - 3, y - 3), (x + 6, y + 6))
    assert studio.js("return [...model.selection];") == [unit]
    page.keyboard.press("Escape")
    studio.tool("套索")
    studio.drag((x - 6, y - 6), (x + 6, y - 6), (x + 6, y + 6), (x - 6, y + 6), (x - 6, y - 4))
    assert studio.js("return [...model.selection];") == [unit]
    page.keyboard.press("n")
    studio.whole()
    assert studio.js("return [model.gridOf(it), model.stats(model.active).units];", unit) == [
        studio.js("return model.active;"),
        1,
    ]
    # erase, and fill again by the machine
    studio.tool("擦除")
    studio.click(*studio.at(unit))
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) is None
    page.keyboard.press("h")
    page.get_by_role("button", name="全部分到相邻网格").click()
    page.locator("#assist-results").get_by_role("button", name="采用").click(timeout=SLOW_MS)
    studio.whole()
    assert studio.js("return model.totals().unassignedUnits;") == 0


def test_a_unit_is_cut_and_made_whole_again(drawn: Studio) -> None:
    studio, page = drawn, drawn.page
    unit = studio.js(
        "const g = model.ground; let best = 0; for (let u = 0; u < g.n; u++) if (g.buildings[u] > g.buildings[best]) best = u; return best;"
    )
    households, total = studio.js("return [model.ground.households[it], model.totals().households];", unit)
    n = studio.js("return model.ground.n;")
    ends = studio.js(
        """
        const g = model.ground;
        const frame = stage.box.getBoundingClientRect();
        const at = (y) => { const [lon, lat] = g.lonLat(g.x[it], y); const p = stage.map.latLngToContainerPoint([lat, lon]); return [p.x + frame.left, p.y + frame.top]; };
        const third = (g.box[4 * it + 3] - g.box[4 * it + 1]) / 6;
        return [at(g.y[it] - third), at(g.y[it] + third)];
        """,
        unit,
    )
    studio.tool("切单元")
    studio.drag(tuple(ends[0]), tuple(ends[1]))
    studio.comes(f"window.gridmap?.studio?.model.ground.n === {n + 1}")
    studio.whole()
    assert studio.js("return model.totals().households;") == total
    page.get_by_role("tab", name="日志").click()
    expect(page.locator(".log-rows > li").first).to_contain_text("切")
    page.keyboard.press("Control+z")
    studio.comes(f"window.gridmap?.studio?.model.ground.n === {n}")
    studio.whole()
    assert studio.js("return [Math.max(...model.ground.households), model.totals().households];")[1] == total
    assert households > 0


def test_the_keyboard_does_every_job(studio: Studio) -> None:
    page, grid = studio.page, studio.grid()
    studio.choose(grid)
    studio.map.focus()
    page.keyboard.press("p")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#voice")).to_contain_text("户")
    unit = studio.neighbour(grid)
    studio.js("stage.goTo(it);", unit)
    page.keyboard.press("Enter")
    studio.whole()
    assert studio.js("return model.gridOf(it);", unit) == grid
    # the border grows by a unit and is accepted
    page.keyboard.press("b")
    studio.js("stage.goTo(model.tally.head[model.slotOf(it)]);", grid)
    size = studio.js("return model.stats(it).units;", grid)
    page.keyboard.press("+")
    expect(page.locator("#voice")).to_contain_text("户")
    page.keyboard.press("Enter")
    studio.whole()
    assert studio.js("return model.stats(it).units;", grid) == size + 1
    # select with Shift and arrows, make a new grid of it
    page.keyboard.press("r")
    page.keyboard.press("Shift+ArrowDown")
    assert studio.js("return model.selection.size;") >= 1
    page.keyboard.press("n")
    studio.whole()
    # lock: nothing comes in or goes out any more
    page.keyboard.press("k")
    studio.whole()
    locked = studio.js("return model.active;")
    assert studio.js("return model.grids.get(it).locked;", locked)
    page.keyboard.press("e")
    studio.js("stage.goTo(model.tally.head[model.slotOf(it)]);", locked)
    version = studio.version
    page.keyboard.press("Enter")
    expect(page.locator("#map-note")).to_contain_text("已锁定")
    studio.whole()
    assert studio.version == version
    # the next problem, and the sheet of keys
    page.keyboard.press("f")
    expect(page.locator("#find-count")).to_contain_text("/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="快捷键")).to_be_visible()
    assert breaches(page) == []
    page.keyboard.press("Escape")


def test_a_grid_is_mended_and_ground_redrawn_in_part(studio: Studio) -> None:
    page = studio.page
    page.locator("#find-next").click()
    page.get_by_role("tab", name="智能").click()
    page.get_by_role("button", name="修补此网格").click()
    expect(page.locator("#panel-assist [role=status]").first).not_to_have_text("正在计算…", timeout=SLOW_MS)
    page.locator("#redraw-seconds").select_option("5")
    page.locator("#redraw-what").select_option("front")
    page.get_by_role("button", name="开始计算").click()
    expect(page.get_by_role("button", name="全部采用")).to_be_visible(timeout=60_000)
    assert studio.version == 1, "a preview changes nothing"
    assert breaches(page) == []
    within = studio.js("return model.totals().within;")
    part = page.get_by_text("只采用其中几处")
    if part.count():
        part.click()
        boxes = page.locator("[name=cluster]")
        for k in range(1, boxes.count()):
            boxes.nth(k).uncheck()
        page.get_by_role("button", name="采用勾选的").click()
    else:
        page.get_by_role("button", name="全部采用").click()
    studio.whole()
    assert studio.version == 2
    assert studio.js("return model.totals().within;") >= within
    page.keyboard.press("Control+z")
    studio.whole()
    assert studio.js("return model.totals().within;") == within


def test_a_lost_line_loses_nothing_and_nothing_counts_twice(studio: Studio) -> None:
    page, grid = studio.page, studio.grid()
    studio.choose(grid)
    studio.tool("涂绘")
    page.context.set_offline(True)
    moved = []
    for _ in range(2):
        unit = studio.neighbour(grid)
        moved.append(unit)
        page.mouse.move(*studio.at(unit))
        page.mouse.down()
        page.mouse.up()
    expect(page.locator("#save-state")).to_contain_text("未连接", timeout=10_000)
    assert studio.js("return session.pending.length;") == 2
    page.context.set_offline(False)
    studio.whole()
    assert studio.version == 3
    # the tab dies with an operation unsent: the next one that opens the plan sends it
    page.context.set_offline(True)
    unit = studio.neighbour(grid)
    page.mouse.move(*studio.at(unit))
    page.mouse.down()
    page.mouse.up()
    until(page, "window.gridmap.studio.session.pending.every((one) => one.entry)")
    address = page.url
    other = page.context.new_page()
    page.close(run_before_unload=False)
    other.context.set_offline(False)
    other.wait_for_timeout(9_000)  # until the dead tab counts as silent
    again = Studio(other).open(address)
    again.whole()
    assert again.version == 4
    assert again.js("return it.map((u) => model.gridOf(u));", [*moved, unit]) == [grid] * 3


@pytest.fixture
def pair(browser: Browser, demo_server: Server, signed_in: Path) -> Iterator[tuple[Studio, Studio, BrowserContext]]:
    """Two people's browsers on one plan."""
    options: dict[str, Any] = {"viewport": DESK, "storage_state": signed_in, "locale": "zh-CN"}
    with watched(browser, demo_server, **options) as one, watched(browser, demo_server, **options) as two:
        first = Studio(one.new_page()).copy("339901000000")
        second = Studio(two.new_page()).open(first.page.url)
        yield first, second, two


#: A unit that may come to a grid beside it, for two pairs of grids that have nothing in common.
_APART = """
const {ground: g, tally} = model;
const found = [];
const used = new Set();
for (let u = 0; u < g.n && found.length < 2; u++) {
  const from = tally.slot[u];
  if (from < 0 || tally.units[from] < 3 || used.has(from)) continue;
  for (let k = g.first[u]; k < g.first[u + 1]; k++) {
    const to = tally.slot[g.other[k]];
    if (to < 0 || to === from || used.has(to)) continue;
    const id = model.gridAt(to).id;
    if (!model.allowed([u], id).length) continue;
    found.push([u, id]);
    used.add(from).add(to);
    break;
  }
}
return found;
"""


def test_two_people_merge_where_they_do_not_meet_and_are_told_where_they_do(
    pair: tuple[Studio, Studio, BrowserContext],
) -> None:
    first, second, _ = pair
    expect(second.page.locator("#people span")).to_have_count(1, timeout=10_000)
    (mine, here), (theirs, there) = first.js(_APART)
    paint = "model.perform('paint', {moves: [{to: it[1], units: [it[0]]}]});"
    second.page.context.set_offline(True)  # the second one works on without hearing of it
    first.js(paint, [mine, here])
    first.whole()
    second.js(paint, [theirs, there])
    second.page.context.set_offline(False)
    second.whole()
    assert second.js("return it.map((u) => model.gridOf(u));", [mine, theirs]) == [here, there]
    until(first.page, "window.gridmap.studio.model.version === 3")
    assert first.js("return it.map((u) => model.gridOf(u));", [mine, theirs]) == [here, there]
    # now both take from the same grid
    second.page.context.set_offline(True)
    first.page.keyboard.press("Control+z")
    first.whole()
    second.js("model.perform('erase', {moves: [{to: null, units: [it]}]});", mine)
    second.page.context.set_offline(False)
    trouble = second.page.locator("#trouble")
    expect(trouble).to_be_visible(timeout=SLOW_MS)
    assert breaches(second.page) == []
    assert second.js("return model.gridOf(it);", mine) is not None, "it shows the plan as it is"
    told = trouble.inner_text()
    second.page.reload()
    second.ready()
    expect(trouble).to_be_visible()
    assert trouble.inner_text() == told, "what was not taken is kept until its maker has decided"
    trouble.get_by_role("button", name="在现状上再做一次").click()
    second.whole()
    assert second.js("return model.gridOf(it);", mine) is None
    expect(trouble).to_be_hidden()


def test_a_finger_paints_and_two_pan(browser: Browser, demo_server: Server, signed_in: Path) -> None:
    options: dict[str, Any] = {
        "viewport": {"width": 390, "height": 844}, "storage_state": signed_in, "locale": "zh-CN", "has_touch": True, "is_mobile": True,
    }  # fmt: skip
    with watched(browser, demo_server, **options) as context:
        studio = Studio(context.new_page(), finger=True).copy()
        page, grid = studio.page, studio.grid()
        studio.choose(grid)
        page.get_by_role("toolbar").get_by_role("button", name="涂绘").tap()
        unit = studio.neighbour(grid)
        page.touchscreen.tap(*studio.at(unit))
        studio.whole()
        assert studio.js("return model.gridOf(it);", unit) == grid
        x, y = studio.at(unit)
        before = studio.js("const c = stage.map.getCenter(); return [c.lat, c.lng, model.version];")
        touch = studio._touch
        touch("touchStart", (x, y))
        touch("touchStart", (x, y), (x - 60, y))
        for step in range(1, 7):
            touch("touchMove", (x + 12 * step, y + 8 * step), (x - 60 + 12 * step, y + 8 * step))
        touch("touchEnd")
        page.wait_for_timeout(400)
        after = studio.js("const c = stage.map.getCenter(); return [c.lat, c.lng, model.version];")
        assert after[:2] != before[:2], "two fingers move the map"
        assert after[2] == before[2], "and paint nothing"
        assert breaches(page) == []


def test_a_plan_in_force_is_only_looked_at(page: Page) -> None:
    studio = Studio(page).open("/plans/1/studio")
    expect(page.locator(".studio-banner.notice").first).to_contain_text("只能查看")
    expect(page.get_by_role("toolbar")).to_have_count(0)
    assert (
        studio.js(
            "try { model.perform('erase', {moves: [{to: null, units: [0]}]}); return 'done'; } catch (e) { return e.code; }"
        )
        == "STATE"
    )
    assert breaches(page) == []
