"""Tiles: kept and made ahead they say what the database says, to nobody more than he may see, never what was."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Region
from gridmap.db.reader import read
from gridmap.services.accounts import load_actor
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.tiles import Tile, ahead, cache, make, state, tile
from gridmap.services.tiles.square import HALF_M
from gridmap.services.versions import raise_version, versions
from gridmap.sql import plain
from gridmap.web import tiles as short
from tests.vector_tile import area2, layers
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url", "own_cache")

COUNTY, HERE, THERE = "339901000000", "339901001", "339901002"
PLAN = 1


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "tiles")
    cache.forget()
    state.forget()
    yield tmp_path / "tiles"
    cache.forget()


def reader(*prefixes: str) -> Actor:
    return Actor("reader", tuple(Grant(Role.VIEWER, one) for one in prefixes))


def version() -> int:
    return state.state_of("grids", PLAN).version


def middle(z: int, region: str = "") -> tuple[int, int, int]:
    """The tile at the middle of the plan's grids in a region."""
    with transaction() as session:
        x, y = session.execute(
            sa.text(
                "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(ST_PointOnSurface(g.geom), 3857) AS p FROM grid g"
                " JOIN region r ON r.id = g.region_id WHERE plan_id = :p AND r.code LIKE :c ORDER BY g.id LIMIT 1) q"
            ),
            {"p": PLAN, "c": f"{region}%"},
        ).one()
    side = 2 * HALF_M / (1 << z)
    return z, int((x + HALF_M) / side), int((HALF_M - y) / side)


def grids(actor: Actor, at: tuple[int, int, int]) -> Tile:
    return tile(actor, "grids", PLAN, version(), *at)


def decoded(found: bytes, folder: Path, layer: str = "grids") -> dict[int, dict[str, Any]]:
    """The features of a tile by id, as GDAL reads them."""
    path = folder / "0.mvt"
    path.write_bytes(found)
    if not found:
        return {}
    frame = gpd.read_file(path, layer=layer)
    rows = frame.drop(columns="geometry").to_dict("records")
    return {int(row["id"]): {k: v for k, v in row.items() if k != "mvt_id"} for row in rows}


def touch(name: str) -> int:
    """Change a grid as a service does: the row and the counter; its id."""
    with transaction() as session:
        one = session.scalars(sa.select(Grid).where(Grid.plan_id == PLAN).order_by(Grid.id).limit(1)).one()
        one.name = name
        raise_version(session, "plans")
        return one.id


@pytest.mark.parametrize("z", [8, 11])
def test_made_ahead_and_live_tiles_say_the_same(z: int, tmp_path: Path) -> None:
    at = middle(z)
    live = grids(SYSTEM, at).content
    for path in cache.folder().glob("*/*"):
        path.unlink()
    cache.forget()
    assert ahead.render(PLAN) > 11
    made = grids(SYSTEM, at).content
    assert made != live and len(made) < len(live)
    known = decoded(live, tmp_path)
    assert len(known) > 20 and decoded(made, tmp_path) == known
    assert ahead.render(PLAN) == 0


@pytest.mark.parametrize(
    ("layer", "part", "z"),
    [*(("grids", "grids", z) for z in (12, 14, 17)), *(("ground", "buildings", z) for z in (14, 16, 18))],
)
def test_layers_made_here_are_those_of_postgis(layer: str, part: str, z: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same features with the same attributes; shapes differ by the rounding of where the window cuts them."""
    make.load()
    plan = PLAN if layer == "grids" else None
    z, x, y = middle(z)
    seen = 0
    for at in [(z, x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]:
        ours, counted = make.tile(layer, plan, ("",), at)
        with monkeypatch.context() as patch:
            patch.setattr(make, "ready", lambda: False)
            theirs, also = make.tile(layer, plan, ("",), at)
        assert counted == also
        here, there = (layers(one, only=part).get(part, []) for one in (ours, theirs))
        lines = [sorted(map(str, layers(one, only="barriers").get("barriers", []))) for one in (ours, theirs)]
        assert lines[0] == lines[1]
        tags = [Counter(str(one.tags) for one in each) for each in (here, there)]
        assert all(shapely.is_valid(one.shape()) and area2(one.rings[0]) > 0 for one in here)
        apart = sum(((tags[0] - tags[1]) + (tags[1] - tags[0])).values())
        assert apart <= (0 if layer == "grids" else len(there) // 100)  # a corner of a house may vanish or not
        shapes = [shapely.union_all([one.shape() for one in each]) for each in (here, there)]
        assert shapely.symmetric_difference(*shapes).area <= 0.2 * sum(one.shape().length for one in there)
        seen += len(here)
    assert seen > 20


def test_neighbours_keep_their_border() -> None:
    rows = read(plain("tiles", "whole_grids"), {"plan_id": PLAN})
    shapes = ahead.mercator(shapely.from_wkb([bytes(row[2]) for row in rows]))
    assert shapely.coverage_is_valid(shapes)
    for z in (8, 11):
        simple = ahead.simplified(shapes, z)
        assert shapely.coverage_is_valid(simple) and shapely.is_valid(simple).all()
        before, after = (shapely.get_num_coordinates(each).sum() for each in (shapes, simple))
        assert after < before
        assert not shapely.coverage_is_valid(shapely.simplify(shapes, 200.0))  # what the peers do
        areas = shapely.area(shapely.union_all(simple)), shapely.area(simple).sum()
        assert np.isclose(*areas, rtol=1e-9)


def test_web_mercator_is_that_of_postgis() -> None:
    [(here, there)] = read(
        "SELECT ST_AsBinary(p), ST_AsBinary(ST_Transform(p, 3857)) FROM (SELECT geom AS p FROM grid LIMIT 1) q", {}
    )
    ours, theirs = ahead.mercator(shapely.from_wkb([bytes(here)]))[0], shapely.from_wkb(bytes(there))
    assert shapely.equals_exact(ours, theirs, tolerance=1e-3)


def test_after_a_change_no_old_tile_is_shown(tmp_path: Path) -> None:
    at = middle(9)
    ahead.render(PLAN)
    changed = touch("新名")
    for z in (9, 14):
        at = middle(z)
        new = decoded(grids(SYSTEM, at).content, tmp_path)
        assert new[changed]["name"] == "新名"
    assert ahead.render(PLAN) > 0
    assert decoded(grids(SYSTEM, middle(9)).content, tmp_path)[changed]["name"] == "新名"
    touch("旧名")
    assert decoded(grids(SYSTEM, middle(9)).content, tmp_path)[changed]["name"] == "旧名"


def test_what_does_not_touch_a_plan_leaves_its_tiles() -> None:
    at = middle(12)
    before = grids(SYSTEM, at)
    with transaction() as session:
        raise_version(session, "plans", "cases")
    assert grids(SYSTEM, at).etag == before.etag


def test_an_import_of_buildings_makes_new_ground() -> None:
    at = middle(14)
    first = tile(SYSTEM, "ground", None, 0, *at)
    with transaction() as session:
        count = session.execute(sa.text("DELETE FROM building WHERE id % 2 = 0"))
        assert count.rowcount > 0
        raise_version(session, "buildings")
        now = versions(session)
    then = tile(SYSTEM, "ground", None, now["buildings"] + now["barriers"], *at)
    assert then.present and then.etag != first.etag and len(then.content) < len(first.content)


def test_a_publish_and_a_check_ask_for_small_scales() -> None:
    from gridmap.services import checks, plans, workflow
    from gridmap.services.days import today

    def waiting() -> int:
        with transaction() as session:
            return int(
                session.execute(
                    sa.text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'render_tiles'")
                ).scalar_one()
            )

    draft = plans.copy_plan(SYSTEM, PLAN)
    with transaction() as session:
        session.execute(sa.text("UPDATE plan SET state = 'approved' WHERE id = :p"), {"p": draft})
    before = waiting()
    published = workflow.publish(SYSTEM, draft, today() + timedelta(days=400))
    assert waiting() == before + 1
    checks.check(SYSTEM, published)
    assert waiting() == before + 2
    assert ahead.render_in_force() > 0 and ahead.render_in_force() == 0


def test_nobody_gets_what_was_kept_for_another(tmp_path: Path) -> None:
    add_person("here", "viewer", HERE + "000")
    with transaction() as session:
        from gridmap.db.models import User

        person = load_actor(session, User.login == "here", address=None)
        codes = dict(session.execute(sa.select(Grid.id, Region.code).join(Region, Region.id == Grid.region_id)).all())
    assert person is not None and person.prefixes(Role.VIEWER) == (HERE,)
    ahead.render(PLAN)
    for at in (middle(9), middle(12, HERE), middle(14, THERE)):
        everything = decoded(grids(SYSTEM, at).content, tmp_path)
        for actor, prefix in ((person, HERE), (reader(THERE), THERE), (person, HERE)):
            mine = decoded(grids(actor, at).content, tmp_path)
            assert mine == {one: row for one, row in everything.items() if codes[one].startswith(prefix)}
    assert len(everything) > 0
    houses = [len(tile(who, "ground", None, 0, *middle(14, HERE)).content) for who in (SYSTEM, reader(THERE))]
    assert houses[0] > houses[1]


def test_a_torn_file_is_made_anew(own_cache: Path) -> None:
    whole = grids(SYSTEM, middle(12)).content
    [path] = own_cache.glob("*/*.mvt")
    for torn in (b"", path.read_bytes()[:-3], b"x" + path.read_bytes()[1:]):
        path.write_bytes(torn)
        cache.forget()
        assert grids(SYSTEM, middle(12)).content == whole
        assert path.read_bytes()[8:] == whole


def test_the_folder_is_kept_small(own_cache: Path) -> None:
    for k in range(20):
        cache.keep(f"{k:040x}", bytes(1000))
        os.utime(own_cache / "00" / f"{k:038x}.mvt", (k, k))
    cache.sweep(5_500)
    assert sorted(int(path.stem, 16) for path in own_cache.glob("*/*.mvt")) == list(range(15, 20))


def test_the_short_way_answers_as_the_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short, "_known", {})
    monkeypatch.setattr(short, "TRUST_S", 60.0)
    if not _has("boss"):
        add_person("boss", "administrator")
    app = make_app(tmp_path)
    client: FlaskClient = signed_in(app, "boss")
    path = "/api/v1/tiles/plans/1/{}/{}/{}/{}.mvt"
    now = path.format(version(), *middle(13))
    whole, quick = client.get(now), client.get(now)
    assert whole.status_code == quick.status_code == 200 and whole.data == quick.data
    assert "X-Request-ID" in whole.headers and "X-Request-ID" not in quick.headers
    for name in ("ETag", "Cache-Control", "Content-Type", "X-Content-Type-Options"):
        assert whole.headers[name] == quick.headers[name]
    assert "immutable" in quick.headers["Cache-Control"]
    for again in (client, signed_in(app, "boss")):
        same = again.get(now, headers={"If-None-Match": quick.headers["ETag"]})
        assert same.status_code == 304 and same.data == b""
    assert "immutable" not in client.get(path.format(1, *middle(13))).headers["Cache-Control"]
    assert client.get(path.format(1, 3, 9, 9)).json["code"] == "TILE_OUT_OF_RANGE"
    assert client.get(now.replace("/plans/1/", "/plans/999/")).status_code == 404
    assert app.test_client().get(now).status_code == 401


@pytest.fixture
def long_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ends by the clock: what ends a pass here is what was changed."""
    monkeypatch.setattr(short, "_known", {})
    monkeypatch.setattr(short, "TRUST_S", 600.0)


def _short(client: FlaskClient, path: str, headers: dict[str, str] | None = None) -> bytes:
    """A tile that comes the short way."""
    for _ in range(2):
        found = client.get(path, headers=headers)
        assert found.status_code == 200
    assert "X-Request-ID" not in found.headers
    return found.data


@pytest.mark.usefixtures("long_trust")
def test_who_loses_a_right_gets_no_tile_more(tmp_path: Path) -> None:
    """Roles, an account that is closed, sessions that are ended, a token that is revoked: the very next tile knows."""
    from gridmap.services import accounts, tokens, users

    app = make_app(tmp_path)
    user_id = add_person("leaver", "viewer", THERE + "000")
    client, everything = signed_in(app, "leaver"), f"/api/v1/tiles/plans/1/{version()}/12/{{}}/{{}}.mvt"
    path = everything.format(*middle(12, THERE)[1:])
    mine = _short(client, path)
    users.set_grants(SYSTEM, user_id, [("viewer", HERE + "000")])
    other = client.get(path)
    assert "X-Request-ID" in other.headers and other.data != mine
    assert decoded(other.data, tmp_path).keys().isdisjoint(decoded(mine, tmp_path))
    assert _short(client, path) == other.data

    with transaction() as session:
        person = load_actor(session, sa.text(f"app_user.id = {user_id}"), address=None)
    assert person is not None
    token_id, secret = tokens.create_token(person, "program")
    bearer = {"Authorization": f"Bearer {secret}"}
    program = app.test_client()
    assert _short(program, path, bearer) == other.data
    tokens.revoke_token(person, token_id)
    assert program.get(path, headers=bearer).status_code == 401
    assert _short(client, path) == other.data

    accounts.end_sessions(person)
    assert client.get(path).status_code == 401
    client = signed_in(app, "leaver")
    _short(client, path)
    users.set_active(SYSTEM, user_id, False)
    assert client.get(path).status_code == 401


@pytest.mark.usefixtures("long_trust")
def test_the_short_way_shows_a_change_at_once(tmp_path: Path) -> None:
    """Also under the address of before: what is kept is looked up under the state that the database tells."""
    add_person("watcher", "viewer")
    client = signed_in(make_app(tmp_path), "watcher")
    path = f"/api/v1/tiles/plans/1/{version()}/12/{{}}/{{}}.mvt".format(*middle(12)[1:])
    _short(client, path)
    changed = touch("改了")
    found = client.get(path)
    assert "X-Request-ID" not in found.headers and found.headers["Cache-Control"] == "private, no-cache"
    assert decoded(found.data, tmp_path)[changed]["name"] == "改了"


@pytest.mark.usefixtures("long_trust")
def test_the_log_tells_how_many_went_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(short, "_log", type("Log", (), {"info": lambda _, event, **more: lines.append(more)})())
    add_person("counted", "viewer")
    client = signed_in(make_app(tmp_path), "counted")
    path = f"/api/v1/tiles/plans/1/{version()}/12/{{}}/{{}}.mvt".format(*middle(12)[1:])
    for _ in range(2):
        _short(client, path)
    short._forget(float("inf"))
    assert [(one["login"], one["tiles"]) for one in lines] == [("counted", 3)]
    short._forget(float("inf"))
    assert len(lines) == 1


def _has(login: str) -> bool:
    with transaction() as session:
        return bool(session.scalar(sa.text("SELECT count(*) FROM app_user WHERE login = :l"), {"l": login}))
