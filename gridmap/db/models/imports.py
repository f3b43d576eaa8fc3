"""Imports: a batch by content, its staged rows, what was found in them, and remembered column mappings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.models.base import Base, Created, Id, geometry

BATCH_STATES = ("uploaded", "reading", "staged", "accepting", "accepted", "discarded", "failed")


class ImportBatch(Base):
    """One file on its way in. ``sha256`` recognises the same file; ``error`` holds a coded error if it failed."""

    __tablename__ = "import_batch"
    __table_args__ = (CheckConstraint(f"state IN {BATCH_STATES}", name="state"),)

    id: Mapped[Id]
    sha256: Mapped[str] = mapped_column(index=True)
    filename: Mapped[str]
    size_bytes: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="uploaded")
    region_id: Mapped[int | None] = mapped_column(
        ForeignKey("region.id", use_alter=True, name="fk_import_batch_region_id")
    )
    format: Mapped[str | None]
    layer: Mapped[str | None]
    encoding: Mapped[str | None]
    crs: Mapped[str | None]
    datum: Mapped[str | None]
    department: Mapped[str | None]
    header_hash: Mapped[str | None]
    mapping: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    report: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    rows_total: Mapped[int | None]
    rows_bad: Mapped[int | None]
    rows_accepted: Mapped[int | None]
    progress: Mapped[float] = mapped_column(server_default=text("0"))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[Created]
    accepted_at: Mapped[datetime | None]


class ImportRow(Base):
    """A staged row: typed target columns as JSON, geometry in the stored CRS.

    ``source`` keeps the record of a bad row, and of an accepted one that changed something what that was before. The
    table is not logged: after a crash of the database server it is empty, and files are staged anew.
    """

    __tablename__ = "import_row"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    bad: Mapped[bool] = mapped_column(server_default=text("false"))
    fields: Mapped[dict[str, Any]]
    source: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY", index=False))


class ImportProblem(Base):
    """A finding in a staged row (or, ``row`` null, in the file)."""

    __tablename__ = "import_problem"
    __table_args__ = (
        CheckConstraint("severity IN ('E', 'W', 'I')", name="severity"),
        Index("ix_import_problem_batch_row", "batch_id", "row"),
    )

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    row: Mapped[int | None]
    code: Mapped[str]
    severity: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY", index=False))


class ColumnMapping(Base):
    """The mapping last confirmed for a set of headers, offered again when they return."""

    __tablename__ = "column_mapping"
    __table_args__ = (UniqueConstraint("kind", "header_hash"),)

    id: Mapped[Id]
    kind: Mapped[str]
    header_hash: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    updated_at: Mapped[Created]


class DataVersion(Base):
    """A counter per layer that rises with every change: tiles, pages and caches carry it."""

    __tablename__ = "data_version"

    layer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default=text("1"))
