"""A plan on its way through people's hands: submitted, returned, submitted again, approved, published, rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from gridmap.db import engine
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from tests.browser.conftest import Server, serving, watched
from tests.browser.steps import SLOW_MS, looked_at
from tests.browser.test_every_page import breaches
from tests.conftest import Databases, demo_template
from tests.drafts import redrawn
from tests.integration.test_workflow import community
from tests.web import PASSWORD, add_person

pytestmark = pytest.mark.browser
DESK = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def draft() -> dict[str, int]:
    return {}


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory, draft: dict[str, int]) -> Iterator[Server]:
    """The small demo town with a planner, an approver and a draft of one community that the engine has mended."""
    url = databases.create(demo_template(databases, 0.2))
    with serving(url, tmp_path_factory.mktemp("workflow")) as running:
        engine.connect(url)
        for login, role in (("planner", "planner"), ("approver", "approver"), ("looker", "viewer")):
            add_person(login, role)
        copied = plans.copy_plan(SYSTEM, 1, region_code=community())
        draft["id"] = redrawn(SYSTEM, copied, "社区新方案")
        engine.disconnect()
        yield running


@pytest.fixture(scope="module")
def person(browser: Browser, server: Server) -> Iterator[Callable[[str], Page]]:
    """The page of somebody signed in."""
    with ExitStack() as stack:

        def sign_in(login: str) -> Page:
            page = stack.enter_context(watched(browser, server, viewport=DESK, locale="zh-CN")).new_page()
            page.goto("/sign-in")
            page.locator("input[name=login]").fill(login)
            page.locator("input[type=password]").fill(PASSWORD)
            page.locator("main button.primary").click()
            page.wait_for_url("**/")
            return page

        yield sign_in


def _yes(page: Page) -> None:
    page.locator("dialog button[value=yes]").click()


def test_from_the_draft_to_the_map_everybody_sees(person: Callable[[str], Page], draft: dict[str, int]) -> None:
    planner, approver, looker = (person(login) for login in ("planner", "approver", "looker"))
    address = f"/plans/{draft['id']}"
    planner.goto(address)
    box = planner.locator("#workflow")
    expect(box.locator("[aria-current=step]")).to_contain_text("草案")
    assert breaches(planner) == []
    box.locator(".flow-submit > summary").click()
    box.get_by_role("button", name="确认提交").click()
    expect(planner.locator(".notice.error")).to_contain_text("没有写明理由")
    reasons = box.locator("textarea[name^=reason]")
    expect(reasons.first).to_be_visible()
    looked_at(planner, "workflow-draft")
    for reason in reasons.all():
        reason.fill("数据正在补采，不影响划分")
    box.get_by_role("button", name="确认提交").click()
    expect(planner.locator(".notice.success")).to_contain_text("已提交")
    expect(box.locator("[aria-current=step]")).to_contain_text("已提交")
    # the approver finds it on the first page and gives it back
    approver.goto("/")
    approver.get_by_role("link", name="社区新方案").click()
    desk = approver.locator("#workflow")
    expect(desk.locator(".flow-change")).to_contain_text("换网格的户数")
    looked_at(approver, "workflow-submitted")
    assert breaches(approver) == []
    desk.get_by_label("退回意见").fill("请说明医院旁的边界")
    desk.get_by_role("button", name="退回修改").click()
    expect(approver.locator(".notice.success")).to_contain_text("退回")
    # the planner sees it, and submits again
    planner.goto("/")
    expect(planner.get_by_text("请说明医院旁的边界")).to_be_visible()
    planner.goto(address)
    box.get_by_label("给审批人的话（可选）").fill("边界沿医院围墙")
    expect(reasons.first).to_have_value("数据正在补采，不影响划分")
    looked_at(planner, "workflow-returned")
    box.get_by_role("button", name="确认提交").click()
    expect(box.locator("[aria-current=step]")).to_contain_text("已提交")
    # approved and published
    approver.goto(address)
    desk.get_by_role("button", name="审批通过").click()
    _yes(approver)
    expect(desk.locator("[aria-current=step]")).to_contain_text("已审批")
    assert breaches(approver) == []
    looked_at(approver, "workflow-approved")
    desk.get_by_role("button", name="发布").click()
    _yes(approver)
    expect(approver.locator(".notice.success")).to_contain_text("已发布")
    expect(approver.locator("h1")).to_contain_text("现行网格")
    made = int(approver.url.split("/plans/")[1].split("#")[0].split("?")[0])
    assert made != draft["id"]
    expect(approver.locator("[data-job]")).to_have_count(
        0, timeout=SLOW_MS
    )  # the check reloads the page when it is done
    # everybody's map shows it, and the day before shows the old one
    looker.goto("/map")
    assert looker.evaluate("JSON.parse(document.getElementById('page-data').textContent).plan") == made
    looked_at(approver, "workflow-published")
    looker.locator("#date").fill("2026-03-01")
    looker.wait_for_url("**/map?date=2026-03-01*")
    expect(looker.locator("#plan")).to_have_value("1")
    expect(looker.locator("#list button").first).to_be_visible()
    looked_at(looker, "workflow-map-day")
    assert breaches(looker) == []
    looker.goto("/map?date=2001-01-01")
    expect(looker.locator("#map-note")).to_contain_text("2001-01-01 没有生效的方案")
    looker.goto("/plans/in-force?date=2026-03-01")
    assert looker.url.endswith("/plans/1")
    looker.goto(address)
    expect(looker.locator("#workflow").get_by_role("button")).to_have_count(0)
    # and back again
    approver.goto(f"/plans/{made}")
    desk.get_by_role("button", name="恢复上一版").click()
    _yes(approver)
    expect(approver.locator(".notice.success")).to_contain_text("已恢复")
