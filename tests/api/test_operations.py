"""Operations over HTTP, as a browser sends them and as docs/studio-operations.md shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gridmap.db.engine import transaction
from gridmap.db.models import User
from gridmap.services.accounts import load_actor
from gridmap.services.tokens import create_token
from tests.drafts import Draft, across, convex, copy_of_plan
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url")


class Api:
    """A planner's browser tab."""

    def __init__(self, folder: Path, plan_id: int) -> None:
        user_id = add_person("planner", "planner")
        with transaction() as session:
            actor = load_actor(session, User.id == user_id, address=None)
        assert actor is not None
        _, token = create_token(actor, "test")
        self.client = make_app(folder).test_client()
        self.headers = {"Authorization": f"Bearer {token}"}
        self.path, self.tab = f"/api/v1/plans/{plan_id}", str(uuid4())

    def send(self, base: int, *operations: dict[str, Any], path: str = "/operations", **more: Any) -> Any:
        body = {"base": base, "client": self.tab, **more}
        if operations:
            body["operations"] = [{"key": str(uuid4()), **one} for one in operations]
        return self.client.post(self.path + path, json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        return self.client.get(self.path + path, headers=self.headers)


@pytest.fixture(scope="module")
def draft(shared_demo_url: str) -> Draft:
    return copy_of_plan()


@pytest.fixture(scope="module")
def api(draft: Draft, tmp_path_factory: pytest.TempPathFactory) -> Api:
    return Api(tmp_path_factory.mktemp("web"), draft.id)


def test_a_day_in_the_studio(api: Api, draft: Draft) -> None:
    first, second, mine, _ = draft.neighbours()
    answer = api.send(1, {"tool": "paint", "moves": [{"to": second, "units": mine}]})
    assert answer.status_code == 200, answer.text
    saved = answer.json["saved"][0]
    assert saved["user"]["name"] == "Planner" and saved["may_undo"] and saved["sentence"].startswith("把 ")
    assert {grid["id"] for grid in answer.json["grids"]} == {first, second}
    refused = api.send(2, {"tool": "delete", "grids": [{"id": first, "gone": True}]}, {"tool": "undo", "undoes": 2})
    assert (refused.status_code, refused.json["code"]) == (409, "OPERATION_DEPENDED_ON")
    assert refused.json["details"]["versions"] == [3] and refused.json["details"]["version"] == 2
    assert refused.json["details"]["grids"] == [draft.grids()[first]["code"]]
    renamed = api.send(
        2, {"tool": "rename", "grids": [{"id": first, "name": "新名", "workers": None}], "why": "更好听"}
    )
    assert renamed.json["saved"][0]["why"] == "更好听"
    log = api.get("/operations?limit=2").json
    assert [one["version"] for one in log["items"]] == [3, 2] and log["total"] == 3
    assert api.get("/operations?before=3").json["items"][0]["version"] == 2
    assert api.get("/operations/verify").json == {"intact": True, "operations": 3, "broken_at": None}


def test_another_tab_is_told_in_full_what_changed(api: Api, draft: Draft) -> None:
    base = api.get("").json["version"]
    first, second, mine, theirs = draft.neighbours(1)
    other = draft.tab()
    other.base = base
    other.move(theirs[:1], None)
    told = api.send(base, {"tool": "paint", "moves": [{"to": second, "units": mine[:1]}]})
    assert (told.status_code, told.json["code"]) == (409, "PLAN_CHANGED")
    since = told.json["details"]["since"]
    assert [one["version"] for one in since] == [base + 1] and since[0]["moves"][0]["units"] == theirs[:1]
    body = {"client": api.tab, "since": base, "grid": first}
    pulse = api.client.post(api.path + "/pulse", json=body, headers=api.headers)
    assert [one["version"] for one in pulse.json["since"]] == [base + 1]
    assert pulse.json["present"] == [{"client": api.tab, "name": "Planner", "grid": first, "mine": True}]
    other.undo(base + 1)


def test_a_cut_answers_with_its_pieces(api: Api, draft: Draft) -> None:
    base = api.get("").json["version"]
    unit = convex([unit for unit, grid in draft.units().items() if grid is not None])
    answer = api.send(base, path="/cut", key=str(uuid4()), unit=unit, line=across(unit))
    assert answer.status_code == 200, answer.text
    cut = answer.json["cut"]
    assert cut["unit"] == unit and all(piece["geometry"]["type"] == "MultiPolygon" for piece in cut["pieces"])
    missed = api.send(base, path="/cut", key=str(uuid4()), unit=cut["pieces"][0]["id"], line=[[0, 0], [0, 1]])
    assert (missed.status_code, missed.json["code"]) == (422, "CUT_MISSES")


def test_what_is_no_operation_is_refused_with_its_place(api: Api) -> None:
    for body in (
        {"tool": "paint", "moves": [{"to": 1, "units": ["x"]}]},
        {"tool": "paint", "moves": [{"to": 1, "units": [-1]}]},
        {"tool": "paint", "nonsense": 1},
        {"tool": "paint", "grids": [{"id": 2**70}]},
    ):
        answer = api.send(1, body)
        assert (answer.status_code, answer.json["code"]) == (422, "REQUEST_INVALID"), answer.text
    assert api.send(1).status_code == 422


def test_a_page_of_the_map_asks_for_new_tiles_after_a_save(api: Api, draft: Draft) -> None:
    client = signed_in(api.client.application, "planner")
    before = client.get(f"/plans/{draft.id}").text
    _, _, mine, _ = draft.neighbours(1)
    base = api.get("").json["version"]
    assert api.send(base, {"tool": "erase", "moves": [{"to": None, "units": mine[:1]}]}).status_code == 200
    after = client.get(f"/plans/{draft.id}").text
    tiles = [text.partition(f"/tiles/plans/{draft.id}/")[2].partition("/")[0] for text in (before, after)]
    assert tiles[0] and int(tiles[1]) == int(tiles[0]) + 1
