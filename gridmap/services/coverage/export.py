"""The table of coverage as a workbook or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services import audit, plans
from gridmap.services.actor import Actor
from gridmap.services.coverage.sums import RegionCoverage, coverage
from gridmap.services.coverage.trend import Step, trend
from gridmap.services.coverage.uncovered import Place, uncovered
from gridmap.services.days import today
from gridmap.services.exports.frames import STATUSES
from gridmap.services.exports.plan import fresh_path

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Mapping[str, str] = {"xlsx": ".xlsx", "csv": ".csv"}
_COUNTS = {
    "grids": "网格数",
    **{name: STATUSES[name] for name in ("within", "over", "under", "empty", "unchecked")},
    "unavoidable": "不可避免",
    "households": "户数",
    "population": "人口",
    "uncovered_buildings": "未覆盖楼栋",
    "uncovered_households": "未覆盖户数",
    "people_in_crowded": "超2000人网格人口",
    "estimated_households": "估算户数",
}
_GRIDS_MOST = 5000
_PLACES_MOST = 5000


@service
def export(
    session: Session,
    actor: Actor,
    fmt: str,
    *,
    plan_id: int | None = None,
    on: date | None = None,
    region: str | None = None,
) -> Path:
    """Write the table (with xlsx also grids of a community, what is not covered, the trend); where the file stands.

    Raises ``Invalid`` EXPORT_UNKNOWN_FORMAT, and what :func:`coverage` raises.
    """
    from geodata import writers

    if fmt not in FORMATS:
        raise Invalid("EXPORT_UNKNOWN_FORMAT", format=fmt, known=", ".join(FORMATS))
    found = coverage.within(session, actor, plan_id=plan_id, on=on, region=region)
    plan = next((one for one in plans.names.within(session, actor) if one.id == found.plan_id), None)
    path = fresh_path(f"覆盖情况-{region or '全部'}-{(on or today()).isoformat()}{FORMATS[fmt]}")
    table = _rows(found.rows)
    if fmt == "csv":
        writers.write_csv(table, path)
    else:
        sheets = {"覆盖情况": table}
        if plan is not None and region and len(found.rows) == 1 and found.rows[0].code == region:
            sheets["网格"] = _grids(plans.grids.within(session, actor, plan.id, region=region, limit=_GRIDS_MOST).rows)
        places = uncovered.within(session, actor, plan_id=plan_id, on=on, region=region, limit=_PLACES_MOST)
        sheets |= {"未覆盖": _places(places.rows), "趋势": _trend(trend.within(session, actor, region=region))}
        about = {
            "方案": plan.name if plan else "没有生效的方案",
            "日期": (on or today()).isoformat(),
            "区划": region or "全部",
        }
        writers.write_xlsx(sheets | {"说明": _about(about)}, path)
    told = {"format": fmt, "plan": found.plan_id, "region": region}
    audit.record(session, actor, "coverage.export", "plan", found.plan_id, region_code=region, **told)
    return path


def _counts(rows: list[RegionCoverage]) -> dict[str, Any]:
    import pandas as pd

    return {title: pd.array([getattr(row, name) for row in rows], dtype="Int64") for name, title in _COUNTS.items()} | {
        "估算占比": [round(row.estimated_share, 4) for row in rows]
    }


def _rows(rows: tuple[RegionCoverage, ...]) -> pd.DataFrame:
    import pandas as pd

    heads = {"区划代码": [row.code for row in rows], "区划名称": [row.name for row in rows]}
    dates = {"最旧数据": [row.oldest for row in rows], "最新数据": [row.newest for row in rows]}
    return pd.DataFrame(heads | _counts(list(rows)) | dates)


def _trend(steps: tuple[Step, ...]) -> pd.DataFrame:
    import pandas as pd

    heads = {"生效日期": [step.day for step in steps], "方案": ["、".join(step.plans) for step in steps]}
    return pd.DataFrame(heads | _counts([step.sums for step in steps]))


def _grids(rows: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "网格编码": [row.code for row in rows],
            "网格名称": [row.name for row in rows],
            "核查状态": [STATUSES[row.status] for row in rows],
            "户数": [row.households for row in rows],
            "人口": [row.population for row in rows],
            "其中估算": [row.estimated_households for row in rows],
        }
    )


def _places(rows: tuple[Place, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "类别": ["未分配单元" if row.kind == "unit" else "单元外楼栋" for row in rows],
            "名称": [row.name for row in rows],
            "社区代码": [row.region_code for row in rows],
            "社区名称": [row.region_name for row in rows],
            "楼栋数": [row.buildings for row in rows],
            "户数": [row.households for row in rows],
            "经度": [row.lon for row in rows],
            "纬度": [row.lat for row in rows],
        }
    )


def _about(told: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"项目": list(told), "内容": list(told.values())})
