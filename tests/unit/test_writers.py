"""Exports as other programs see them."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from geodata.errors import GeodataError
from geodata.readers import open_source
from geodata.writers import ascii_names, defused, undefused, write_csv, write_vector, write_xlsx


@pytest.fixture
def plan() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "网格编码": ["330102001001001", "030102001001002"],
            "网格名称": ["文昌第一网格", None],
            "户数": pd.array([412, None], "Int64"),
            "是否超标": pd.array([False, None], "boolean"),
            "紧凑度": [0.5, float("nan")],
            "数据日期": pd.to_datetime(["2025-04-03", None]),
            "更新时间": pd.to_datetime(["2025-04-03T00:30:00Z", None]),
        },
        geometry=[shapely.box(120, 30, 120.1, 30.1), shapely.MultiPolygon([shapely.box(120.1, 30, 120.2, 30.1)])],
        crs=4490,
    )


@pytest.mark.parametrize(
    ("format", "suffix"), [("gpkg", "gpkg"), ("geojson", "geojson"), ("shp", "zip"), ("fgb", "fgb")]
)
def test_vector_round_trip(tmp_path, plan, format, suffix):
    path = write_vector(plan, tmp_path / f"方案.{suffix}", format, layer="第一方案")
    source = open_source(path, scratch=tmp_path / "s")
    assert "China Geodetic" in source.crs_wkt
    assert source.columns == [name for name in plan.columns if name != "geometry"]
    (batch,) = source.batches()
    back = batch.attributes.assign(geometry=batch.geometry).sort_values("户数").reset_index(drop=True)
    assert back["网格编码"].tolist() == plan["网格编码"].tolist()
    assert back["网格名称"][0] == "文昌第一网格"
    assert pd.isna(back["网格名称"][1]) and pd.isna(back["户数"][1])
    assert str(back["数据日期"][0]).startswith("2025-04-03")
    for written, read in zip(plan.geometry, back["geometry"], strict=True):
        assert shapely.equals(written, read)
    assert not list(tmp_path.glob(".export-*"))


def test_shapefile_for_other_programs(tmp_path, plan):
    path = write_vector(plan, tmp_path / "x.zip", "shp", layer="第一方案")
    with zipfile.ZipFile(path) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"shp", "shx", "dbf", "prj", "cpg", "csv"}
        assert archive.read("第一方案.cpg") == b"UTF-8"
        archive.extractall(tmp_path)
    names = list(pyogrio.read_info(tmp_path / "第一方案.shp")["fields"])
    assert names == ["wgbm", "wgmc", "hs", "sfcb", "jcd", "sjrq", "gxsj"]
    table = pd.read_csv(tmp_path / "field_aliases.csv")
    assert dict(zip(table["field"], table["name"], strict=True))["wgbm"] == "网格编码"


def test_ascii_names_are_short_and_unique():
    names = ascii_names(
        ["名称", "面积", "民出", "households_estimated", "households_stated", "1号", "（）", "FID", "fid"]
    )
    assert all(name.isascii() and 0 < len(name) <= 10 for name in names.values())
    assert len({name.lower() for name in names.values()}) == len(names)


def test_refusals_leave_nothing_behind(tmp_path, plan):
    for frame, format, code in (
        (plan, "dwg", "EXPORT_FORMAT"),
        (plan.assign(网格名称="字" * 90), "shp", "EXPORT_TOO_LONG"),
    ):
        with pytest.raises(GeodataError) as caught:
            write_vector(frame, tmp_path / "x.zip", format)
        assert caught.value.code == code
        assert caught.value.sentence("zh")
    assert not list(tmp_path.iterdir())


def test_an_export_replaces_the_old_one_whole(tmp_path, plan):
    path = tmp_path / "x.gpkg"
    path.write_text("old")
    write_vector(plan, path, "gpkg")
    assert len(pyogrio.read_dataframe(path)) == 2


def test_csv(tmp_path, plan):
    path = write_csv(plan.assign(网格名称=["=HYPERLINK(1)", 'a,"b"\nc']), tmp_path / "x.csv")
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    assert "030102001001002" in text
    assert "'=HYPERLINK(1)" in text
    assert "2025-04-03T08:30:00+08:00" in text
    assert ",412," in text and "412.0" not in text
    source = open_source(path, scratch=tmp_path / "s")
    assert source.preview()["网格名称"].tolist() == ["'=HYPERLINK(1)", 'a,"b"\nc']


def test_points_travel_as_lon_and_lat(tmp_path):
    points = gpd.GeoDataFrame({"a": ["x", "y"]}, geometry=[shapely.Point(120.123456789, 30), None], crs=4490)
    write_csv(points, tmp_path / "x.csv")
    back = open_source(tmp_path / "x.csv", scratch=tmp_path / "s").preview()
    assert back["lon"].tolist()[0] == "120.123456789"
    assert back["lat"].isna().tolist() == [False, True]


def test_xlsx(tmp_path, plan):
    path = write_xlsx(
        {"网格/台账": plan.assign(网格名称=["=1+1", "二\x00"]), "空": pd.DataFrame({"a": []})}, tmp_path / "x.xlsx"
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["网格_台账", "空"]
    sheet = book["网格_台账"]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    assert (sheet["A3"].value, sheet["A3"].data_type, sheet["A3"].number_format) == ("030102001001002", "s", "@")
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("'=1+1", "s")
    assert sheet["B3"].value == "二"
    assert (sheet["C2"].value, sheet["C3"].value) == (412, None)
    assert sheet["F2"].is_date and sheet["G2"].value.hour == 8
    assert sheet.column_dimensions["A"].width > 10
    assert open_source(path, scratch=tmp_path / "s").preview()["数据日期"].tolist()[0] == "2025-04-03"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "'=1", "\t=1"])
def test_defused(text):
    assert defused(text) == "'" + text


def test_harmless_text_stays():
    assert [defused(text) for text in ("文昌", "'x", "", "1=1")] == ["文昌", "'x", "", "1=1"]


@pytest.mark.parametrize("text", ["=1+1", "-", "@x", "'=x", "''-", "plain", "'quoted'", "", "+86"])
def test_the_guard_against_formulas_comes_off_as_it_went_on(text: str) -> None:
    assert undefused(defused(text)) == text
    assert not defused(text).startswith(("=", "+", "-", "@"))
