"""What plans' files and misfits are called."""

from __future__ import annotations

from flask_babel import gettext


def misfit_words() -> dict[str, str]:
    """Kinds of places where drawn grids did not fit the units."""
    return {
        "border_moved": gettext("边界已移到单元边界"),
        "building_cut": gettext("图上边界切割楼栋"),
        "compound_split": gettext("图上边界拆分小区"),
        "unit_cut": gettext("图上边界切割单元"),
        "gap": gettext("图上空隙"),
        "overlap": gettext("图上重叠"),
        "outside": gettext("画到社区之外"),
        "lost_grid": gettext("没有得到任何单元的网格"),
    }


def export_choices(*, reports: bool = True) -> list[tuple[str, str, str]]:
    """Formats of a plan, and ``reports`` of it: name in the address, what it is, what it is for."""
    found = [
        ("gpkg", "GeoPackage", gettext("图形与全部属性，推荐")),
        ("geojson", "GeoJSON", gettext("网页与程序使用")),
        ("shp", "Shapefile", gettext("英文字段名，附中文对照表")),
        ("xlsx", gettext("网格台账 XLSX"), gettext("编码为文本，可直接打印")),
        ("csv", gettext("网格台账 CSV"), gettext("UTF-8，Excel 与 WPS 可直接打开")),
        ("units-csv", gettext("单元归属 CSV"), gettext("可改后作为新方案导回")),
    ]
    if not reports:
        return found
    return [
        *found,
        ("report-xlsx", gettext("核查报告 XLSX"), gettext("逐条问题与提示")),
        ("report-pdf", gettext("核查报告 PDF"), gettext("带地图，可打印签字")),
        ("dossier-pdf", gettext("审批材料 PDF"), gettext("前后地图、对照、理由、操作记录")),
        ("dossier-xlsx", gettext("审批材料 XLSX"), gettext("同上，逐格逐步可筛选")),
    ]
