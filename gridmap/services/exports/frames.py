"""Grids and units of a plan as frames with Chinese headers, which our own import maps back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from geodata.standards import Profile
from gridmap.db import bulk
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import veils
from gridmap.sql import query

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

UNITS_SHEET = "单元归属"
KINDS = {"basic": "基础网格", "special": "专属网格", "micro": "微网格"}
STATUSES = {"under": "户数不足", "within": "符合标准", "over": "户数超标", "empty": "无住户", "unchecked": "未核查"}
GRID_HEADERS = {
    "code": "网格编码",
    "name": "网格名称",
    "kind": "网格类型",
    "department": "主管部门",
    "parent_code": "上级网格",
    "workers": "网格员人数",
    "households": "户数",
    "population": "人口",
    "status": "核查状态",
    "households_min": "标准下限",
    "households_max": "标准上限",
    "region_code": "社区代码",
    "region_name": "社区名称",
    "buildings": "楼栋数",
    "units": "单元数",
    "estimated_households": "其中估算",
    "missing_households": "缺户数楼栋",
    "area_m2": "面积平方米",
    "valid_from": "有效期起",
    "valid_to": "有效期止",
}
UNIT_HEADERS = {
    "unit_id": "单元编号",
    "region_code": "社区代码",
    "region_name": "社区名称",
    "number": "单元序号",
    "grid_id": "网格内部号",
    "grid_code": "网格编码",
    "grid_name": "网格名称",
    "grid_kind": "网格类型",
    "grid_parent": "上级网格",
    "grid_workers": "网格员人数",
    "households": "户数",
    "population": "人口",
    "buildings": "楼栋数",
    "area_m2": "面积平方米",
}
_COUNTS: tuple[str, ...] = (
    "workers",
    "households",
    "population",
    "buildings",
    "units",
    "estimated_households",
    "missing_households",
)
_COUNTS += ("households_min", "households_max", "unit_id", "number", "grid_id", "grid_workers")


def grids(session: Session, actor: Actor, plan_id: int, profile: Profile) -> gpd.GeoDataFrame:
    """One row a grid in order of code, geometry in EPSG:4490 (None where no unit is assigned)."""
    import geopandas as gpd
    import pandas as pd

    table = _table(session, actor, plan_id, "grids")
    bounds = [profile.bound(_class(kind, s)) for kind, s in zip(table["kind"], table["settlement"], strict=True)]
    columns: dict[str, Any] = dict(table)
    columns["households_min"] = [None if bound is None else bound.households_min for bound in bounds]
    columns["households_max"] = [None if bound is None else bound.households_max for bound in bounds]
    columns["kind"] = [KINDS[kind] for kind in table["kind"]]
    columns["status"] = [STATUSES[status] for status in table["status"]]
    frame = _typed(pd.DataFrame({name: list(columns[name]) for name in GRID_HEADERS})).rename(columns=GRID_HEADERS)
    return gpd.GeoDataFrame(frame, geometry=bulk.shapes(table["geom"]), crs="EPSG:4490")


def units(session: Session, actor: Actor, plan_id: int) -> pd.DataFrame:
    """One row a unit and the grid it belongs to (empty: none); then one row a grid without units."""
    import pandas as pd

    table = _table(session, actor, plan_id, "units")
    table["grid_kind"] = [KINDS.get(kind) for kind in table["grid_kind"]]  # type: ignore[assignment]
    return _typed(pd.DataFrame({name: list(table[name]) for name in UNIT_HEADERS})).rename(columns=UNIT_HEADERS)


def _class(kind: str, settlement: str | None) -> str:
    return {"special": "", "micro": "micro"}.get(kind, settlement or "")


def _table(session: Session, actor: Actor, plan_id: int, name: str) -> dict[str, bulk.Objects]:
    prefixes = list(actor.prefixes(Role.VIEWER))
    _, home = visible(session, actor, plan_id)
    keys = {"plan": plan_id, "prefixes": prefixes, "veiled": veils(actor, home.prefix)}
    return bulk.columns(session, query("exports", name), keys)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts as whole numbers that may be missing, days as days, the rest as text."""
    import pandas as pd

    for name in frame.columns:
        if name in _COUNTS:
            frame[name] = frame[name].astype("Int64")
        elif name in ("valid_from", "valid_to"):
            frame[name] = pd.to_datetime(frame[name])
        elif name != "area_m2":
            frame[name] = frame[name].astype(object)
        else:
            frame[name] = frame[name].astype("float64")
    return frame
