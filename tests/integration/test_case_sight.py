"""Who may see case figures as they are, and single cases: rights by role and region, refusals, the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent
from gridmap.errors import Forbidden, NotFound
from gridmap.services import cases, compare, heat, home, incidents
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.cases.sensitive_counts import sensitive_counts
from gridmap.settings import settings
from tests.cases import places
from tests.web import add_person, make_app, signed_in

COUNTY, NORTH, SOUTH = "339901", "339901001", "339901002"
BOX = (119.0, 29.0, 121.0, 31.0)
ROLES = ("viewer", "approver", "planner", "case_officer", "administrator")


def actor(*grants: tuple[Role, str]) -> Actor:
    return Actor("someone", tuple(Grant(role, prefix) for role, prefix in grants))


@pytest.mark.parametrize(
    ("who", "prefix", "small", "raw"),
    [
        (actor((Role.VIEWER, "")), "", False, False),
        (actor((Role.VIEWER, COUNTY)), NORTH, False, False),
        (actor((Role.APPROVER, "")), "", False, False),
        (actor((Role.PLANNER, "")), "", True, False),
        (actor((Role.PLANNER, NORTH)), "", True, False),  # all that they see at all
        (actor((Role.CASE_OFFICER, NORTH)), "", True, True),
        (actor((Role.ADMINISTRATOR, COUNTY)), SOUTH, True, True),
        (SYSTEM, "", True, True),
        # a part of what they see: exact there only, for the whole less the part would be the rest
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), "", False, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), NORTH, True, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), NORTH + "003", True, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), SOUTH, False, False),
        (actor((Role.PLANNER, NORTH), (Role.CASE_OFFICER, SOUTH)), "", True, False),
        (actor((Role.PLANNER, NORTH), (Role.CASE_OFFICER, SOUTH)), SOUTH, True, True),
        (actor((Role.PLANNER, NORTH)), SOUTH, True, False),  # nothing is seen there: the answer is nought
        (actor(), "", False, False),
    ],
)
def test_rights_reach_as_far_as_the_roles(who: Actor, prefix: str, small: bool, raw: bool) -> None:
    assert (who.sees_small(prefix), who.sees_raw(prefix)) == (small, raw)


@pytest.fixture(scope="module")
def app(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    for role in ROLES:
        add_person(role, role)
    return make_app(tmp_path_factory.mktemp("web"))


#: Every address that gives figures of cases, and who may have them.
EXACT = (
    "/api/v1/cases/sums",
    "/api/v1/plans/1/cases",
    "/api/v1/plans/1/hot-spots",
    "/api/v1/heat.png?bbox=119,29,121,31",
    "/api/v1/plans/compare/grids?a=1&b=2&order=cases",
)
RAW = ("/api/v1/cases",)


@pytest.mark.parametrize("role", ROLES)
def test_each_address_knows_who_may_have_it(app: Flask, role: str) -> None:
    client = signed_in(app, role)

    def told(path: str) -> Any:
        return client.get(path).json

    small, raw = role in ("planner", "case_officer", "administrator"), role in ("case_officer", "administrator")
    for path in EXACT:
        answer = client.get(path)
        if role == "viewer" and "b=2" in path:  # a draft
            assert answer.status_code == 404
            continue
        assert answer.status_code == (200 if small else 403), path
        if not small:
            assert told(path)["code"] == "CASES_SMALL_NUMBERS"
            assert "released" in told(path)["details"]["hint"]
    for path in RAW:
        answer = client.get(path)
        assert answer.status_code == (200 if raw else 403), path
        assert raw or told(path)["code"] == "CASES_RAW"
    spots = told("/api/v1/plans/1/hot-spots")
    assert not small or bool(spots["stacks"] or any(one["places"] for one in spots["items"])) == raw
    if role == "viewer":
        return
    rows = told("/api/v1/plans/compare/grids?a=1&b=2&change=changed&change=same")["items"]
    assert rows and all((one["cases"] is not None) == small for row in rows for one in (row["before"],) if one)
    sums = told("/api/v1/plans/compare?a=1&b=2")
    assert all((one is not None) == small for one in (sums["before"]["cases"], sums["since"], sums["until"]))


@pytest.mark.parametrize("role", ROLES)
def test_pages_leave_out_what_one_may_not_see_and_say_so(app: Flask, role: str) -> None:
    client = signed_in(app, role)
    small = role in ("planner", "case_officer", "administrator")
    assert ("事件热力" in client.get("/map").text) == small
    page = client.get("/cases").text
    assert ("还没有已发布的事件数" in page) == (not small)
    if role != "viewer":  # who only looks sees no draft
        compared = client.get("/plans/compare?a=1&b=2").text
        assert ("事件的精确数只给" in compared) == (not small)
        assert ('data-order="cases"' in compared) == small
    assert ("看已发布的事件数" in client.get("/").text) == (not small)


def test_a_part_is_exact_and_the_whole_is_not(shared_demo_url: str) -> None:
    part = actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH))
    inside = CaseFilter(region=NORTH + "000")
    assert cases.totals(part, inside)["total"] == cases.totals(SYSTEM, inside)["total"] > 0
    assert cases.by_grid(part, 1, inside)
    calls: tuple[Callable[[], object], ...] = (
        lambda: cases.totals(part),
        lambda: cases.categories(part),
        lambda: cases.totals(part, CaseFilter(region=SOUTH + "000")),
        lambda: cases.by_grid(part, 1),
        lambda: heat.bins(part, BOX, 8),
        lambda: heat.image(part, BOX, (64, 64)),
        lambda: incidents.hot_spots(part, 1, CaseFilter()),
    )
    for refused in calls:
        with pytest.raises(Forbidden) as caught:
            refused()
        assert caught.value.code == "CASES_SMALL_NUMBERS"
    calls = (lambda: cases.page(part, inside), lambda: cases.in_view(part, inside))
    for refused in calls:
        with pytest.raises(Forbidden) as caught:
            refused()
        assert caught.value.code == "CASES_RAW"
    assert home.overview(part).cases is None
    with pytest.raises(NotFound):  # a draft of which they see more than they plan in
        compare.compare(part, 1, 2)
    decider = actor((Role.APPROVER, COUNTY))
    assert compare.compare(decider, 1, 2).before.cases is None


def test_every_view_of_single_cases_is_in_the_audit(app: Flask) -> None:
    client = signed_in(app, "case_officer")

    def seen() -> list[AuditEvent]:
        with transaction() as session:
            chosen = sa.select(AuditEvent).where(AuditEvent.action == "cases.raw").order_by(AuditEvent.id)
            return list(session.scalars(chosen))

    before = len(seen())
    client.get(f"/api/v1/cases?region={NORTH}000&text=路&limit=20")
    client.get("/api/v1/plans/1/hot-spots")
    first, second = seen()[before:]  # one a request, however many rows
    assert (first.login, first.region_code, first.detail["view"], first.detail["limit"]) == (
        "case_officer", NORTH + "000", "list", 20)  # fmt: skip
    assert first.detail["filter"] == {"region": NORTH + "000", "text": "路"}
    assert (second.detail["view"], second.detail["plan"]) == ("places", 1)
    signed_in(app, "planner").get("/api/v1/cases")  # refused: nothing was seen
    signed_in(app, "planner").get("/api/v1/plans/1/hot-spots")
    assert len(seen()) == before + 2
    assert "查看事件明细" in signed_in(app, "administrator").get("/audit?action=cases.raw").text


def test_who_may_not_see_single_cases_cannot_close_in_on_one(shared_demo_url: str) -> None:
    """The count of a view is that of whole squares of half a kilometre, the narrowest bandwidth 100 m."""
    planner = actor((Role.PLANNER, ""))
    lon, lat = places()[0].tolist()
    tiny = (lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6)
    beside = (lon + 2e-6, lat + 2e-6, lon + 3e-6, lat + 3e-6)
    assert heat.image(SYSTEM, beside, (16, 16)).cases == 0 < heat.image(SYSTEM, tiny, (16, 16)).cases
    assert heat.image(planner, beside, (16, 16)).cases == heat.image(planner, tiny, (16, 16)).cases > 0
    narrow, least = (heat.image(planner, BOX, (64, 64), bandwidth_m=m).png for m in (20, 100))
    assert narrow == least


@pytest.fixture
def hidden(shared_demo_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A category that is sensitive while the test lasts."""
    name = cases.categories(SYSTEM)[0][0]
    monkeypatch.setenv("GRIDMAP_SENSITIVE_CATEGORIES", f"涉密一, {name}")
    settings.cache_clear()
    assert settings().sensitive_categories == ("涉密一", name)
    return name


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    yield
    settings.cache_clear()


@pytest.mark.parametrize("stored", [False, True])
def test_sensitive_categories_are_in_nothing(hidden: str, stored: bool) -> None:
    if stored:
        heat.run_build()
    with transaction() as session:
        rows = session.execute(sa.text("SELECT category, count(*) FROM case_record GROUP BY 1")).all()
    known = {str(row[0]): int(row[1]) for row in rows}
    rest = sum(known.values()) - known[hidden]
    totals = cases.totals(SYSTEM)
    assert totals["total"] == rest == sum(n for _, n in cases.categories(SYSTEM)) == cases.page(SYSTEM).total
    assert hidden not in dict(totals["categories"]) and sum(map(sum, totals["week"])) == rest
    assert heat.bins(SYSTEM, BOX, 8).total == len(places()) < sum(known.values())
    assert sum(row["cases"] for row in cases.by_grid(SYSTEM, 1)) <= rest
    only = CaseFilter(categories=(hidden,))
    assert cases.page(SYSTEM, only).total == cases.totals(SYSTEM, only)["total"] == len(places(only)) == 0
    assert sum(row["cases"] for row in cases.by_grid(SYSTEM, 1, only)) == 0
    assert heat.bins(SYSTEM, BOX, 8, categories=[hidden]).total == 0
    assert not incidents.hot_spots(SYSTEM, 1, only).spots
    with transaction() as session:
        inside = session.scalar(sa.text(
            "SELECT count(*) FROM case_record c JOIN plan_unit p ON p.unit_id = c.unit_id AND p.plan_id = 1"
            " WHERE c.category = :name AND p.grid_id IS NOT NULL"), {"name": hidden})  # fmt: skip
    counts = sensitive_counts(SYSTEM, 1)
    assert {one.category for one in counts} == {hidden} and sum(one.cases for one in counts) == inside
    north = sensitive_counts(actor((Role.CASE_OFFICER, NORTH)), 1)
    assert north and all((one.region_code or "").startswith(NORTH) for one in north) and len(north) < len(counts)
    for who in (
        actor((Role.PLANNER, "")),
        actor((Role.VIEWER, "")),
        actor((Role.VIEWER, ""), (Role.CASE_OFFICER, NORTH)),
    ):
        with pytest.raises(Forbidden):
            sensitive_counts(who, 1)
