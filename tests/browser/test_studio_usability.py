"""From sign-in to a submitted plan that mends the demo town's worst community, as a new user: at most 40 clicks.

Typing into a field counts as a click. docs/studio.md tells it click by click; the time is that of a script and is not
judged (the issue's three minutes are a person's).
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import PASSWORD, Server, watched
from tests.browser.test_studio import SLOW_MS, Studio

pytestmark = pytest.mark.browser


def test_mend_the_worst_community_and_submit_it(browser: Browser, demo_server: Server, signed_in: object) -> None:
    clicks = 0

    def click(target: Locator) -> None:
        nonlocal clicks
        target.click()
        clicks += 1

    with watched(browser, demo_server, viewport={"width": 1366, "height": 768}, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/")
        page.locator("input[name=login]").fill("admin")
        page.locator("input[type=password]").fill(PASSWORD)
        click(page.locator("main button.primary"))
        click(page.get_by_role("navigation", name="主导航").get_by_role("link", name="划分方案"))
        click(page.get_by_role("link", name="现行网格", exact=True))
        click(page.get_by_role("button", name="复制为草案并编辑"))
        page.wait_for_url("**/studio*")
        studio = Studio(page).ready()
        wrong = studio.js("const t = model.totals(); return t.under + t.over + t.pieces + t.empty;")
        click(page.get_by_role("tab", name="智能"))
        click(page.get_by_role("button", name="开始计算"))
        take = page.get_by_role("button", name="全部采用")
        expect(take).to_be_visible(timeout=60_000)
        click(take)
        studio.whole()
        sheet = page.locator("dialog.sheet")
        while clicks < 40:
            click(page.get_by_role("button", name="提交审批"))
            expect(sheet.get_by_role("button", name="继续修改")).to_be_visible(timeout=SLOW_MS)
            if sheet.locator("li .row-button").count() == 0:
                break
            click(sheet.locator("li .row-button").first)  # a grid without any unit: it goes
            click(page.locator("#active-card").get_by_role("button", name="删除"))
            click(page.locator("dialog.dialog").get_by_role("button", name="确定"))
            studio.whole()
        for reason in sheet.locator("textarea[id^=why]").all():
            reason.fill("单个小区超出上限且不宜拆分，已与街道确认")
            clicks += 1
        left = studio.js("const t = model.totals(); return t.under + t.over + t.pieces + t.empty;")
        click(sheet.get_by_role("button", name="提交审批"))
        page.wait_for_url("**/plans/*#workflow", timeout=SLOW_MS)
        expect(page.locator(".stepper [aria-current=step]")).to_contain_text("已提交")
        assert left < wrong
    assert clicks <= 40
