"""Who works in one subtree learns nothing of another and changes nothing there, by whatever road.

The services and the routes are found by themselves: a new one is asked here without further ado, and fails until it
refuses, or until an argument it takes is named in ``ARGUMENTS``.
"""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

import gridmap.services
from gridmap.db.engine import Service, transaction
from gridmap.db.models import CheckResult, Grid, Job, Plan, Region, ReportFile
from gridmap.errors import Forbidden, NotFound
from gridmap.services import cases, comments, heat, home, imports, jobs, plans, regions, search
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.audit_log import AuditFilter
from gridmap.services.redraw import Wish
from gridmap.services.sheets import CaseView, CoverView, MapView
from gridmap.services.users import add_user
from tests.api.test_every_route import BODIES
from tests.cases import places
from tests.web import add_person, csrf_of, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url", "data_dir")

COUNTY, HERE, THERE = "339901000000", "339901001000", "339901002000"
#: Services that ask for nobody's role: they make out who is there, or are for whoever holds a secret.
OPEN = {"actor_of", "actor_of_token", "ensure_first_administrator", "link_login", "loaded", "redeem_link", "sign_in"}
#: Services that answer whoever is refused with nothing.
SILENT = {"active", "waiting"}
#: Endpoints for whoever may look at a plan: said of a plan of the whole county, what is said is the speaker's own.
SAID = {"api.write_comment"}
ARGUMENTS: dict[str, Any] = {
    "a_id": 1,
    "active": False,
    "asked": MapView(),
    "b_id": 1,
    "base": 1,
    "batch_id": 1,
    "client": UUID(int=1),
    "before": (),
    "bounds": (109.0, 24.0, 109.1, 24.1),
    "code": THERE,
    "comment": "",
    "cover": CoverView(),
    "comment_id": 1,
    "day": date(2026, 1, 1),
    "filename": "a.csv",
    "fmt": "csv",
    "grants": [("viewer", THERE)],
    "grid": None,
    "grid_id": 1,
    "grids": (),
    "ground": SimpleNamespace(scope_code=THERE, plan_id=1),
    "how": "keep",
    "job_id": 1,
    "key": UUID(int=2),
    "kind": "cases",
    "level": 8,
    "line": ((120.0, 30.0), (120.1, 30.1)),
    "locale": "zh",
    "month": date(2026, 1, 1),
    "path": Path("/nowhere"),
    "login": "someone",
    "name": "一个名字",
    "new": "four quiet horses",
    "old": "four quiet horses",
    "on": date(2026, 1, 1),
    "page": "cases",
    "operations": (),
    "password": "four quiet horses",
    "labels": None,
    "plan": (),
    "plan_id": 1,
    "provenance": {},
    "query": "",
    "reasons": {},
    "region_code": THERE,
    "report_id": 1,
    "resolved": True,
    "result_id": 1,
    "rows": (),
    "since": 1,
    "size": (64, 64),
    "stream": io.BytesIO(b"a,b\n1,2\n"),
    "subject": "plan:1",
    "task": SimpleNamespace(plan_id=1, version=1),
    "text": "街道",
    "token_id": 1,
    "unit": 1,
    "units": [],
    "user_id": 1,
    "valid_from": date(2026, 1, 1),
    "version": 1,
    "view_id": 1,
    "view": CaseView(),
    "wanted": AuditFilter(),
    "wish": Wish(),
    "x": 0,
    "y": 0,
    "z": 0,
}


def services() -> Iterator[tuple[str, Service[Any, Any]]]:
    for found in pkgutil.walk_packages(gridmap.services.__path__, "gridmap.services."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, Service) and value.__module__ == module.__name__ and name not in OPEN:
                yield f"{found.name.removeprefix('gridmap.services.')}.{name}", value


SERVICES = dict(services())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_refuses_who_has_no_role(name: str) -> None:
    service = SERVICES[name]
    parameters = list(inspect.signature(service.within).parameters.values())
    assert [one.name for one in parameters[:2]] == ["session", "actor"]
    given = {one.name: ARGUMENTS[one.name] for one in parameters[2:] if one.default is inspect.Parameter.empty}
    nobody = Actor("nobody", ())
    if name.rsplit(".", 1)[-1] in SILENT:
        assert not service(nobody, **given)
        return
    with pytest.raises((Forbidden, NotFound)):
        service(nobody, **given)


@pytest.fixture(scope="module")
def of_others(shared_demo_url: str) -> dict[str, Any]:
    """Ids of what lies in the other subdistrict, by the name of the argument."""
    plan_id = plans.create_empty(SYSTEM, "城南草案", THERE)
    job_id = jobs.ask_build(SYSTEM, THERE)
    user_id = add_user(SYSTEM, "stranger", "Stranger", [("planner", THERE)])
    with transaction() as session:
        there = sa.select(Region.id).where(Region.code.startswith(THERE[:9]))
        grid_id = session.scalar(sa.select(Grid.id).where(Grid.region_id.in_(there)).order_by(Grid.id))
        finding_id = session.scalar(sa.select(CheckResult.id).where(CheckResult.region_id.in_(there)))
        county_plan = session.scalar(sa.select(Grid.plan_id).where(Grid.id == grid_id))
        report = ReportFile(
            region_id=session.scalar(sa.select(Region.id).where(Region.code == THERE)),
            **{"month": date(2026, 1, 1), "locale": "zh", "file": "there.pdf", "bytes": 1, "summary": "城南草案"},
            scheduled=False,
        )
        session.add(report)
        batch_id = session.scalar(sa.select(Plan.import_batch_id).where(Plan.id == county_plan))
    assert grid_id and finding_id and batch_id and county_plan
    return {
        "plan_id": plan_id,
        "job_id": job_id,
        "user_id": user_id,
        "grid_id": grid_id,
        "finding_id": finding_id,
        "county_plan": county_plan,
        "batch_id": batch_id,
        "report_id": report.id,
        "comment_id": comments.write(SYSTEM, county_plan, "看这里", grid=grid_id).id,
        "code": THERE,
    }


@pytest.fixture(scope="module")
def app(of_others: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Flask:
    for login, role in (("looker", "viewer"), ("drawer", "planner"), ("chief", "administrator")):
        add_person(login, role, HERE)
    return make_app(tmp_path_factory.mktemp("web"))


def requests(app: Flask, ids: dict[str, Any], methods: set[str]) -> Iterator[tuple[str, str, str]]:
    """(method, path, endpoint) of every rule, with ``ids`` for the arguments of its path."""
    more = {"collection": "grids", "set_name": "WebMercatorQuad", "feature": str(ids["grid_id"]), "row": 0, "col": 0}
    more |= {"version": 1, "z": 0, "x": 0, "y": 0, "fmt": "units-csv", "name": "national", "token_id": 1, "view_id": 1}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in ("static", "auth.link"):
            continue
        built = rule.build({name: (ids | more)[name] for name in rule._converters})
        assert built is not None
        for method in sorted((rule.methods or set()) & methods):
            yield method, built[1], rule.endpoint


QUERIES = {
    "ogc.items_": "?limit=2000",
    "api.heat_image": "?bbox=100,20,120,30",
    "api.find": f"?text={THERE[:9]}",
    "api.list_cases": "?limit=500",
    "api.case_points": "?bbox=100,20,120,30",
    "api.compare_periods": "?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z"
    "&before_since=2025-01-01T00:00:00Z&before_until=2025-02-01T00:00:00Z",
    "api.list_grids": "?limit=500",
    "api.list_findings": "?limit=500",
    "api.list_misfits": "?limit=500",
}


@pytest.mark.parametrize("login", ["looker", "drawer", "chief"])
@pytest.mark.parametrize("plan", ["plan_id", "county_plan"])
def test_no_page_and_no_answer_names_what_lies_elsewhere(
    app: Flask, of_others: dict[str, Any], login: str, plan: str
) -> None:
    client = signed_in(app, login)
    with transaction() as session:
        names = session.scalars(sa.select(Region.name).where(Region.code.startswith(THERE[:9]))).all()
    marks = [THERE[:9].encode(), *(name.encode() for name in names), "城南草案".encode(), "看这里".encode()]
    for _, path, endpoint in requests(app, of_others | {"plan_id": of_others[plan]}, {"GET"}):
        answer = client.get(path + QUERIES.get(endpoint, ""))
        assert answer.status_code < 500, path
        found = [mark.decode() for mark in marks if mark in answer.data]
        refused = answer.status_code >= 400
        assert not found or (refused and found == [THERE[:9]]), (path, answer.status_code, found)


def test_every_export_holds_the_own_part_only(app: Flask, of_others: dict[str, Any]) -> None:
    client = signed_in(app, "drawer")  # who only looks sees no draft
    for fmt in ("gpkg", "geojson", "shp", "xlsx", "csv", "units-csv", "report-xlsx"):
        answer = client.get(f"/api/v1/plans/{of_others['county_plan']}/exports/{fmt}")
        assert answer.status_code == 200, fmt
        content = answer.data
        if content.startswith(b"PK"):
            archive = zipfile.ZipFile(io.BytesIO(content))
            content = b"".join(archive.read(name) for name in archive.namelist())
        assert HERE[:9].encode() in content, fmt
        assert THERE[:9].encode() not in content, fmt


@pytest.mark.parametrize("login", ["looker", "drawer", "chief"])
@pytest.mark.parametrize("plan", ["plan_id", "county_plan"])
def test_nothing_that_lies_elsewhere_is_changed(app: Flask, of_others: dict[str, Any], login: str, plan: str) -> None:
    own = {"language"}
    bodies: dict[str, dict[str, Any]] = BODIES | {
        "api.add_user": {"login": "new", "name": "New", "grants": [{"role": "viewer", "region": THERE}]},
    }
    client = signed_in(app, login)
    token = csrf_of(client, "/account")
    before = contents()
    for method, path, endpoint in requests(app, of_others | {"plan_id": of_others[plan]}, {"POST", "PUT", "DELETE"}):
        if endpoint.startswith("auth.") or endpoint in own or endpoint in ("api.create_token", "api.save_view"):
            continue
        answer = post(client, method, path, token, bodies.get(endpoint, {}))
        if endpoint in SAID and plan == "county_plan":
            assert answer.status_code == 201, path
        elif "<" in next(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint):
            assert answer.status_code in (403, 404), (path, answer.status_code, answer.text[:300])
        else:
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
    assert contents() == before


def post(client: FlaskClient, method: str, path: str, token: str, body: dict[str, Any]) -> Any:
    form = {"name": "x", "role": "viewer", "region": THERE, "on": "2030-01-01"}
    sent = {"json": body} if path.startswith("/api/") else {"data": form}
    return client.open(path, method=method, headers={"X-CSRFToken": token}, **sent)


def contents() -> dict[str, Any]:
    """How many there are of everything that is not a log, and the plans as they are."""
    tables = ("region", "building", "unit", "grid", "plan_unit", "case_record", "import_batch", "job", "app_user")
    with transaction() as session:
        counted = {name: session.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in tables}
        versions = session.execute(sa.select(Plan.id, Plan.name, Plan.state, Plan.version).order_by(Plan.id)).all()
        states = session.execute(sa.select(Job.id, Job.state).order_by(Job.id)).all()
        return counted | {"plans": versions, "jobs": states}


def test_sums_are_those_of_the_own_part(of_others: dict[str, Any]) -> None:
    """Counts that carry no name: the parts of all subdistricts add up to the whole, so none holds another's."""
    box, plan_id = (100.0, 20.0, 120.0, 30.0), of_others["county_plan"]
    with transaction() as session:
        codes = session.scalars(sa.select(Region.code).where(Region.level == "subdistrict")).all()
        homeless = session.scalar(sa.text("SELECT count(*) FROM case_record WHERE region_id IS NULL"))
        outside = session.scalar(sa.text("SELECT count(*) FROM grid WHERE region_id IS NULL"))
    assert (homeless, outside) == (0, 0)

    def sums(actor: Actor) -> dict[str, int]:
        plan, summed = plans.get(actor, plan_id), cases.totals(actor)
        return {
            "heat": heat.image(actor, box, (64, 64)).cases,
            "cases": summed["total"],
            "listed": cases.page(actor, limit=1).total,
            "points": len(places(actor=actor)),
            "in grids": sum(row["cases"] for row in cases.by_grid(actor, plan_id)),
            "grids": plan.grids,
            "households": plan.households,
            "unassigned": plan.unassigned_households,
            "misfits": plans.misfits(actor, plan_id)["total"],
            "buildings": home.overview(actor).data.buildings,
            "communities": sum(one.level == "community" for one in regions.tree(actor)),
            "units": sum(one.units for one in regions.tree(actor) if one.level == "community"),
            "hits": len(search.find(actor, "社区", plan_id=plan_id, limit=500)),
        }

    whole = sums(SYSTEM)
    parts = [sums(Actor("part", (Grant(Role.CASE_OFFICER, code[:9]),))) for code in codes]
    exact = set(whole) - {"in grids", "hits"}  # a grid may hold units of two subdistricts; the county itself is a hit
    assert {name: sum(part[name] for part in parts) for name in exact} == {name: whole[name] for name in exact}
    assert sum(part["in grids"] for part in parts) <= whole["in grids"]
    assert all(0 < part["cases"] < whole["cases"] for part in parts)


def test_drawn_grids_of_others_make_no_plan(of_others: dict[str, Any]) -> None:
    planner = Actor("drawer", (Grant(Role.PLANNER, HERE[:9]),))
    with pytest.raises(NotFound):
        plans.plan_from_source(planner, of_others["batch_id"], "借来的", region_code=HERE)
    for name, call in inspect.getmembers(imports, lambda value: isinstance(value, Service)):
        wanted = list(inspect.signature(call.within).parameters)
        if "batch_id" in wanted:
            with pytest.raises(NotFound):
                call(planner, of_others["batch_id"])
        else:
            assert name in ("latest", "receive", "standing")
    assert not imports.latest(planner)


@pytest.fixture(scope="module", autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Exports and uploads of the module in a folder of its own."""
    from gridmap.settings import settings

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("GRIDMAP_DATA_DIR", str(folder))
        settings.cache_clear()
        yield folder
    settings.cache_clear()
