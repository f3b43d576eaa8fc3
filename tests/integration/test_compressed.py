"""Answers as gzip are the same answers; pages, small ones and whoever does not read gzip get them plain."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from flask.testing import FlaskClient

from geodata.heat.lattice import squares
from tests.web import add_person, make_app, signed_in

GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.fixture(scope="module")
def client(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    add_person("reader-of-gzip")
    return signed_in(make_app(tmp_path_factory.mktemp("data")), "reader-of-gzip")


@pytest.mark.parametrize("path", ["/api/v1/plans/1/grids.geojson", "/api/v1/coverage.geojson?of=grids"])
def test_a_large_answer_is_the_same_in_fewer_bytes(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path), client.get(path, headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data) / 2
    assert all("Accept-Encoding" in one.headers["Vary"] for one in (plain, packed))


@pytest.mark.parametrize(
    "path", ["/api/v1/cases/timeline?since=2026-01-01T00:00:00Z", "/cases", "/api/v1/plans/999999"]
)
def test_small_answers_pages_and_errors_stay_plain(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


def test_a_tile_is_the_same_in_fewer_bytes_the_long_way_and_the_short(client: FlaskClient) -> None:
    scene = client.get("/api/v1/scene").get_json()
    west, south, east, north = scene["bounds"]
    path = scene["ground"].replace("{z}/{x}/{y}", _tile((west + east) / 2, (south + north) / 2, 13))
    plain = client.get(path)
    assert len(plain.data) > 4_096
    for _ in range(2):
        packed = client.get(path, headers=GZIP)
        assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.data) == plain.data
        again = client.get(path, headers={**GZIP, "If-None-Match": packed.headers["ETag"]})
        assert again.status_code == 304 and packed.headers["ETag"] != plain.headers["ETag"]


def _tile(lon: float, lat: float, z: int) -> str:
    column, row = squares(np.array([lon]), np.array([lat]), z)
    return f"{z}/{int(column[0])}/{int(row[0])}"
