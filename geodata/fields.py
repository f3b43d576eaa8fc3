"""What each kind of import is made of: the target fields that columns of a file are mapped to.

Names are the columns of every frame that travels between readers, checks and services. Field types: ``text``, ``code``
(text that must keep its zeros), ``count`` (non-negative integer), ``number``, ``date``, ``time``, ``flag``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a file holds. A compound's outline travels as a barrier of kind "compound"."""

    REGIONS = "regions"
    BUILDINGS = "buildings"
    BARRIERS = "barriers"
    GRIDS = "grids"
    CASES = "cases"
    UNITS = "units"


@dataclass(frozen=True, slots=True)
class Field:
    """A target field; ``zh`` and ``en`` are its label, ``guesses`` headers that mean it (lower case, no spaces)."""

    name: str
    type: str
    zh: str
    en: str
    guesses: tuple[str, ...] = ()
    required: bool = False


def _f(name: str, type: str, zh: str, en: str, guesses: str = "", required: bool = False) -> Field:
    return Field(name, type, zh, en, tuple(guesses.split()), required)


_LONLAT = (
    _f("lon", "number", "经度", "longitude", "lon lng longitude long x 经度 坐标x x坐标 东经"),
    _f("lat", "number", "纬度", "latitude", "lat latitude y 纬度 坐标y y坐标 北纬"),
)

FIELDS: Mapping[Kind, tuple[Field, ...]] = MappingProxyType(
    {
        Kind.REGIONS: (
            _f(
                "code",
                "code",
                "区划代码",
                "region code",
                "code 代码 编码 区划代码 行政区划代码 统计用区划代码 xzqdm qhdm dm",
                True,
            ),
            _f("name", "text", "名称", "name", "name 名称 区划名称 社区名称 村名 xzqmc qhmc mc", True),
            _f("level", "text", "级别", "level", "level 级别 层级 jb"),
            _f(
                "parent_code",
                "code",
                "上级代码",
                "parent code",
                "parent parent_code 上级代码 上级编码 所属街道代码 sjdm",
            ),
            _f(
                "urban_rural_code",
                "code",
                "城乡分类代码",
                "urban/rural class code",
                "urban_rural_code cxfl cxfldm 城乡分类代码 城乡分类",
            ),
            _f("source", "text", "数据来源", "source", "source 来源 数据来源"),
            _f("data_date", "date", "数据日期", "data date", "data_date date 日期 数据日期 更新日期"),
            *_LONLAT,
        ),
        Kind.BUILDINGS: (
            _f(
                "key",
                "code",
                "楼栋编号",
                "building key",
                "key id osm_id 楼栋编号 楼栋编码 建筑编号 楼栋代码 building_id ldbm",
            ),
            _f("name", "text", "楼栋名称", "name", "name 名称 楼栋名称 建筑名称 楼名 幢号 ldmc"),
            _f("address", "text", "地址", "address", "address addr 地址 详细地址 门牌 门牌地址 dz"),
            _f("compound", "text", "小区", "compound", "compound 小区 小区名称 院落 所属小区 xqmc"),
            _f("kind", "text", "类型", "kind", "kind type 类型 用途 建筑类型 楼栋类型 building lx"),
            _f(
                "floors",
                "count",
                "层数",
                "floors",
                "floors floor levels 层数 楼层 地上层数 building:levels cs",
            ),
            _f("height_m", "number", "高度（米）", "height in metres", "height height_m 高度 建筑高度 楼高 gd"),
            _f("households", "count", "户数", "households", "households hh 户数 总户数 住户数 家庭户数 hs"),
            _f(
                "population",
                "count",
                "人口",
                "population",
                "population pop 人口 人口数 常住人口 居住人数 预估人数 rks rk",
            ),
            _f("data_date", "date", "数据日期", "data date", "data_date date 日期 数据日期 更新日期 登记日期"),
            _f(
                "region_code",
                "code",
                "社区代码",
                "community code",
                "region_code community 社区代码 社区编码 所属社区代码 sqdm",
            ),
            _f(
                "grid_code",
                "code",
                "网格编码",
                "grid code",
                "grid grid_code 网格 网格编码 网格编号 所属网格 wgbm",
            ),
            *_LONLAT,
        ),
        Kind.BARRIERS: (
            _f(
                "kind",
                "text",
                "类型",
                "kind (road, water, rail, wall, compound)",
                "layer kind 类型 要素类型 lx",
            ),
            _f(
                "class",
                "text",
                "等级",
                "class",
                "class fclass kind_detail highway waterway railway kind 等级 道路等级 类别 dj",
            ),
            _f("name", "text", "名称", "name", "name 名称 路名 道路名称 河流名称 mc"),
            _f("tunnel", "flag", "隧道", "tunnel", "tunnel 隧道"),
            _f("bridge", "flag", "桥梁", "bridge", "bridge 桥梁 桥"),
            _f("width_m", "number", "宽度（米）", "width in metres", "width width_m 宽度 路宽"),
        ),
        Kind.GRIDS: (
            _f(
                "code",
                "code",
                "网格编码",
                "grid code",
                "code grid_code 网格编码 网格编号 网格代码 编码 代码 wgbm",
                True,
            ),
            _f("name", "text", "网格名称", "grid name", "name 名称 网格名称 wgmc"),
            _f("kind", "text", "网格类型", "grid kind", "kind type 类型 网格类型 网格种类"),
            _f("department", "text", "主管部门", "department", "department dept 部门 主管部门 条线"),
            _f("parent_code", "code", "上级网格", "parent grid", "parent parent_code 上级 上级网格 所属网格"),
            _f("workers", "count", "网格员人数", "grid workers", "workers 网格员 网格员数 网格员人数"),
            _f("households", "count", "户数（台账）", "households stated", "households hh 户数 总户数"),
            _f("population", "count", "人口（台账）", "population stated", "population pop 人口 人口数"),
            _f(
                "region_code",
                "code",
                "社区代码",
                "community code",
                "region_code community 社区代码 社区编码 所属社区",
            ),
            _f("data_date", "date", "数据日期", "data date", "data_date date 日期 数据日期"),
        ),
        Kind.CASES: (
            _f(
                "number",
                "code",
                "事件编号",
                "case number",
                "number id no case_id case_number 编号 事件编号 案件编号 工单号 工单编号",
            ),
            _f(
                "category",
                "text",
                "事件类别",
                "category",
                "category kind type offense 类别 类型 事件类别 事件类型 大类",
                True,
            ),
            _f("level", "text", "等级", "level", "level 级别 等级 紧急程度"),
            _f("source", "text", "来源", "source", "source 来源 事件来源 上报来源"),
            _f(
                "occurred_at",
                "time",
                "发生时间",
                "occurred at",
                "occurred occurred_at time date datetime 时间 日期 发生时间 事发时间",
                True,
            ),
            _f("reported_at", "time", "上报时间", "reported at", "reported reported_at 上报时间 受理时间"),
            _f("closed_at", "time", "结案时间", "closed at", "closed closed_at 结案时间 办结时间"),
            _f("place", "text", "地点", "place", "place address location 地点 地址 事发地点 位置"),
            _f("building_key", "code", "楼栋编号", "building key", "building building_key 楼栋 楼栋编号"),
            _f("grid_code", "code", "网格编码", "grid code", "grid grid_code 网格 网格编码 所属网格"),
            *_LONLAT,
        ),
        Kind.UNITS: (
            _f("key", "code", "单元编号", "unit key", "key id code 编号 编码 单元编号 单元编码 key_code"),
            _f("name", "text", "单元名称", "unit name", "name 名称 单元名称"),
            _f(
                "region_code",
                "code",
                "社区代码",
                "community code",
                "region_code community 社区代码 社区编码 所属社区",
            ),
            _f("households", "count", "户数", "households", "households hh 户数 总户数"),
            _f("population", "count", "人口", "population", "population pop 人口 人口数"),
            _f("data_date", "date", "数据日期", "data date", "data_date date 日期 数据日期"),
        ),
    }
)

#: Headers of personal data. Such columns are never mapped, staged or stored; the import names them as left out.
PERSONAL_HEADERS = (
    "姓名",
    "户主",
    "身份证",
    "证件号",
    "电话",
    "手机",
    "联系方式",
    "phone",
    "mobile",
    "idcard",
    "residentname",
)
