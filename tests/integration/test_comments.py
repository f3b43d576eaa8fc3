"""Comments on plans: who may say, answer, resolve and take back what; what is refused; what a lost grid leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.db.models import Grid, PlanComment
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services import comments, plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from tests.web import add_person, csrf_of, make_app, signed_in

HERE, ELSEWHERE = "339901001001", "339901001002"


@pytest.fixture(autouse=True)
def town(shared_demo_url: str) -> None:
    """The demo town; each test's comments go at its end."""


@pytest.fixture(autouse=True)
def clean(town: None) -> Iterator[None]:
    yield
    with transaction() as session:
        session.execute(sa.delete(PlanComment))


@pytest.fixture(scope="module")
def people(shared_demo_url: str) -> dict[str, int]:
    return {
        "planner": add_person("planner", "planner", "339901000000"),
        "viewer": add_person("viewer", "viewer", HERE),
        "other": add_person("other", "viewer", ELSEWHERE),
    }


def actor(people: dict[str, int], login: str) -> Actor:
    region = {"planner": "339901", "viewer": HERE, "other": ELSEWHERE}[login]
    return Actor(login, (Grant(Role.PLANNER if login == "planner" else Role.VIEWER, region),), people[login])


def grid_of(region: str) -> Grid:
    with transaction() as session:
        return session.scalars(sa.select(Grid).where(Grid.plan_id == 1, Grid.code.startswith(region)).limit(1)).one()


def said(who: Actor, **wanted: object) -> list[str]:
    return [one.text for one in comments.comments(who, 1, **wanted).items]  # type: ignore[arg-type]


def test_a_thread_from_question_to_answer_to_resolved(people: dict[str, int]) -> None:
    viewer, planner = actor(people, "viewer"), actor(people, "planner")
    grid = grid_of(HERE)
    asked = comments.write(viewer, 1, "  这个网格太大了\r\n\r\n\r\n\r\n请分成两个\x00 ", grid=grid.id)
    assert asked.text == "这个网格太大了\n\n请分成两个"
    assert (asked.grid_id, asked.grid_code, asked.author, asked.mine) == (grid.id, grid.code, "Viewer", True)
    answer = comments.write(planner, 1, "好的，已分", reply_to=asked.id)
    below = comments.write(viewer, 1, "谢谢", reply_to=answer.id)
    assert (answer.reply_to, below.reply_to) == (asked.id, asked.id), (
        "an answer to an answer stands under the same remark"
    )
    later = comments.write(planner, 1, "整个方案看起来不错")
    assert said(viewer) == [later.text, asked.text, answer.text, below.text]
    with pytest.raises(Forbidden) as refused:
        comments.settle(viewer, 1, later.id, resolved=True)
    assert refused.value.code == "COMMENT_RESOLVES"
    done = comments.settle(planner, 1, asked.id, resolved=True)
    assert (done.resolved_by, done.resolved_at is not None) == ("Planner", True)
    again = comments.settle(viewer, 1, answer.id, resolved=True)
    assert (again.id, again.resolved_at) == (asked.id, done.resolved_at), "of the remark above; twice changes nothing"
    assert said(viewer, open=True) == [later.text]
    found = comments.comments(viewer, 1, open=True)
    assert (found.total, found.open) == (1, 1)
    comments.settle(viewer, 1, asked.id, resolved=False)
    assert comments.comments(viewer, 1, open=True).open == 2


def test_only_author_and_administrator_delete_and_only_without_answers(people: dict[str, int]) -> None:
    viewer, planner = actor(people, "viewer"), actor(people, "planner")
    asked = comments.write(viewer, 1, "请看这里")
    answer = comments.write(planner, 1, "看过了", reply_to=asked.id)
    assert not next(one for one in comments.comments(viewer, 1).items if one.id == asked.id).may_delete
    with pytest.raises(Conflict) as refused:
        comments.delete(viewer, 1, asked.id)
    assert refused.value.code == "COMMENT_ANSWERED"
    with pytest.raises(Forbidden) as forbidden:
        comments.delete(viewer, 1, answer.id)
    assert forbidden.value.code == "COMMENT_NOT_YOURS"
    comments.delete(SYSTEM, 1, answer.id)
    comments.delete(viewer, 1, asked.id)
    assert said(viewer) == []


def test_what_lies_elsewhere_is_not_shown_and_not_answered(people: dict[str, int]) -> None:
    viewer, other = actor(people, "viewer"), actor(people, "other")
    here = comments.write(viewer, 1, "本社区的网格", grid=grid_of(HERE).id)
    assert said(other) == []
    with pytest.raises(NotFound):
        comments.write(other, 1, "看不到的", reply_to=here.id)
    with pytest.raises(Invalid) as refused:
        comments.write(viewer, 1, "别人的网格", grid=grid_of(ELSEWHERE).id)
    assert refused.value.code == "COMMENT_GRID"
    with transaction() as session:
        places = sa.text(
            "SELECT code, ST_X(p) AS lon, ST_Y(p) AS lat FROM (SELECT code, ST_PointOnSurface(geom) AS p FROM region) r"
        )
        at = {row.code: (row.lon, row.lat) for row in session.execute(places)}
    place = comments.write(viewer, 1, "这条路应为边界", point=at[HERE])
    assert place.point == pytest.approx(at[HERE])
    assert said(other) == []
    assert said(viewer) == [place.text, here.text]
    for outside in (at[ELSEWHERE], (0.0, 0.0)):
        with pytest.raises(Invalid) as refused:
            comments.write(viewer, 1, "远处", point=outside)
        assert refused.value.code == "COMMENT_PLACE"
    with pytest.raises(NotFound):
        comments.comments(Actor("nobody", (Grant(Role.VIEWER, "110101"),)), 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" \n\t ", "COMMENT_EMPTY"),
        ("字" * 2001, "COMMENT_TOO_LONG"),
        ("联系 13800138000", "COMMENT_PERSONAL"),
        ("电话１３８ ００１３ ８０００", "COMMENT_PERSONAL"),
        ("身份证 11010519491231002X", "COMMENT_PERSONAL"),
        ("身份证 110105 19491231 002X", "COMMENT_PERSONAL"),
    ],
)
def test_text_that_is_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        comments.write(SYSTEM, 1, text)
    assert refused.value.code == code


def test_codes_of_grids_and_numbers_of_cases_are_no_phones() -> None:
    for text in ("339901001001003 与 339901001001004 互换", "事件 SJ20250403000123", "共 13800 户，138 栋"):
        assert comments.write(SYSTEM, 1, text).text == text


def test_the_code_stays_when_the_grid_goes(people: dict[str, int]) -> None:
    draft = plans.copy_plan(SYSTEM, 1)
    with transaction() as session:
        grid = session.scalars(sa.select(Grid).where(Grid.plan_id == draft, Grid.code.startswith(HERE)).limit(1)).one()
    comments.write(SYSTEM, draft, "合并吧", grid=grid.id)
    with transaction() as session:
        session.execute(sa.text("UPDATE plan_unit SET grid_id = NULL WHERE grid_id = :grid"), {"grid": grid.id})
        session.execute(sa.delete(Grid).where(Grid.id == grid.id))
    here, other = (Actor("approver", (Grant(Role.APPROVER, region),)) for region in (HERE, ELSEWHERE))
    left = comments.comments(here, draft).items
    assert [(one.grid_id, one.grid_code) for one in left] == [(None, grid.code)]
    assert comments.comments(other, draft).items == ()
    with pytest.raises(NotFound):  # who only looks sees no draft, and nothing said about it
        comments.comments(actor(people, "viewer"), draft)
    plans.archive(SYSTEM, draft)
    with pytest.raises(Conflict):
        comments.write(SYSTEM, draft, "晚了")


@pytest.fixture
def app(people: dict[str, int], tmp_path: Path) -> Flask:
    return make_app(tmp_path)


def test_the_api(app: Flask) -> None:
    client = signed_in(app, "viewer")
    headers = {"X-CSRFToken": csrf_of(client, "/plans")}
    base = "/api/v1/plans/1/comments"
    grid = grid_of(HERE)
    made = client.post(base, json={"text": "太大", "grid": grid.id}, headers=headers)
    assert made.status_code == 201
    item = made.get_json()
    assert {"id", "text", "author", "at", "grid_id", "grid_code", "point", "reply_to"} <= item.keys()
    assert {"resolved_at", "resolved_by", "may_resolve", "may_delete"} <= item.keys()
    assert client.post(f"{base}/{item['id']}/resolve", headers=headers).get_json()["resolved_by"] == "Viewer"
    shown = client.get(f"{base}?open=1").get_json()
    assert (shown["items"], shown["total"], shown["open"]) == ([], 0, 0)
    assert client.post(f"{base}/{item['id']}/reopen", headers=headers).get_json()["resolved_at"] is None
    assert [one["id"] for one in client.get(f"{base}?grid={grid.id}").get_json()["items"]] == [item["id"]]
    assert client.delete(f"{base}/{item['id']}", headers=headers).status_code == 204
    assert client.delete(f"{base}/{item['id']}", headers=headers).status_code == 404
    refused = client.post(base, json={"text": "打 13800138000"}, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "COMMENT_PERSONAL")
    assert "居民个人信息" in refused.get_json()["message"]
    half = client.post(base, data=r'{"text": "\ud800好"}', content_type="application/json", headers=headers)
    assert (half.status_code, half.get_json()["code"]) == (422, "BODY_NOT_JSON"), "half a character"
