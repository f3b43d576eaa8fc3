"""The ground: regions, barriers, compounds, buildings, units."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.db.models.base import Base, Created, Id, geometry


class Region(Base):
    """County, subdistrict or community; ``code`` has 12 digits, ``prefix`` those that its subtree shares."""

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint("level IN ('county', 'subdistrict', 'community')", name="level"),
        CheckConstraint("settlement IN ('urban', 'rural')", name="settlement"),
        Index("ix_region_prefix", "prefix", postgresql_ops={"prefix": "text_pattern_ops"}),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str]
    name: Mapped[str]
    level: Mapped[str]
    settlement: Mapped[str | None]
    urban_rural_code: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    area_m2: Mapped[float]
    source: Mapped[str | None]
    data_date: Mapped[date | None]
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
    updated_at: Mapped[Created]
    parent: Mapped[Region | None] = relationship(remote_side="Region.id")


class Barrier(Base):
    """What bounds units: road, water, rail or wall, with its class; lines, or polygons for water."""

    __tablename__ = "barrier"
    __table_args__ = (CheckConstraint("kind IN ('road', 'water', 'rail', 'wall')", name="kind"),)

    id: Mapped[Id]
    kind: Mapped[str]
    class_: Mapped[str | None] = mapped_column("class")
    name: Mapped[str | None]
    tunnel: Mapped[bool] = mapped_column(server_default=text("false"))
    bridge: Mapped[bool] = mapped_column(server_default=text("false"))
    width_m: Mapped[float | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Compound(Base):
    """A walled or managed residential area (小区); ``geom`` null where only its name is known."""

    __tablename__ = "compound"
    __table_args__ = (Index("ix_compound_name", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    geom: Mapped[WKBElement | None] = mapped_column(geometry("MULTIPOLYGON"))
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Building(Base):
    """A footprint or a point with counts; ``estimated`` marks households that were derived, not counted.

    ``point`` lies inside the footprint and decides the community; ``households`` null means unknown.
    """

    __tablename__ = "building"
    __table_args__ = (
        CheckConstraint("households >= 0", name="households"),
        CheckConstraint("population >= 0", name="population"),
    )

    id: Mapped[Id]
    key: Mapped[str | None] = mapped_column(index=True)
    name: Mapped[str | None]
    address: Mapped[str | None]
    compound_id: Mapped[int | None] = mapped_column(ForeignKey("compound.id"), index=True)
    kind: Mapped[str | None]
    floors: Mapped[int | None]
    households: Mapped[int | None]
    population: Mapped[int | None]
    estimated: Mapped[bool] = mapped_column(server_default=text("false"))
    data_date: Mapped[date | None]
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id", ondelete="SET NULL"), index=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    point: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Unit(Base):
    """The smallest piece of ground a grid is made of; the living units of a community tile it.

    A rebuild retires the old units (``retired_at``); plans made of them keep them. A free-hand cut makes two units of
    one (``cut_of``); they are born retired and belong to the plans that hold them, until such a plan is published.
    """

    __tablename__ = "unit"
    __table_args__ = (
        Index("ix_unit_region_living", "region_id", postgresql_where=text("retired_at IS NULL")),
        Index("ix_unit_region_id", "region_id"),
    )

    id: Mapped[Id]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    number: Mapped[int]
    key: Mapped[str | None]
    name: Mapped[str | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    area_m2: Mapped[float]
    households: Mapped[int] = mapped_column(server_default=text("0"))
    population: Mapped[int] = mapped_column(server_default=text("0"))
    buildings: Mapped[int] = mapped_column(server_default=text("0"))
    estimated_households: Mapped[int] = mapped_column(server_default=text("0"))
    missing_households: Mapped[int] = mapped_column(server_default=text("0"))
    oldest_data: Mapped[date | None]
    compound_id: Mapped[int | None] = mapped_column(ForeignKey("compound.id"), index=True)
    provenance: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    cut_of: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    retired_at: Mapped[datetime | None]
