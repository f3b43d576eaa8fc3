"""What imports are called on pages: kinds, states, steps, how an encoding was found, what an acceptance made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext

from geodata.fields import Kind
from gridmap.services.imports import BatchView


@dataclass(frozen=True, slots=True)
class KindWords:
    """A kind of data: its name, the unit it is counted in, what a good file of it holds, and what it rests on."""

    kind: str
    name: str
    counted: str
    wants: str
    after: str


def kinds() -> Sequence[KindWords]:
    """The kinds in the order in which they are brought in."""
    return (
        KindWords(
            Kind.REGIONS,
            gettext("区划"),
            gettext("个"),
            gettext("区县、街道（乡镇）、社区（村）的边界面，带 12 位区划代码和名称。"),
            gettext("最先导入，其他数据靠它归属社区。"),
        ),
        KindWords(
            Kind.BARRIERS,
            gettext("道路、水系、围墙"),
            gettext("条"),
            gettext("道路、河流、铁路、围墙的线或面，以及小区范围；有类型和等级。"),
            gettext("划分单元的分界线。"),
        ),
        KindWords(
            Kind.BUILDINGS,
            gettext("楼栋"),
            gettext("栋"),
            gettext("楼栋轮廓或点，带楼栋编号、地址、小区、户数；也可用台账按编号补充户数。"),
            gettext("户数来自楼栋，只收汇总数。"),
        ),
        KindWords(
            Kind.GRIDS,
            gettext("现有网格"),
            gettext("个"),
            gettext("正在使用的网格面，带 15 位网格编码和名称；各部门的网格可分别导入。"),
            gettext("叠加到单元上形成划分方案。"),
        ),
        KindWords(
            Kind.CASES,
            gettext("事件"),
            gettext("件"),
            gettext("事件编号、类别、发生时间和位置（经纬度或楼栋编号）。"),
            gettext("用于热力图和每千户事件数。"),
        ),
        KindWords(
            Kind.UNITS,
            gettext("单元"),
            gettext("个"),
            gettext("已有的最小地块（街坊、小区）面；没有时由系统按道路和水系生成。"),
            gettext("可选。"),
        ),
    )


def kind_name(kind: str) -> str:
    """What a kind is called."""
    return next((words.name for words in kinds() if words.kind == kind), kind)


def state_badge(batch: BatchView) -> tuple[str, str, str]:
    """Words, tone and symbol of a batch's state."""
    return {
        "uploaded": (gettext("待确认列与坐标"), "info", "→"),
        "reading": (gettext("正在核查"), "info", "…"),
        "staged": (gettext("待接收"), "warn", "!"),
        "accepting": (gettext("正在接收"), "info", "…"),
        "accepted": (gettext("已接收"), "good", "✓"),
        "discarded": (gettext("已放弃"), "neutral", "✕"),
        "failed": (gettext("读取失败"), "bad", "✕"),
    }[batch.state]


def steps(state: str, *, looking_back: bool = False) -> list[tuple[str, str]]:
    """The four steps, each "done", "current" or "ahead"."""
    names = (gettext("文件"), gettext("列与坐标"), gettext("核查"), gettext("接收"))
    at = {"uploaded": 1, "failed": 1, "reading": 2, "staged": 2, "accepting": 3, "accepted": 4}.get(state, 0)
    at = 1 if looking_back else at
    return [(name, "done" if i < at else "current" if i == at else "ahead") for i, name in enumerate(names)]


def encoding_how(how: str) -> str:
    """How the encoding was found."""
    names: dict[str, str] = {
        "override": gettext("由您指定"),
        "cpg": gettext("文件自带的 .cpg 声明"),
        "bom": gettext("文件开头的字节标记"),
        "utf-8": gettext("全部文字都是有效的 UTF-8"),
        "gb18030": gettext("不是 UTF-8，全部文字都符合国标 gb18030"),
        "format": gettext("该格式规定的编码"),
    }
    return names.get(how, how)


def format_name(name: str) -> str:
    """A file format as people write it."""
    return {
        "shapefile": "Shapefile",
        "geopackage": "GeoPackage",
        "geojson": "GeoJSON",
        "geojsonseq": "GeoJSON",
        "kml": "KML",
        "kmz": "KMZ",
        "flatgeobuf": "FlatGeobuf",
        "geoparquet": "GeoParquet",
        "csv": "CSV",
        "xlsx": "Excel (XLSX)",
    }.get(name, name)


def made(counts: Mapping[str, object]) -> list[tuple[str, str, object]]:
    """What an acceptance did as (key, words, number), numbers of nothing left out."""
    words = {
        "inserted": gettext("新增"),
        "updated": gettext("更新"),
        "left": gettext("未接收的行"),
        "barriers": gettext("道路、水系、围墙"),
        "compounds": gettext("小区"),
        "buildings_joined": gettext("归入小区的楼栋"),
        "placed_in_units": gettext("归入单元的楼栋"),
        "placed_buildings": gettext("归入单元的楼栋"),
        "placed_cases": gettext("归入单元的事件"),
        "removed": gettext("被替换的旧数据"),
        "gaps_closed": gettext("合上的细缝"),
        "gaps_closed_m2": gettext("合上的细缝（m²）"),
        "overlaps_removed": gettext("去掉的重叠"),
        "overlaps_removed_m2": gettext("去掉的重叠（m²）"),
        "moved_m2": gettext("边界移动（m²）"),
        "wide_overlaps": gettext("较宽的重叠"),
        "wide_overlaps_m2": gettext("较宽的重叠（m²）"),
        "gaps_left": gettext("保留的空隙"),
        "gaps_left_m2": gettext("保留的空隙（m²）"),
        "vanished": gettext("消失的碎片"),
    }
    always = ("inserted", "updated", "left")
    return [
        (key, name, counts[key]) for key, name in words.items() if counts.get(key) or (key in always and key in counts)
    ]
