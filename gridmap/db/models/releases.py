"""Releases: figures as they were published once, with what is withheld; nothing else of them is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.models.base import Base, Created, Id


class CaseRelease(Base):
    """Cases of a closed period by place and by column, made once: a trigger refuses every change.

    ``columns``: ``[{facet, key, node}]``, facet "time" ("2025", "2025Q1", "2025-01"), "category", "weekday" (0 Monday)
    or "hours" (0 to 5, four hours each). The grids are those of a plan, whatever became of it since.
    """

    __tablename__ = "case_release"
    __table_args__ = (UniqueConstraint("since"), CheckConstraint("since < until", name="span"))

    id: Mapped[Id]
    since: Mapped[datetime]
    until: Mapped[datetime]
    plan_id: Mapped[int | None]
    plan_name: Mapped[str | None]
    columns: Mapped[list[Any]]
    made_at: Mapped[Created]


class CaseReleasePlace(Base):
    """A place of a release. ``shown`` holds the count of each column node, -1 for "<5", -2 for withheld.

    ``level``: all, county, subdistrict, community, grid, or outside (of every grid of the community). ``region_code``
    is the region's own, for grids and outside that of the region they lie in.
    """

    __tablename__ = "case_release_place"
    __table_args__ = (
        Index(
            "ix_case_release_place_region",
            "release_id",
            "level",
            "region_code",
            postgresql_ops={"region_code": "text_pattern_ops"},
        ),
    )

    release_id: Mapped[int] = mapped_column(ForeignKey("case_release.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str]
    code: Mapped[str]
    region_code: Mapped[str]
    name: Mapped[str | None]
    grid_id: Mapped[int | None]
    shown: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class HouseholdRegion(Base):
    """Households of a region as they are shown to those without the right: as in :class:`HouseholdPlace`."""

    __tablename__ = "household_region"

    region_id: Mapped[int] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), primary_key=True)
    shown: Mapped[int] = mapped_column(BigInteger)


class HouseholdPlace(Base):
    """Households of a grid, or of what lies in none of a community, as they are shown to those without the right.

    ``shown``: a number, -1 for "<5", -2 for withheld, -3 for undecided (:mod:`gridmap.services.plans.households`).
    """

    __tablename__ = "household_place"
    __table_args__ = (Index("ix_household_place_grid", "plan_id", "grid_id"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str]
    code: Mapped[str]
    region_code: Mapped[str]
    grid_id: Mapped[int | None]
    shown: Mapped[int]
