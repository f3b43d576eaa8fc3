"""Roles in a real browser: each account sees its own subtree on every page, export and tile, and can do what it may."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Server, serving, sign_in_first, until, watched
from tests.browser.steps import DESKTOP, looked_at
from tests.conftest import Databases, demo_template

pytestmark = pytest.mark.browser
COUNTY, NORTH, SOUTH = "339901000000", "339901001000", "339901002000"
MINE = NORTH[:9]


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The small demo town, served: accounts are made in it, so no other module shares it."""
    template = demo_template(databases, 0.2)
    with serving(databases.create(template), tmp_path_factory.mktemp("roles")) as running:
        yield running


@pytest.fixture(scope="module")
def fresh(browser: Browser, server: Server) -> Iterator[Callable[[], Page]]:
    """A new browser of somebody's own each time it is called."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            watched(browser, server, viewport=DESKTOP, locale="zh-CN", accept_downloads=True)
        ).new_page()


@pytest.fixture(scope="module")
def administrator(fresh: Callable[[], Page], server: Server) -> Page:
    page = fresh()
    sign_in_first(page, server)
    return page


@pytest.fixture(scope="module")
def invited(administrator: Page, fresh: Callable[[], Page]) -> Callable[[str, str], Page]:
    """Have the administrator add an account with a role on a region; its owner opens the link and sets a password."""

    def invite(role: str, region: str) -> Page:
        administrator.goto("/users")
        administrator.get_by_role("link", name="添加用户").first.click()
        administrator.get_by_label("账号", exact=True).fill(f"{role}.{region[:9]}")
        administrator.get_by_label("姓名或岗位").fill(f"{role} 用户")
        administrator.get_by_label("角色").first.select_option(role)
        administrator.get_by_label("区划").first.select_option(region)
        looked_at(administrator, f"users-new-{role}")
        administrator.locator("main button.primary").click()
        link = administrator.get_by_label("登录链接").input_value()
        looked_at(administrator, f"users-link-{role}")
        page = fresh()
        page.goto(link)
        for field in page.locator("input[type=password]").all():
            field.fill(PASSWORD)
        page.locator("main button.primary").click()
        page.wait_for_url("**/")
        return page

    return invite


@pytest.fixture(scope="module")
def planner(invited: Callable[[str, str], Page]) -> Page:
    return invited("planner", NORTH)


@pytest.fixture(scope="module")
def viewer(invited: Callable[[str, str], Page]) -> Page:
    return invited("viewer", NORTH)


@pytest.fixture(scope="module")
def approver(invited: Callable[[str, str], Page]) -> Page:
    return invited("approver", NORTH)


@pytest.fixture(params=["planner", "viewer", "approver"])
def anyone(request: pytest.FixtureRequest) -> Page:
    """Each of the three in turn; all hold their role on the northern subdistrict alone."""
    page: Page = request.getfixturevalue(request.param)
    return page


def get(page: Page, path: str) -> object:
    return page.request.get(path).json()


def status(page: Page, path: str) -> int:
    """What a form posted to ``path`` is answered with, sent with the page's own token."""
    answer: int = page.evaluate(
        """async (path) => {
          const token = document.querySelector('meta[name="csrf-token"]').content;
          const headers = { "X-CSRFToken": token, Accept: "application/json" };
          return (await fetch(path, { method: "POST", redirect: "manual", headers })).status;
        }""",
        path,
    )
    return answer


@pytest.fixture(scope="module")
def plan(administrator: Page) -> int:
    """The plan of the whole county."""
    plans = get(administrator, "/api/v1/plans")["items"]  # type: ignore[index]
    return next(int(one["id"]) for one in plans if one["region_code"] == COUNTY)


@pytest.fixture(scope="module")
def foreign(administrator: Page, plan: int) -> set[str]:
    """Names and codes of the southern subdistrict's communities and grids."""
    grids = get(administrator, f"/api/v1/plans/{plan}/grids?limit=500")["items"]  # type: ignore[index]
    words = {
        one[key] for one in grids if not one["region_code"].startswith(MINE) for key in ("code", "name", "region_name")
    }
    assert len(words) > 5
    return words | {"城南街道", SOUTH}


def test_pages_show_nothing_of_other_subdistricts(anyone: Page, plan: int, foreign: set[str]) -> None:
    for path in ("/", "/regions", f"/regions/{NORTH}", "/plans", f"/plans/{plan}", "/map", "/cases", "/imports"):
        answer = anyone.goto(path)
        assert answer is not None and answer.ok, path
        expect(anyone.locator("h1").first).to_be_attached()
        anyone.wait_for_load_state("networkidle")
        text = anyone.locator("body").text_content() or ""
        assert [word for word in foreign if word in text] == [], path


def test_lists_search_features_tiles_and_exports_hold_the_own_subtree(
    anyone: Page, administrator: Page, plan: int, foreign: set[str]
) -> None:
    grids = get(anyone, f"/api/v1/plans/{plan}/grids?limit=500")["items"]  # type: ignore[index]
    assert grids
    assert all(one["region_code"].startswith(MINE) for one in grids)
    for path in (
        f"/api/v1/plans/{plan}/grids.geojson",
        f"/api/v1/plans/{plan}/findings?limit=500",
        f"/api/v1/plans/{plan}/misfits?limit=500",
        *([f"/api/v1/plans/{plan}/cases?limit=500"] if plans_here(anyone) else []),
        f"/api/v1/plans/{plan}/exports/geojson",
        f"/api/v1/plans/{plan}/exports/csv",
        f"/api/v1/plans/{plan}/exports/units-csv",
        "/api/v1/regions",
    ):
        everything, own = (page.request.get(path) for page in (administrator, anyone))
        assert everything.ok and own.ok, path
        assert [word for word in foreign if word in own.text()] == [], path
        assert len(own.body()) < len(everything.body()), path
    for word in sorted(foreign)[:6]:
        assert get(anyone, f"/api/v1/search?text={word}")["items"] == []  # type: ignore[index]


def test_tiles_of_other_subdistricts_are_empty(anyone: Page, administrator: Page, plan: int, foreign: set[str]) -> None:
    administrator.goto(f"/map?plan={plan}")
    until(administrator, "window.gridmap.page.grids._byId.size > 0")
    z = 14
    x, y = administrator.evaluate(
        """(z) => {
          const { map } = window.gridmap.page;
          const tile = map.project(map.getCenter(), z).divideBy(256).floor();
          return [tile.x, tile.y];
        }""",
        z,
    )
    seen = False
    for layer in (f"plans/{plan}", "regions"):
        for dx in (-1, 0, 1):
            path = f"/api/v1/tiles/{layer}/1/{z}/{x + dx}/{y}.mvt"
            everything, own = (page.request.get(path).body() for page in (administrator, anyone))
            seen = seen or any(word.encode() in everything for word in foreign)
            assert [word for word in foreign if word.encode() in own] == [], path
    assert seen


def plans_here(page: Page) -> bool:
    """Whether somebody may see exact figures of cases: a planner; viewers and approvers see releases."""
    return any(grant["role"] == "planner" for grant in get(page, "/api/v1/session")["grants"])  # type: ignore[index]


def test_heat_and_sums_count_the_own_cases(anyone: Page, administrator: Page) -> None:
    if not plans_here(anyone):
        for path in ("/api/v1/cases/sums", "/api/v1/heat.png?bbox=119,29,121,31"):
            assert anyone.request.get(path).status == 403, path
        return
    own, everything = (get(page, "/api/v1/cases/sums")["total"] for page in (anyone, administrator))  # type: ignore[index]
    assert 0 < own < everything


def test_what_lies_elsewhere_is_not_there(anyone: Page) -> None:
    for path in (f"/regions/{SOUTH}", f"/regions/{SOUTH[:9]}001"):
        answer = anyone.goto(path)
        assert answer is not None and answer.status == 404, path
    for path, code in (("/users", 403), ("/audit", 403)):
        answer = anyone.goto(path)
        assert answer is not None and answer.status == code, path


def test_a_planner_works_on_the_own_subdistrict_and_nowhere_else(planner: Page, plan: int) -> None:
    planner.goto(f"/regions/{NORTH}")
    expect(planner.get_by_role("button", name=re.compile("划分单元"))).to_be_visible()
    looked_at(planner, "planner-region")
    planner.goto(f"/plans/{plan}")
    expect(planner.get_by_role("button", name="立即核查")).to_have_count(0)
    looked_at(planner, "planner-plan")
    assert status(planner, f"/plans/{plan}/check") == 404  # the county's plan is not his to change
    assert status(planner, f"/regions/{SOUTH}/units") == 404
    assert status(planner, f"/plans/{plan}/delete") == 404
    planner.goto("/imports")
    expect(planner.get_by_role("button", name="上传", exact=True)).to_be_visible()
    planner.goto("/plans")
    planner.get_by_role("radio", name="空方案").check()
    planner.get_by_label("名称", exact=True).fill("城北草案")
    expect(planner.locator("#region option")).to_have_count(3)
    planner.get_by_role("button", name="建立").click()
    expect(planner.get_by_role("heading", name="城北草案")).to_be_visible()
    planner.get_by_role("button", name="立即核查").click()
    expect(planner.get_by_text("核查完成")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_only_looks_is_offered_nothing_else(request: pytest.FixtureRequest, role: str, plan: int) -> None:
    page: Page = request.getfixturevalue(role)
    page.goto(f"/regions/{NORTH}")
    expect(page.get_by_role("button", name=re.compile("划分单元"))).to_have_count(0)
    page.goto(f"/plans/{plan}")
    expect(page.get_by_role("button", name="立即核查")).to_have_count(0)
    looked_at(page, f"{role}-plan")
    page.goto("/plans")
    expect(page.get_by_role("button", name="建立")).to_have_count(0)
    page.goto("/imports")
    expect(page.get_by_role("button", name="上传", exact=True)).to_have_count(0)
    looked_at(page, f"{role}-imports")
    assert status(page, f"/regions/{NORTH}/units") == 403
    for path in (f"/plans/{plan}/check", f"/plans/{plan}/delete", f"/plans/{plan}/archive"):
        assert status(page, path) == 404, path  # the county's plan, of which they see their part
    assert status(page, "/imports") == 403
    assert status(page, "/users/new") == 403
