"""Monthly reports that were made, and where they are made by themselves."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.models.base import Base, Created, Id


class ReportFile(Base):
    """A report on a region and the month that begins on ``month``; ``file`` is its name in the folder of reports."""

    __tablename__ = "report_file"
    __table_args__ = (UniqueConstraint("region_id", "month", "locale"),)

    id: Mapped[Id]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"))
    month: Mapped[date]
    locale: Mapped[str]
    file: Mapped[str]
    bytes: Mapped[int]
    summary: Mapped[str]
    scheduled: Mapped[bool]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    made_at: Mapped[Created]


class ReportSchedule(Base):
    """A region whose months are reported on when they are over; ``next_month`` is the first that was not yet."""

    __tablename__ = "report_schedule"

    region_id: Mapped[int] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str]
    next_month: Mapped[date]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    set_at: Mapped[Created]
