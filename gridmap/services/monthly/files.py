"""Reports that were made: kept in a folder beside the database, for whoever may see exact figures of their region."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Region, ReportFile, User
from gridmap.errors import NotFound
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.monthly.report import may_read
from gridmap.settings import settings

_LISTED = 500


@dataclass(frozen=True, slots=True)
class ReportInfo:
    """A report; ``month`` is its first day, ``made_by`` a name (None: by schedule or from the shell)."""

    id: int
    region_code: str
    region_name: str
    month: date
    locale: str
    bytes: int
    summary: str
    scheduled: bool
    made_by: str | None
    made_at: datetime


@service
def listed(session: Session, actor: Actor) -> tuple[ReportInfo, ...]:
    """The reports that the reader may open, the latest months first."""
    actor.require(Role.VIEWER)
    rows = session.execute(
        sa.select(ReportFile, Region.code, Region.name, Region.prefix, User.name)
        .join(Region, Region.id == ReportFile.region_id)
        .outerjoin(User, User.id == ReportFile.made_by)
        .where(actor.visible(Region.code))
        .order_by(ReportFile.month.desc(), Region.code, ReportFile.locale.desc())
        .limit(_LISTED)
    )
    return tuple(_info(row[0], row[1], row[2], row[4]) for row in rows if may_read(actor, row[3]))


@service
def opened(session: Session, actor: Actor, report_id: int) -> tuple[ReportInfo, Path]:
    """A report and where its file stands. Raises ``NotFound`` REPORT_NOT_FOUND, REPORT_FILE_GONE."""
    file, region = _found(session, actor, report_id)
    path = settings().reports_dir / file.file
    if not path.is_file():
        raise NotFound("REPORT_FILE_GONE")
    audit.record(
        session, actor, "report.read", "report", report_id, region_code=region.code, month=f"{file.month:%Y-%m}"
    )
    return _info(file, region.code, region.name, None), path


@service
def delete(session: Session, actor: Actor, report_id: int) -> None:
    """Take a report away, file and all. Raises ``NotFound`` REPORT_NOT_FOUND."""
    file, region = _found(session, actor, report_id)
    session.delete(file)
    session.flush()
    (settings().reports_dir / file.file).unlink(missing_ok=True)
    audit.record(
        session, actor, "report.delete", "report", report_id, region_code=region.code, month=f"{file.month:%Y-%m}"
    )


def keep(
    session: Session,
    actor: Actor,
    region: Region,
    month: date,
    locale: str,
    made: Path,
    summary: str,
    *,
    scheduled: bool,
) -> int:
    """Put a report where the one of the same month was; its number. ``made`` is moved into the folder."""
    name = f"{region.code}-{month:%Y-%m}-{locale}.pdf"
    values = {
        "file": name,
        "bytes": made.stat().st_size,
        "summary": summary,
        "scheduled": scheduled,
        "made_by": actor.user_id,
    }
    row = insert(ReportFile).values(region_id=region.id, month=month, locale=locale, **values)
    kept = row.on_conflict_do_update(
        index_elements=["region_id", "month", "locale"], set_=values | {"made_at": sa.func.now()}
    )
    report_id: int | None = session.scalar(kept.returning(ReportFile.id))
    made.replace(settings().reports_dir / name)
    assert report_id is not None
    return report_id


def _found(session: Session, actor: Actor, report_id: int) -> tuple[ReportFile, Region]:
    actor.require(Role.VIEWER)
    row = session.execute(
        sa.select(ReportFile, Region).join(Region, Region.id == ReportFile.region_id).where(ReportFile.id == report_id)
    ).one_or_none()
    if row is None or not may_read(actor, row[1].prefix):
        raise NotFound("REPORT_NOT_FOUND", report=report_id)
    return row[0], row[1]


def _info(file: ReportFile, code: str, region: str, made_by: str | None) -> ReportInfo:
    return ReportInfo(
        id=file.id,
        region_code=code,
        region_name=region,
        month=file.month,
        locale=file.locale,
        bytes=file.bytes,
        summary=file.summary,
        scheduled=file.scheduled,
        made_by=made_by,
        made_at=file.made_at,
    )
