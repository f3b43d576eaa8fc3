"""``gridmap import`` as a person calls it: files in, sentences and exit codes out; the real files where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result

from geodata.writers import write_vector
from gridmap.cli.import_ import command
from tests.imports import building_frame, region_frame

pytestmark = pytest.mark.usefixtures("data_dir")


@pytest.fixture(autouse=True)
def on_this_database(database_url: str, monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    from gridmap.settings import settings

    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()


def gridmap_import(file: Path, *options: str) -> Result:
    return CliRunner().invoke(command, [str(file), *options])


def document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_all_is_well_and_twice_is_harmless(tmp_path: Path) -> None:
    path = write_vector(region_frame(), tmp_path / "regions.gpkg", "gpkg")
    first = gridmap_import(path, "--as", "regions", "--accept", "all")
    assert first.exit_code == 0, first.output
    assert "新增 6" in first.stdout and "EPSG:4490" in first.stdout
    again = gridmap_import(path, "--as", "regions", "--accept", "all", "--json")
    assert again.exit_code == 0 and document(again)["repeated"]


def test_a_plain_gbk_shapefile_without_cpg(tmp_path: Path) -> None:
    gridmap_import(write_vector(region_frame(), tmp_path / "r.gpkg", "gpkg"), "--as", "regions", "--accept", "all")
    shapefile = tmp_path / "楼.shp"
    building_frame().rename(columns={"更新日期": "日期"}).to_file(shapefile, encoding="gbk", engine="pyogrio")
    shapefile.with_suffix(".cpg").unlink()
    result = gridmap_import(shapefile, "--as", "buildings", "--accept", "all", "--json")
    assert result.exit_code == 0, result.output
    assert document(result)["report"]["encoding"] == {"name": "gb18030", "how": "gb18030"}
    assert document(result)["accepted"]["inserted"] == 40


def test_bad_rows_are_named_and_written_to_a_file(tmp_path: Path) -> None:
    gridmap_import(write_vector(region_frame(), tmp_path / "r.gpkg", "gpkg"), "--as", "regions", "--accept", "all")
    frame = building_frame(5)
    frame.loc[2, "户数"] = "-4"
    rejected = tmp_path / "rejected.xlsx"
    path = write_vector(frame, tmp_path / "b.gpkg", "gpkg")
    result = gridmap_import(path, "--as", "buildings", "--accept", "good", "--rejected", str(rejected))
    assert result.exit_code == 1 and "COUNT_NEGATIVE" in result.stdout, result.output
    back = pd.read_excel(rejected, dtype=str)
    assert list(back["gridmap_row"]) == ["3"] and back["户数"][0].lstrip("'") == "-4"


@pytest.mark.parametrize(
    ("text", "options", "code", "wanted"),
    [
        ("", (), 3, "FILE_EMPTY"),
        ("a,b\n1,2\n", (), 3, "COLUMN_REQUIRED"),
        ("类别,时间,经度,纬度\n市容,2025-01-01,1,1\n", ("--datum", "mars"), 3, "IMPORT_DATUM"),
        ("类别,时间,经度,纬度\n市容,2025-01-01,1,1\n", ("--map", "level=没有"), 3, "IMPORT_COLUMN"),
        ("类别,时间,经度,纬度\n市容,2025-01-01,1,1\n", ("--map", "nonsense"), 2, ""),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    text: str, options: tuple[str, ...], code: int, wanted: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, "utf-8")
    result = gridmap_import(path, "--as", "cases", *options)
    assert result.exit_code == code, result.output
    assert wanted in result.stderr and "Traceback" not in result.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert gridmap_import(tmp_path / "no.csv", "--as", "cases").exit_code == 3


def region_file(path: Path, code: str, west: float, south: float, east: float, north: float) -> Path:
    frame = {"code": [code], "name": ["试验区"], "urban_rural_code": ["111"]}
    box = gpd.GeoDataFrame(frame, geometry=[shapely.box(west, south, east, north)], crs="EPSG:4490")
    return write_vector(box, path, "gpkg")


def test_houston(shared_data: Path, tmp_path: Path) -> None:
    region = region_file(tmp_path / "r.gpkg", "440000001001", -95.8, 29.5, -95.0, 30.15)
    assert gridmap_import(region, "--as", "regions", "--accept", "all").exit_code == 0
    file = shared_data / "houston_crime_2010_core.csv"
    result = gridmap_import(file, "--as", "cases", "--accept", "good", "--json")
    found = document(result)
    assert result.exit_code == 1 and (found["rows_total"], found["rows_bad"], found["rows_accepted"]) == (
        22418,
        215,
        22203,
    )
    errors = {p["code"]: p["count"] for p in found["problems"] if p["severity"] == "E"}
    assert errors["CHECK_OUTSIDE"] == 210 and sum(errors.values()) == 215


def test_tsuruoka(shared_data: Path, tmp_path: Path) -> None:
    elsewhere = region_file(tmp_path / "r.gpkg", "440000001001", -95.8, 29.5, -95.0, 30.15)
    assert gridmap_import(elsewhere, "--as", "regions", "--accept", "all").exit_code == 0
    file = shared_data / "tsuruoka_units.geojson"
    result = gridmap_import(file, "--as", "units", "--derive", "whole", "--accept", "good", "--json")
    made = document(result)["accepted"]
    assert made["inserted"] + made["left"] == 722 and made["inserted"] > 700
    assert made["gaps_closed"] > 100 and made["gaps_closed_m2"] > 0
