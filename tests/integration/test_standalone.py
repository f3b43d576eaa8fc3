"""A map that stands alone carries what its view shows, of the reader's part, and nothing that could be fetched."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Region
from gridmap.errors import Forbidden, NotFound, TooLarge
from gridmap.services import mapdata, sheets
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from gridmap.web.standalone import map_file
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url")

NORTH, SOUTH = "339901001000", "339901002000"
LOOKER = Actor("looker", (Grant(Role.VIEWER, NORTH[:9]),))


@pytest.fixture(scope="module")
def app(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    add_person("chief", "planner")
    add_person("looker", "viewer", NORTH)
    return make_app(tmp_path_factory.mktemp("web"))


def grids_in(text: str) -> list[dict[str, object]]:
    found = re.search(r'gridLayer\((\{"data": .*?\})\);\n', text)
    assert found
    return list(json.loads(found[1])["data"]["features"])


def test_the_file_names_no_address_and_holds_every_grid(tmp_path: Path) -> None:
    text = map_file(SYSTEM, sheets.MapView(plan_id=1), path=tmp_path / "a.html").read_text("utf-8")
    with transaction() as session:
        drawn = (Grid.plan_id == 1, Grid.kind != "micro", Grid.geom.is_not(None))
        codes = set(session.scalars(sa.select(Grid.code).where(*drawn)))
    assert {one["properties"]["code"] for one in grids_in(text)} == codes  # type: ignore[index]
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", re.sub(r"<script>.*?</script>", "", text, flags=re.S))
    assert "url(images" not in text and len(text) < 500_000
    assert "default-src 'none'" in text and "现行网格" in text and "来源" in text


def test_simpler_grids_still_share_their_borders(tmp_path: Path) -> None:
    import shapely

    found = sheets.embedded(SYSTEM, sheets.MapView(plan_id=1))
    whole = json.loads(mapdata.grid_features(SYSTEM, 1))["features"]
    shapes = [shapely.from_geojson(json.dumps(one["geometry"])) for one in found.areas["features"]]
    before = [shapely.from_geojson(json.dumps(one["geometry"])) for one in whole]
    assert shapely.get_num_coordinates(shapes).sum() < shapely.get_num_coordinates(before).sum()
    one, all_of_it = shapely.union_all(shapes), sum(shape.area for shape in shapes)
    assert one.area == pytest.approx(all_of_it, rel=1e-4), "no overlap, and no gap between neighbours"
    assert len(shapely.get_interior_ring(one, 0).coords if one.geom_type == "Polygon" and one.interiors else []) == 0


def test_heat_is_in_it_for_those_who_may_see_it(tmp_path: Path) -> None:
    view = sheets.MapView(plan_id=1, heat=CaseFilter(("乱停车",)))
    text = map_file(SYSTEM, view, path=tmp_path / "a.html").read_text("utf-8")
    assert '"image": "data:image/png;base64,' in text and "乱停车" in text and "\\u2265 5,000" in text
    with pytest.raises(Forbidden):
        sheets.embedded(LOOKER, view)
    assert sheets.embedded(LOOKER, sheets.MapView(plan_id=1)).heat is None


def test_of_the_own_part_only() -> None:
    found = sheets.embedded(LOOKER, sheets.MapView(plan_id=1))
    with transaction() as session:
        others = session.scalars(sa.select(Region.name).where(Region.code.startswith(SOUTH[:9]))).all()
    text = json.dumps([found.areas, found.borders], ensure_ascii=False)
    assert SOUTH[:9] not in text and not [name for name in others if name in text]
    with pytest.raises(NotFound):
        sheets.embedded(LOOKER, sheets.MapView(plan_id=1, region=SOUTH))


def test_regions_stand_for_too_many_grids(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def too_many(*_: object, **__: object) -> str:
        raise TooLarge("TOO_MANY_GRIDS", max=2000)

    monkeypatch.setattr(mapdata.grid_features, "within", too_many)
    found = sheets.embedded(SYSTEM, sheets.MapView(plan_id=1, region=NORTH))
    assert not found.gridded
    assert {one["properties"]["level"] for one in found.areas["features"]} == {"community"}
    text = map_file(SYSTEM, sheets.MapView(plan_id=1, region=NORTH), path=tmp_path / "a.html").read_text("utf-8")
    assert "网格过多" in text


def test_the_pages_the_api_and_the_shell(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridmap.cli import main

    client = signed_in(app, "chief")
    grids = client.get(f"/map/export.html?plan=1&region={NORTH}&status=over")
    assert grids.status_code == 200 and "attachment" in grids.headers["Content-Disposition"]
    assert {one["properties"]["status"] for one in grids_in(grids.text)} == {"over"}  # type: ignore[index]
    heat = client.get("/cases/export.html?plan=1&since=2026-01-01&until=2026-02-28")
    assert "2026-01-01 至 2026-02-28" in heat.text
    asked = "heat=true&since=2026-01-01T00:00:00%2B08:00&language=en"
    assert "since 2026-01-01" in client.get(f"/api/v1/plans/1/map.html?{asked}").text
    for wrong in ("/map/export.html?status=schlecht", "/map/export.html?rule=R99", "/api/v1/plans/1/map.html?status=x"):
        assert client.get(wrong).status_code == 422, wrong
    looker = signed_in(app, "looker")
    assert looker.get("/map/export.html").status_code == 200
    refused = looker.get("/cases/export.html")
    assert refused.status_code == 403 and "已发布的事件数" in refused.text
    out = tmp_path / "a.html"
    monkeypatch.setattr("gridmap.cli.export.ready_database", nullcontext)
    done = CliRunner().invoke(main, ["export", "--plan", "1", "--format", "html", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "网格地图" in out.read_text("utf-8")
