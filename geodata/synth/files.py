"""The files a planner would bring of the town: the forms, encodings, datums and slips that real ones have."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.gcj02 import wgs84_to_gcj02
from geodata.synth.ledger import write_ledger
from geodata.synth.town import Town

if TYPE_CHECKING:
    import geopandas

#: One moment for everything inside archives, so that the same town gives the same bytes.
EPOCH = (2026, 11, 1, 8, 0, 0)


def write_demo_files(town: Town, folder: Path) -> dict[str, Path]:
    """Write the town as a planner's files into ``folder`` (made if absent); returns them by name.

    - ``regions``: 区划.gpkg, Chinese headers, EPSG:4490.
    - ``buildings``: 楼栋.zip, a shapefile whose .dbf is GBK and has no .cpg; headers within 10 bytes.
    - ``ledger``: 楼栋台账.xlsx, no coordinates, joins by 楼栋编号; see :func:`geodata.synth.ledger.write_ledger`.
    - ``barriers``: 道路水系.geojson in GCJ-02, which it does not say.
    - ``grids``: 现状网格.gpkg with a bow tie, a row without code and a row without geometry.
    - ``departments``: 部门网格.kml. ``cases``: 事件.csv in gb18030, some rows without place or with a time to come.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "regions": _regions(town, folder / "区划.gpkg"),
        "buildings": _buildings(town, folder / "楼栋.zip"),
        "ledger": write_ledger(town, folder / "楼栋台账.xlsx"),
        "barriers": _barriers(town, folder / "道路水系.geojson"),
        "grids": _grids(town, folder / "现状网格.gpkg"),
        "departments": _departments(town, folder / "部门网格.kml"),
        "cases": _cases(town, folder / "事件.csv"),
    }


def _regions(town: Town, path: Path) -> Path:
    frame = town.regions.assign(data_date=_day(town.regions["data_date"]))
    frame = frame.rename(
        columns={
            "code": "区划代码",
            "name": "名称",
            "level": "级别",
            "parent_code": "上级代码",
            "urban_rural_code": "城乡分类代码",
            "source": "数据来源",
            "data_date": "数据日期",
        }
    )
    return _write(frame, path, driver="GPKG", layer="区划")


def _buildings(town: Town, path: Path) -> Path:
    """A shapefile in GBK, zipped without its .cpg, as desktop GIS of the nineties hands it on."""
    import tempfile

    frame = town.buildings.drop(columns=["region_code"])
    frame["data_date"] = frame["data_date"].dt.strftime("%Y%m%d")
    frame = frame.rename(
        columns={
            "key": "楼栋编号",
            "name": "楼栋名称",
            "address": "地址",
            "compound": "小区",
            "kind": "类型",
            "floors": "层数",
            "households": "户数",
            "population": "人口",
            "data_date": "数据日期",
        }
    )
    with tempfile.TemporaryDirectory() as scratch:
        shape = Path(scratch) / "buildings.shp"
        _write(frame, shape, driver="ESRI Shapefile", encoding="GBK")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(Path(scratch).iterdir()):
                if part.suffix != ".cpg":
                    archive.writestr(zipfile.ZipInfo(part.name, EPOCH), _dated(part), zipfile.ZIP_DEFLATED)
    return path


def _day(moments: pd.Series) -> pd.Series:
    days: pd.Series = moments.dt.strftime("%Y-%m-%d")
    return days


def _dated(part: Path) -> bytes:
    """The bytes of a part; a .dbf carries the day it was written in bytes 1-3, which is set to the epoch's."""
    raw = part.read_bytes()
    if part.suffix == ".dbf":
        raw = raw[:1] + bytes([EPOCH[0] - 1900, EPOCH[1], EPOCH[2]]) + raw[4:]
    return raw


def _barriers(town: Town, path: Path) -> Path:
    def shifted(lonlat: np.ndarray) -> np.ndarray:
        return np.round(np.column_stack(wgs84_to_gcj02(lonlat[:, 0], lonlat[:, 1])), 8)

    frame = town.barriers.set_crs("EPSG:4326", allow_override=True)
    frame = frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), shifted))
    frame = frame.rename(
        columns={"kind": "类型", "class": "等级", "name": "名称", "tunnel": "隧道", "bridge": "桥梁", "width_m": "宽度"}
    )
    return _write(frame, path, driver="GeoJSON", layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "8"})


def _grids(town: Town, path: Path) -> Path:
    import geopandas

    frame = town.grids.assign(data_date=_day(town.grids["data_date"]))
    slips = frame.iloc[[2, 3, 4]].copy()
    slips["name"] = ["蝶形网格", "无编码网格", "无图形网格"]
    west, south, east, north = slips.geometry.iloc[0].bounds
    bow_tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    slips["code"] = [f"{slips['region_code'].iloc[0]}998", None, f"{slips['region_code'].iloc[2]}997"]
    slips = slips.set_geometry(np.array([bow_tie, slips.geometry.iloc[1], None], dtype=object))
    frame = geopandas.GeoDataFrame(pd.concat([frame, slips], ignore_index=True), crs=frame.crs)
    frame = frame.drop(columns=["parent_code"]).rename(
        columns={
            "code": "网格编码",
            "name": "网格名称",
            "kind": "网格类型",
            "department": "主管部门",
            "workers": "网格员人数",
            "households": "户数",
            "population": "人口",
            "region_code": "社区代码",
            "data_date": "数据日期",
        }
    )
    return _write(frame, path, driver="GPKG", layer="现状网格")


def _departments(town: Town, path: Path) -> Path:
    frame = town.department_grids[["code", "name", "department", "workers", "geometry"]]
    frame = frame.rename(
        columns={"code": "网格编码", "name": "Name", "department": "主管部门", "workers": "网格员人数"}
    )
    return _write(frame, path, driver="KML", layer="部门网格")


def _cases(town: Town, path: Path) -> Path:
    """CSV in gb18030, local times in two spellings; every 997th row has no place, every 1,499th a time to come."""
    frame = town.cases
    row = np.arange(1, len(frame) + 1)
    lonlat = shapely.get_coordinates(frame.geometry.to_numpy())
    no_place, ahead = row % 997 == 0, row % 1499 == 0
    times = {}
    for name in ("occurred_at", "reported_at", "closed_at"):
        local = frame[name].dt.tz_convert("Asia/Shanghai")
        text = local.dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy(object)
        dotted = local.dt.strftime("%Y.%m.%d %H:%M").to_numpy(object)
        times[name] = np.where(row % 50 == 7, dotted, text)
        times[name] = np.where(local.isna(), "", times[name])
    times["occurred_at"] = np.where(ahead, "2027-03-15 10:00:00", times["occurred_at"])
    columns: dict[str, Any] = {
        "事件编号": frame["number"],
        "事件类别": frame["category"],
        "等级": frame["level"],
        "来源": frame["source"],
        "发生时间": times["occurred_at"],
        "上报时间": times["reported_at"],
        "结案时间": times["closed_at"],
        "地点": frame["place"],
        "楼栋编号": frame["building_key"].fillna(""),
        "经度": np.where(no_place, "", np.char.mod("%.7f", lonlat[:, 0])),
        "纬度": np.where(no_place, "", np.char.mod("%.7f", lonlat[:, 1])),
    }
    with path.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True))
    return path


def _write(frame: geopandas.GeoDataFrame, path: Path, **options: Any) -> Path:
    """Write anew with pyogrio; a GeoPackage states the epoch as its last change."""
    import pyogrio

    path.unlink(missing_ok=True)
    options.setdefault("layer_options", {})
    with _gdal_options({"OGR_CURRENT_DATE": "2026-11-01T08:00:00.000Z"}):
        pyogrio.write_dataframe(frame, path, **options)
    return path


@contextmanager
def _gdal_options(options: dict[str, str]) -> Iterator[None]:
    """GDAL configuration options for the time of a block."""
    import pyogrio

    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))
