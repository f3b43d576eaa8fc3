"""The pages and the API of imports, from the file to the accepted rows, without a browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from flask.testing import FlaskClient

from geodata.writers import write_vector
from gridmap.errors import Conflict
from gridmap.services import imports
from gridmap.services.actor import SYSTEM
from gridmap.services.imports import staging
from gridmap.settings import settings
from tests.web import add_person, csrf_of, make_app, signed_in

pytestmark = pytest.mark.usefixtures("database_url", "data_dir")
COUNTY = "330102"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var"
    settings.cache_clear()


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    add_person("boss")
    return signed_in(make_app(tmp_path), "boss")


@pytest.fixture
def regions(tmp_path: Path) -> Path:
    """Three communities; the last has the first one's code, which is an error."""
    codes = [f"{COUNTY}000000", f"{COUNTY}001000", f"{COUNTY}001001", f"{COUNTY}001002", f"{COUNTY}001001"]
    shapes = [
        shapely.box(120.1, 30.2, 120.14, 30.23),
        shapely.box(120.1, 30.2, 120.13, 30.23),
        *(shapely.box(x, 30.2, x + 0.01, 30.21) for x in (120.1, 120.11, 120.12)),
    ]
    frame = {"区划代码": codes, "名称": ["县", "街道", "甲社区", "乙社区", "丙社区"], "联系电话": ["13800138000"] * 5}
    return write_vector(gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4490"), tmp_path / "区划.gpkg", "gpkg")


def send(client: FlaskClient, path: Path, kind: str = "regions", **more: str) -> int:
    token = csrf_of(client, "/imports")
    data = {"file": (io.BytesIO(path.read_bytes()), path.name), "kind": kind, "csrf_token": token, **more}
    answer = client.post("/api/v1/imports", data=data, headers={"X-CSRFToken": token})
    assert answer.status_code == 201, answer.text
    number: int = answer.json["id"]
    return number


def post(client: FlaskClient, address: str, **form: str) -> str:
    """Post a form of a page and follow to the page that answers."""
    data = {"csrf_token": csrf_of(client, "/imports"), **form}
    answer = client.post(address, data=data, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_pages_of_a_batch_follow_its_state(client: FlaskClient, regions: Path) -> None:
    assert "请从区划开始" in client.get("/imports").text
    number = send(client, regions)
    page = client.get(f"/imports/{number}").text
    assert "不读入的列" in page and "联系电话" in page
    assert "13800138000" not in page
    assert "正在读取并核查" in post(
        client, f"/imports/{number}/configure", **{"datum": "CGCS2000", "map.code": "区划代码", "map.name": "名称"}
    )
    imports.run_stage(number)
    page = client.get(f"/imports/{number}").text
    assert "编码与第 3 行相同" in page and "接收 4 行无误的数据" in page
    assert "CHECK_SAME_KEY" in client.get(f"/imports/{number}?severity=E&code=CHECK_SAME_KEY&page=9").text
    with client.get(f"/imports/{number}/rejected?format=csv") as rejected:
        assert "gridmap_reason" in rejected.text and "13800138000" not in rejected.text
    assert "正在接收" in post(client, f"/imports/{number}/accept", only_good="1")
    imports.run_accept(number, None)
    assert "撤回这次接收" in client.get(f"/imports/{number}").text
    assert "已撤回" in post(client, f"/imports/{number}/undo")
    assert "该批次已放弃" in post(client, f"/imports/{number}/discard")


def test_all_rows_are_not_accepted_while_one_is_bad(client: FlaskClient, regions: Path) -> None:
    number = send(client, regions)
    imports.prepare(SYSTEM, number)
    imports.run_stage(number)
    post(client, f"/imports/{number}/accept")
    with pytest.raises(Conflict):
        imports.run_accept(number, None)
    assert "不能全部接收" in client.get(f"/imports/{number}").text


def test_what_another_did_meanwhile_is_a_sentence(client: FlaskClient, regions: Path) -> None:
    number = send(client, regions)
    imports.discard(SYSTEM, number)
    assert "已被他人处理" in post(client, f"/imports/{number}/stage")
    assert "已被他人处理" in post(client, f"/imports/{number}/cancel")
    headers = {"X-CSRFToken": csrf_of(client, "/imports")}
    answer = client.post(f"/api/v1/imports/{number}/accept", json={}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "IMPORT_STATE")


def test_the_same_file_is_recognised_unless_wanted_anew(client: FlaskClient, regions: Path) -> None:
    first = send(client, regions)
    assert send(client, regions) == first
    again = send(client, regions, again="1")
    assert again != first
    assert f"批次 {first}" in client.get(f"/imports/{again}").text


def test_wrong_choices_are_refused_with_a_hint(client: FlaskClient, regions: Path) -> None:
    number = send(client, regions)
    assert "坐标系" in post(client, f"/imports/{number}/configure", crs="other", crs_other="EPSG:0")
    assert imports.get(SYSTEM, number).state == "uploaded"


def test_a_cancelled_batch_stops_and_leaves_nothing(
    client: FlaskClient, regions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = send(client, regions)
    imports.prepare(SYSTEM, number)
    monkeypatch.setattr(staging, "_REPORT_EVERY_S", 0.0)

    def stop(share: float, doing: str) -> None:
        if imports.get(SYSTEM, number).state == "reading":
            assert "该批次已放弃" in post(client, f"/imports/{number}/cancel")

    with pytest.raises(Conflict):
        imports.run_stage(number, stop)
    assert imports.get(SYSTEM, number).state == "discarded"
    assert imports.rows(SYSTEM, number).total == 0


def test_a_preview_shows_where_the_file_would_lie(client: FlaskClient, regions: Path) -> None:
    number = send(client, regions)
    plain = client.get(f"/api/v1/imports/{number}/sample?datum=CGCS2000").json["features"]
    moved = client.get(f"/api/v1/imports/{number}/sample?datum=GCJ02").json["features"]
    assert len(plain) == len(moved) == 5
    a, b = (shapely.from_geojson(str(one[0]["geometry"]).replace("'", '"')).centroid for one in (plain, moved))
    assert 0.001 < a.distance(b) < 0.02
    assert client.get(f"/api/v1/imports/{number}/sample?datum=MARS").status_code == 422


def test_an_estimate_can_be_taken_back(client: FlaskClient, regions: Path) -> None:
    number = send(client, regions, kind="buildings")
    imports.configure(SYSTEM, number, estimate={"m2_per_household": 90})
    assert imports.configure(SYSTEM, number).options["estimate"] == {"m2_per_household": 90}
    assert imports.configure(SYSTEM, number, estimate="").options["estimate"] is None
