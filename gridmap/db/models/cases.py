"""Cases: what happened, where and when. No free text of a report, no person."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.models.base import Base, Id, geometry

#: SQL: a case that a map can show. Written as in the index, so that those that are not so are found by it.
SHOWN = (
    "coalesce(ST_X(case_record.point) BETWEEN -180 AND 180 AND ST_Y(case_record.point) BETWEEN -90 AND 90, false)"
    " AND case_record.region_id IS NOT NULL AND isfinite(case_record.occurred_at)"
)


class Case(Base):
    """A reported incident. ``point`` null means that the place could not be found; times are UTC."""

    __tablename__ = "case_record"
    __table_args__ = (
        Index("ix_case_record_category_occurred", "category", "occurred_at"),
        Index(
            "ix_case_record_open", "occurred_at", "category", "region_id", postgresql_where=text("closed_at IS NULL")
        ),
        Index("ix_case_record_aside", "occurred_at", postgresql_where=text(f"NOT ({SHOWN})")),
    )

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(index=True)
    category: Mapped[str]
    level: Mapped[str | None]
    source: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    reported_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    place: Mapped[str | None]
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id", ondelete="SET NULL"), index=True)
    point: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
