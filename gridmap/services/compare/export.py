"""The table of a comparison as a workbook or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.compare.pair import Comparison, compare
from gridmap.services.compare.table import Row
from gridmap.services.exports.frames import STATUSES
from gridmap.services.exports.plan import fresh_path

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Mapping[str, str] = {"xlsx": ".xlsx", "csv": ".csv"}
CHANGES = {"changed": "范围变化", "new": "新增", "gone": "撤并", "renamed": "仅名称等变化", "same": "不变"}
_SIDE = {
    "code": "网格编码",
    "name": "网格名称",
    "households": "户数",
    "population": "人口",
    "status": "核查状态",
    "area_m2": "面积平方米",
    "workers": "网格员人数",
    "cases": "近一年事件",
}
_COUNTS = ("households", "population", "workers", "cases")


@service
def export(session: Session, actor: Actor, a_id: int, b_id: int, fmt: str) -> Path:
    """Write all rows (and with xlsx the sums); where the file stands. Raises ``Invalid`` EXPORT_UNKNOWN_FORMAT."""
    from geodata import writers

    if fmt not in FORMATS:
        raise Invalid("EXPORT_UNKNOWN_FORMAT", format=fmt, known=", ".join(FORMATS))
    found = compare.within(session, actor, a_id, b_id)
    path = fresh_path(f"方案比较-{found.a.name[:40]}-{found.b.name[:40]}{FORMATS[fmt]}")
    if fmt == "csv":
        writers.write_csv(_rows(found.rows), path)
    else:
        writers.write_xlsx({"网格对比": _rows(found.rows), "汇总": _sums(found)}, path)
    audit.record(
        session, actor, "plan.compare_export", "plan", b_id, region_code=found.region_code, base=a_id, format=fmt
    )
    return path


def _rows(rows: tuple[Row, ...]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        "变化": [CHANGES[row.change] for row in rows],
        "社区代码": [row.region_code for row in rows],
        "社区名称": [row.region_name for row in rows],
    }
    for side, word in (("before", "前"), ("after", "后")):
        for name, title in _SIDE.items():
            values = [None if (one := getattr(row, side)) is None else getattr(one, name) for row in rows]
            if name == "status":
                values = [None if value is None else STATUSES[value] for value in values]
            columns[f"{title}（{word}）"] = pd.array(values, dtype="Int64") if name in _COUNTS else values
    columns["迁入户数"] = pd.array([row.moved_in for row in rows], dtype="Int64")
    columns["迁出户数"] = pd.array([row.moved_out for row in rows], dtype="Int64")
    return pd.DataFrame(columns)


def _sums(found: Comparison) -> pd.DataFrame:
    import pandas as pd

    before, after, moves = found.before, found.after, found.moves
    rows: list[tuple[str, Any, Any]] = [
        ("方案", found.a.name, found.b.name),
        ("方案编号", str(found.a.id), str(found.b.id)),
        ("版本", str(found.a.version), str(found.b.version)),
        ("网格数", before.grids, after.grids),
        ("户数", before.households, after.households),
        ("人口", before.population, after.population),
        *((STATUSES[name], before.statuses[name], after.statuses[name]) for name in STATUSES),
        ("错误（核查有效时）", before.errors, after.errors),
        ("警告（核查有效时）", before.warnings, after.warnings),
        ("未分配单元", before.unassigned_units, after.unassigned_units),
        ("未分配户数", before.unassigned_households, after.unassigned_households),
        ("网格员人数", before.workers, after.workers),
        ("平均紧凑度（Polsby-Popper）", before.compactness, after.compactness),
        ("近一年事件", before.cases, after.cases),
        ("换网格户数", None, moves.moved),
        ("换网格户数占比", None, moves.share),
        ("新分配户数", None, moves.assigned),
        ("变为未分配户数", None, moves.unassigned),
        ("涉及网格员", None, moves.workers_affected),
        *((f"网格：{word}", None, moves.changes[name]) for name, word in CHANGES.items()),
        ("按图形叠加推算的户数", None, moves.overlaid),
        ("只在一方、无法比较的户数", moves.only_a, moves.only_b),
    ]
    return pd.DataFrame(
        {
            "项目": [row[0] for row in rows],
            "前": pd.Series([row[1] for row in rows], dtype=object),
            "后": pd.Series([row[2] for row in rows], dtype=object),
        }
    )
