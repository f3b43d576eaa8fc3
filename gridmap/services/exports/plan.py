"""Writing a plan to a file."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db.engine import service
from gridmap.db.models import Plan, Region
from gridmap.errors import Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.exports import frames
from gridmap.services.file_names import file_name
from gridmap.services.plans.access import visible
from gridmap.settings import settings

if TYPE_CHECKING:
    import pandas as pd

#: Suffix of each format: vector files, the ledger as a workbook or CSV, and the assignment unit -> grid as CSV.
FORMATS: Mapping[str, str] = {
    "gpkg": ".gpkg",
    "geojson": ".geojson",
    "shp": ".zip",
    "xlsx": ".xlsx",
    "csv": ".csv",
    "units-csv": ".csv",
}
KEPT_SECONDS = 24 * 3600


@service
def plan(session: Session, actor: Actor, plan_id: int, fmt: str, *, path: Path | None = None) -> Path:
    """Write the part of a plan that the actor may see as ``fmt`` (see ``FORMATS``); where it stands.

    Without ``path`` the file gets a name that a person recognises, in a folder of its own under the exports folder;
    such folders are removed after a day. Raises ``Invalid`` EXPORT_UNKNOWN_FORMAT.
    """
    from geodata import writers

    found, region = visible(session, actor, plan_id)
    if fmt not in FORMATS:
        raise Invalid("EXPORT_UNKNOWN_FORMAT", format=fmt, known=", ".join(FORMATS))
    path = path or fresh_path(
        f"{found.name}-{'单元归属' if fmt == 'units-csv' else '网格'}-v{found.version}{FORMATS[fmt]}"
    )
    if fmt == "units-csv":
        writers.write_csv(frames.units(session, actor, plan_id), path)
    else:
        grids = frames.grids(session, actor, plan_id, standards.from_dict(found.profile))
        if fmt == "csv":
            writers.write_csv(grids.drop(columns="geometry"), path)
        elif fmt == "xlsx":
            sheets = {
                "网格台账": grids.drop(columns="geometry"),
                frames.UNITS_SHEET: frames.units(session, actor, plan_id),
            }
            writers.write_xlsx(sheets | {"说明": _about(found, region)}, path)
        else:
            writers.write_vector(grids, path, fmt, layer="网格")
    audit.record(session, actor, "plan.export", "plan", plan_id, region_code=region.code, format=fmt)
    return path


def fresh_path(name: str) -> Path:
    """A path of that name in a new folder under the exports folder; folders older than a day go away."""
    plain = re.sub(r'[\\/:*?"<>|\0\s]+', "_", name)
    folder = settings().exports_dir
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("export-*"):
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=folder, prefix="export-")) / file_name(plain, "export")


def _about(found: Plan, region: Region) -> pd.DataFrame:
    import pandas as pd

    rows = {
        "方案": found.name,
        "方案编号": str(found.id),
        "版本": str(found.version),
        "区域": f"{region.name}（{region.code}）",
        "标准": found.profile["title_zh"],
        "状态": found.state,
        "核查": "未核查" if found.checked_version != found.version else f"{found.checked_at:%Y-%m-%d %H:%M} UTC",
        "坐标系": "CGCS2000 经纬度（EPSG:4490）",
    }
    return pd.DataFrame({"项目": list(rows), "内容": list(rows.values())})
