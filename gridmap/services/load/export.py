"""The table of the load as a workbook or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.compare.export import CHANGES
from gridmap.services.exports.plan import fresh_path
from gridmap.services.load.figures import Load, Spread, Wanted, load
from gridmap.services.load.words import sentences

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Mapping[str, str] = {"xlsx": ".xlsx", "csv": ".csv"}
_SIDE = {
    "code": "网格编码", "name": "网格名称", "cases": "事件", "households": "户数", "rate": "每千户事件",
    "workers": "网格员人数", "per_worker": "每名网格员事件",
}  # fmt: skip
_WHOLE = ("cases", "households", "workers")
_SPREAD = {
    "grids": "网格数", "cases": "事件", "households": "户数", "least": "最少", "median": "中位数", "most": "最多",
    "mean": "平均", "gini": "基尼系数", "variation": "变异系数", "above": "超过上限的网格",
}  # fmt: skip


@service
def export(
    session: Session, actor: Actor, plan_id: int, fmt: str, *, other_id: int | None = None, wanted: Wanted | None = None
) -> Path:
    """Write all rows (with xlsx sums and sentences); where the file stands. Raises what :func:`load` raises.

    Also ``Invalid`` EXPORT_UNKNOWN_FORMAT.
    """
    from geodata import writers

    if fmt not in FORMATS:
        raise Invalid("EXPORT_UNKNOWN_FORMAT", format=fmt, known=", ".join(FORMATS))
    found = load.within(session, actor, plan_id, other_id=other_id, wanted=wanted)
    path = fresh_path(f"方案负荷-{found.plan.name[:40]}-{found.since}-{found.until}{FORMATS[fmt]}")
    if fmt == "csv":
        writers.write_csv(_rows(found), path)
    else:
        writers.write_xlsx({"按网格": _rows(found), "分布": _spreads(found), "说明": _about(found)}, path)
    told = {"format": fmt, "other": found.other.id if found.other else None}
    audit.record(session, actor, "plan.load_export", "plan", plan_id, region_code=found.region_code, **told)
    return path


def _rows(found: Load) -> pd.DataFrame:
    import pandas as pd

    rows = list(found.rows)
    columns: dict[str, Any] = {
        "社区代码": [row.region_code for row in rows],
        "社区名称": [row.region_name for row in rows],
    }
    sides = [("before", "（原）"), ("after", "（新）")] if found.other else [("after", "")]
    if found.other:
        columns["变化"] = [CHANGES[row.change] for row in rows]
    for side, word in sides:
        for name, title in _SIDE.items():
            values = [None if (one := getattr(row, side)) is None else getattr(one, name) for row in rows]
            columns[f"{title}{word}"] = pd.array(values, dtype="Int64") if name in _WHOLE else values
    if found.other:
        columns["事件增减"] = [row.by for row in rows]
    return pd.DataFrame(columns)


def _spreads(found: Load) -> pd.DataFrame:
    import pandas as pd

    def column(one: Spread | None) -> list[Any]:
        return [None if one is None else getattr(one, name) for name in _SPREAD]

    columns: dict[str, Any] = {"项目": list(_SPREAD.values())}
    if found.other is not None:
        columns[f"原：{found.other.name}"] = pd.Series(column(found.before), dtype=object)
    columns[f"新：{found.plan.name}"] = pd.Series(column(found.after), dtype=object)
    return pd.DataFrame(columns)


def _about(found: Load) -> pd.DataFrame:
    import pandas as pd

    lines = [
        ("方案", f"{found.plan.name}（#{found.plan.id}，第 {found.plan.version} 版）"),
        ("与之比较", f"{found.other.name}（#{found.other.id}，第 {found.other.version} 版）" if found.other else "—"),
        ("范围", f"{found.region_name} {found.region_code}"),
        ("事件日期", f"{found.since} 至 {found.until}"),
        ("事件类别", "、".join(found.categories) or "全部（不含敏感类别）"),
        ("上限", str(found.limit)),
        *((f"结论 {i}", text) for i, text in enumerate(sentences(found, "zh"), 1)),
    ]
    return pd.DataFrame({"项目": [one[0] for one in lines], "内容": [one[1] for one in lines]})
