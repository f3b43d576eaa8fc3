"""OGC API Features and Tiles: what the real clients (GDAL's OAPIF and MVT drivers) read is what the database holds."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import geopandas as gpd
import pyogrio
import pytest
import shapely
import sqlalchemy as sa
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.db.models import User
from gridmap.services import plans
from gridmap.services.accounts import load_actor
from gridmap.services.actor import SYSTEM
from gridmap.services.coverage import coverage
from gridmap.services.days import today
from gridmap.services.ogc import MAX_FEATURES
from gridmap.services.plans.small import rounded
from gridmap.services.tiles.square import HALF_M
from gridmap.services.tokens import create_token
from tests.web import add_person, make_app

pytestmark = pytest.mark.usefixtures("shared_demo_url")

COUNTY, HERE = "339901000000", "339901001000"


class Served:
    """The app behind a port, with the tokens of a county's and a subdistrict's viewer."""

    def __init__(self, app: Flask, base: str) -> None:
        self.app, self.base = app, base
        self.tokens = {"county": token("everyone", None), "part": token("part", HERE)}

    def get(self, path: str, who: str = "county", status: int = 200, **headers: str) -> Any:
        """The answer of ``path`` (below /ogc, or a whole address) as JSON."""
        path = path.removeprefix(self.base).removeprefix("http://localhost")
        told = {"Authorization": f"Bearer {self.tokens[who]}", **headers}
        answer = self.app.test_client().get(path if path.startswith("/ogc") else f"/ogc{path}", headers=told)
        assert answer.status_code == status, answer.text[:400]
        return answer.get_json()

    def pages(self, path: str) -> list[list[Any]]:
        """Ids of the features, page by page along the links ``next``."""
        found = []
        while path:
            document = self.get(path)
            assert document["numberReturned"] == len(document["features"])
            found.append([one["id"] for one in document["features"]])
            path = next((one["href"] for one in document["links"] if one["rel"] == "next"), "")
        return found

    def read(self, collection: str, who: str = "county", **options: Any) -> gpd.GeoDataFrame:
        """A collection as GDAL reads it."""
        with bearer(self.tokens[who]):
            return pyogrio.read_dataframe(f"OAPIF:{self.base}/ogc", layer=collection, **options)


@contextmanager
def bearer(secret: str) -> Iterator[None]:
    """The token in what GDAL sends; of 3.12 ``GDAL_HTTP_HEADERS`` alone does not reach this driver."""
    names = ("GDAL_HTTP_AUTH", "GDAL_HTTP_BEARER")
    pyogrio.set_gdal_config_options(dict(zip(names, ("BEARER", secret), strict=True)))
    yield
    pyogrio.set_gdal_config_options(dict.fromkeys(names))


def token(login: str, region: str | None) -> str:
    user_id = add_person(login, "viewer", region)
    with transaction() as session:
        actor = load_actor(session, User.id == user_id, address=None)
    assert actor is not None
    return create_token(actor, "gis")[1]


@pytest.fixture(scope="module")
def served(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """In a process of its own: GDAL holds Python's lock while it waits for features."""
    folder = tmp_path_factory.mktemp("web")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{probe.getsockname()[1]}"
    environment = {**os.environ, "DATABASE_URL": shared_demo_url, "GRIDMAP_DATA_DIR": str(folder)}
    program = [sys.executable, "-m", "gunicorn", "gridmap.web.wsgi:app", "-k", "gthread", "--threads", "4"]
    process = subprocess.Popen(
        [*program, "-b", base.removeprefix("http://")], env=environment, stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        with contextlib.suppress(OSError), urlopen(f"{base}/health", timeout=10):
            break
        assert process.poll() is None
        time.sleep(0.1)
    yield Served(make_app(folder), base)
    process.terminate()
    process.wait(30)


def stored(where: str = "") -> dict[int, Any]:
    """Grids in force as the database holds them, by id."""
    plan = plans.held_on(SYSTEM, today())
    text = (
        "SELECT g.id, g.code, g.name, g.status, g.households, g.population, g.area_m2, r.code AS region,"
        " ST_AsBinary(g.geom) AS geom FROM grid g JOIN region r ON r.id = g.region_id"
        f" WHERE plan_id = :plan AND g.parent_id IS NULL AND g.geom IS NOT NULL {where} ORDER BY g.id"
    )
    with transaction() as session:
        return {row.id: row for row in session.execute(sa.text(text), {"plan": plan})}


def test_gdal_reads_all_grids_over_many_pages(served: Served) -> None:
    known = stored()
    frame = served.read("grids", PAGE_SIZE="7")
    assert len(frame) == len(known) > 21
    assert frame.crs.to_epsg() == 4326 or "CRS84" in frame.crs.to_string()
    for row, (_, read) in zip(known.values(), frame.iterrows(), strict=True):
        assert (read["code"], read["region_code"]) == (row.code, row.region)
        assert (read["name"], read["status"], read["households"]) == (row.name, row.status, row.households)
        assert (read["population"], read["area_m2"]) == (row.population, pytest.approx(row.area_m2, abs=0.06))
        assert shapely.equals_exact(
            shapely.normalize(read["geometry"]), shapely.normalize(one(row.geom)), tolerance=1e-8
        )


def one(geom: Any) -> Any:
    """The geometry, a multipolygon of one part as GDAL's layer types it."""
    return shapely.from_wkb(bytes(geom))


def test_gdal_filters_by_place_at_the_server(served: Served) -> None:
    west, south, east, north = shapely.from_wkb(bytes(next(iter(stored().values())).geom)).bounds
    box = (west, south, (west + east) / 2, (south + north) / 2)
    known = stored(f"AND ST_Intersects(g.geom, ST_MakeEnvelope({box[0]}, {box[1]}, {box[2]}, {box[3]}, 4490))")
    assert 0 < len(known) < len(stored())
    assert sorted(served.read("grids", bbox=box)["code"]) == sorted(row.code for row in known.values())
    assert served.get(f"/collections/grids/items?bbox={','.join(map(str, box))}")["numberMatched"] == len(known)


@pytest.mark.parametrize(("level", "region"), [("county", None), ("subdistrict", COUNTY), ("community", HERE)])
def test_gdal_reads_the_coverage_that_the_page_shows(served: Served, level: str, region: str | None) -> None:
    frame = served.read(f"coverage-{level}").set_index("code")
    rows = coverage(SYSTEM, region=region).rows
    assert rows
    for row in rows:
        read = frame.loc[row.code]
        for name in ("name", "grids", "within", "over", "under", "households", "population", "uncovered_households"):
            assert read[name] == getattr(row, name), name
        assert read["estimated_share"] == pytest.approx(rounded(row.estimated_share), abs=1e-9)
    assert frame["grids"].sum() == coverage(SYSTEM).total.grids  # type: ignore[union-attr]
    assert (shapely.area(frame.geometry.to_numpy()) > 0).all()


def test_who_has_a_part_reads_that_part(served: Served) -> None:
    frame = served.read("grids", who="part")
    assert len(frame) == len(stored(f"AND r.code LIKE '{HERE[:9]}%'")) > 0
    assert frame["region_code"].str.startswith(HERE[:9]).all()
    assert len(served.read("coverage-subdistrict", who="part")) == 1
    other = next(row.id for row in stored().values() if not row.region.startswith(HERE[:9]))
    assert served.get(f"/collections/grids/items/{other}", "part", 404)["code"] == "OGC_NO_FEATURE"
    assert served.get(f"/collections/grids/items/{other}")["properties"]["code"]
    assert served.get("/collections/coverage-county/items", "part")["numberMatched"] == 0


def test_the_system_s_own_ogr2ogr_makes_a_file(served: Served, tmp_path: Path) -> None:
    program = shutil.which("ogr2ogr")
    if program is None:
        pytest.skip("no ogr2ogr on this machine")
    told = {**os.environ, "GDAL_HTTP_HEADERS": f"Authorization: Bearer {served.tokens['county']}"}
    out = tmp_path / "grids.gpkg"
    command = [program, "-oo", "PAGE_SIZE=10", str(out), f"OAPIF:{served.base}/ogc", "grids"]
    subprocess.run(command, check=True, env=told, capture_output=True, timeout=60)
    assert len(pyogrio.read_dataframe(out)) == len(stored())
    refused = subprocess.run([*command[:3], str(tmp_path / "no.gpkg"), *command[4:]], capture_output=True, timeout=60)
    assert refused.returncode != 0


def test_pages_lead_on_and_back_by_key(served: Served) -> None:
    ids = sorted(stored())
    pages = served.pages("/collections/grids/items?limit=9")
    assert [len(page) for page in pages[:-1]] == [9] * (len(pages) - 1)
    assert [number for page in pages for number in page] == ids
    middle = served.get(f"/collections/grids/items?limit=9&after={pages[1][-1]}")
    back = next(link["href"] for link in middle["links"] if link["rel"] == "prev")
    assert [one["id"] for one in served.get(back)["features"]] == pages[1]
    assert "offset" not in back
    assert not [link for link in served.get("/collections/grids/items?limit=9")["links"] if link["rel"] == "prev"]
    codes = served.pages("/collections/coverage-community/items?limit=3")
    assert sum(map(len, codes)) == len({code for page in codes for code in page})
    assert served.get("/collections/grids/items?limit=99999")["numberReturned"] <= MAX_FEATURES


def test_filters_and_days(served: Served) -> None:
    def count(query: str) -> int:
        return int(served.get(f"/collections/grids/items?limit=1&{query}")["numberMatched"])

    known = stored().values()
    for status in ("within", "over"):
        assert count(f"status={status}") == sum(row.status == status for row in known)
    assert count(f"region={HERE}") == sum(row.region.startswith(HERE[:9]) for row in known)
    assert count("datetime=1990-01-01T00:00:00Z") == count("datetime=../1990-01-01") == 0
    assert count("datetime=2999-01-01") == count("datetime=1990-01-01/..") == len(known)
    areas = served.get("/collections/coverage-county/items?datetime=1990-01-01")["features"]
    assert areas[0]["properties"]["grids"] == 0 and areas[0]["properties"]["plan_name"] is None


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/collections/nosuch", 404, "OGC_NO_COLLECTION"),
        ("/collections/grids/items?bbox=1,2,3", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?bbox=nan,2,3,4", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?limit=0", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?limit=²", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?datetime=yesterday", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?datetime=9999-12-31T23:59:59Z", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?status=nice", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?plan=x", 400, "OGC_PARAMETER"),
        ("/collections/grids/items?colour=red", 400, "OGC_PARAMETER_UNKNOWN"),
        ("/collections/grids/items?crs=http://www.opengis.net/def/crs/EPSG/0/3857", 400, "OGC_PARAMETER"),
        ("/collections/grids/items/none", 404, "OGC_NO_FEATURE"),
        ("/collections/grids/tiles/Other", 404, "OGC_NO_TILE_SET"),
        ("/collections/grids/tiles/WebMercatorQuad/3/9/0", 400, "TILE_OUT_OF_RANGE"),
        ("/collections/coverage-county/tiles", 404, "OGC_NO_COLLECTION"),
        ("/nothing", 404, "PAGE_NOT_FOUND"),
    ],
)
def test_faults_are_coded(served: Served, path: str, status: int, code: str) -> None:
    assert served.get(path, status=status)["code"] == code


def test_tiles_are_those_of_the_map(served: Served, tmp_path: Path) -> None:
    """GDAL's MVT driver places them where the grids are; the address is the one that the tile set tells."""
    told = served.get("/collections/grids/tiles/WebMercatorQuad")
    template = next(link["href"] for link in told["links"] if link["rel"] == "item")
    row = next(iter(stored().values()))
    z = 13
    matrices = served.get("/tileMatrixSets/WebMercatorQuad")["tileMatrices"]
    side = matrices[z]["cellSize"] * 256
    west, north = matrices[z]["pointOfOrigin"]
    at = gpd.GeoSeries([shapely.from_wkb(bytes(row.geom)).representative_point()], crs=4326).to_crs(3857)[0]
    x, y = int((at.x - west) // side), int((north - at.y) // side)
    address = template.replace("{tileMatrix}", str(z)).replace("{tileRow}", str(y)).replace("{tileCol}", str(x))
    client = served.app.test_client()
    headers = {"Authorization": f"Bearer {served.tokens['county']}"}
    answer = client.get(address.removeprefix("http://localhost"), headers=headers)
    assert answer.status_code == 200 and answer.mimetype == "application/vnd.mapbox-vector-tile"
    path = tmp_path / str(z) / str(x) / f"{y}.pbf"
    path.parent.mkdir(parents=True)
    path.write_bytes(answer.data)
    frame = pyogrio.read_dataframe(f"MVT:{path}", layer="grids")
    mine = frame[frame["id"] == row.id]
    assert mine["code"].tolist() == [row.code] and mine["households"].tolist() == [row.households]
    assert mine.geometry.buffer(side / 2048).contains(at).all()
    again = {**headers, "If-None-Match": answer.headers["ETag"]}
    assert client.get(address.removeprefix("http://localhost"), headers=again).status_code == 304


def test_documents_say_what_the_standard_wants(served: Served) -> None:
    landing = served.get("")
    rels = {link["rel"]: link["href"] for link in landing["links"]}
    assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= set(rels)
    assert all(link["href"].startswith("http://") for link in landing["links"])
    kept = served.get(rels["conformance"])["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in kept
    document = served.get(rels["service-desc"])
    assert document["openapi"].startswith("3.0")
    limit = document["components"]["parameters"]["limit"]["schema"]
    assert limit["maximum"] == MAX_FEATURES
    told = served.get(rels["data"])["collections"]
    for one in told:
        assert one["extent"]["spatial"]["bbox"][0][0] < one["extent"]["spatial"]["bbox"][0][2]
        here = {link["rel"]: link["href"] for link in served.get(f"/collections/{one['id']}")["links"]}
        for rel in ("items", "self", "http://www.opengis.net/def/rel/ogc/1.0/queryables"):
            served.get(here[rel] if "f=html" not in here[rel] else here[rel].replace("f=html", "f=json"))
    for path in document["paths"]:
        if "{" not in path:
            served.get(path.removesuffix("/"))


def test_a_browser_gets_pages_and_a_stranger_nothing(served: Served) -> None:
    for path in ("", "/conformance", "/api", "/collections", "/collections/grids", "/collections/grids/items",
                 "/collections/grids/queryables", "/tileMatrixSets", "/collections/grids/tiles"):  # fmt: skip
        client = served.app.test_client()
        headers = {"Authorization": f"Bearer {served.tokens['county']}", "Accept": "text/html,*/*;q=0.8"}
        answer = client.get(f"/ogc{path}", headers=headers)
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
        assert client.get(f"/ogc{path}").status_code == 401
        assert client.get(f"/ogc{path}").get_json()["code"] == "SIGN_IN_FIRST"
        assert client.get(f"/ogc{path}", headers={"Accept": "text/html"}).status_code == 302


def test_two_plans_beside_each_other_are_one_layer(served: Served, tmp_path: Path) -> None:
    """Plans in force of two subdistricts: all their grids, each once, and both in one tile."""
    everywhere = stored(f"AND (r.code LIKE '{HERE[:9]}%' OR r.code LIKE '339901002%')")
    with transaction() as session:
        whole = plans.held_on.within(session, SYSTEM, today())
        session.execute(sa.text("UPDATE plan SET valid_to = valid_from WHERE id = :p"), {"p": whole})
    try:
        assert served.get("/collections/grids/items")["numberMatched"] == 0
        parts = [plans.copy_plan(SYSTEM, whole, region_code=code) for code in ("339901001000", "339901002000")]
        with transaction() as session:
            session.execute(
                sa.text("UPDATE plan SET state = 'published', valid_from = '2020-01-01' WHERE id = ANY(:ids)"),
                {"ids": parts},
            )
        items = served.get(f"/collections/grids/items?limit={MAX_FEATURES}")
        assert {one["properties"]["plan_id"] for one in items["features"]} == set(parts)
        at = gpd.GeoSeries.from_wkb([bytes(row.geom) for row in everywhere.values()], crs=4326).to_crs(3857)
        side = 2 * HALF_M / 256
        x, y = (int(one // side) for one in (at[0].centroid.x + HALF_M, HALF_M - at[0].centroid.y))
        tile = served.app.test_client().get(
            f"/ogc/collections/grids/tiles/WebMercatorQuad/8/{y}/{x}",
            headers={"Authorization": f"Bearer {served.tokens['county']}"},
        )
        path = tmp_path / "0.mvt"
        path.write_bytes(tile.data)
        codes = set(pyogrio.read_dataframe(path, layer="grids")["code"])
        assert codes == {row.code for row in everywhere.values()}
        rows = served.get("/collections/coverage-county/items")["features"][0]["properties"]
        with transaction() as session:  # those without ground are counted, but nowhere
            text = "SELECT count(*) FROM grid WHERE plan_id = ANY(:ids) AND kind <> 'micro'"
            assert rows["grids"] == session.scalar(sa.text(text), {"ids": parts})
    finally:
        with transaction() as session:
            session.execute(sa.text("UPDATE plan SET valid_to = NULL WHERE id = :p"), {"p": whole})
            session.execute(sa.text("UPDATE plan SET state = 'draft', valid_from = NULL WHERE id <> :p"), {"p": whole})
