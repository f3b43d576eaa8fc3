"""Plans: the assignment unit -> grid, the grids derived from it, what was checked, and what did not fit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.models.base import Base, Created, Id, Instant, geometry


class Plan(Base):
    """A named assignment of units to grids over the subtree of ``region``; ``profile`` is its standard, kept as it was.

    ``version`` rises with every change; ``checked_version`` is the one that ``check_result`` speaks of.
    """

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'approved', 'published', 'archived')", name="state"),
    )

    id: Mapped[Id]
    name: Mapped[str]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    department: Mapped[str | None]
    profile_name: Mapped[str]
    profile: Mapped[dict[str, Any]]
    base_plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))
    state: Mapped[str] = mapped_column(server_default="draft")
    version: Mapped[int] = mapped_column(server_default=text("1"))
    checked_version: Mapped[int | None]
    checked_at: Mapped[datetime | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class Grid(Base):
    """A grid of a plan; geometry and counts are derived from its units, never drawn beside them.

    ``status``: under, within, over, empty, or unchecked (special-purpose, or not yet checked). ``locked``: its units
    stay in it and no other comes to it until it is unlocked.
    """

    __tablename__ = "grid"
    __table_args__ = (
        CheckConstraint("kind IN ('basic', 'special', 'micro')", name="kind"),
        CheckConstraint("status IN ('under', 'within', 'over', 'empty', 'unchecked')", name="status"),
        Index("ix_grid_plan_code", "plan_id", "code"),
        UniqueConstraint("plan_id", "id"),  # what plan_unit points at
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("grid.id", ondelete="SET NULL"), index=True)
    code: Mapped[str]
    name: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="basic")
    workers: Mapped[int | None]
    locked: Mapped[bool] = mapped_column(server_default=text("false"))
    geom: Mapped[WKBElement | None] = mapped_column(geometry("MULTIPOLYGON"))
    area_m2: Mapped[float] = mapped_column(server_default=text("0"))
    households: Mapped[int] = mapped_column(server_default=text("0"))
    population: Mapped[int] = mapped_column(server_default=text("0"))
    buildings: Mapped[int] = mapped_column(server_default=text("0"))
    units: Mapped[int] = mapped_column(server_default=text("0"))
    estimated_households: Mapped[int] = mapped_column(server_default=text("0"))
    missing_households: Mapped[int] = mapped_column(server_default=text("0"))
    status: Mapped[str] = mapped_column(server_default="unchecked")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class PlanUnit(Base):
    """One unit of a plan and the grid (of the same plan) it belongs to; ``grid_id`` null means unassigned.

    At commit every grid touched must say what its units say: triggers of migration 0003 refuse anything else.
    """

    __tablename__ = "plan_unit"
    __table_args__ = (
        ForeignKeyConstraint(["plan_id", "grid_id"], ["grid.plan_id", "grid.id"], ondelete="SET NULL (grid_id)"),
        Index("ix_plan_unit_free", "plan_id", postgresql_where=text("grid_id IS NULL")),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, index=True)
    grid_id: Mapped[int | None] = mapped_column(index=True)


class SourceGrid(Base):
    """A grid as it was drawn elsewhere, before it was laid over the units."""

    __tablename__ = "source_grid"

    id: Mapped[Id]
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), index=True)
    department: Mapped[str | None]
    code: Mapped[str]
    name: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="basic")
    parent_code: Mapped[str | None]
    workers: Mapped[int | None]
    households: Mapped[int | None]
    population: Mapped[int | None]
    data_date: Mapped[date | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))


class PlanMisfit(Base):
    """A place where drawn grids did not fit the units: overlap, gap, unit or building or compound cut, and so on."""

    __tablename__ = "plan_misfit"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("grid.id", ondelete="SET NULL"), index=True)
    other_grid_id: Mapped[int | None] = mapped_column(ForeignKey("grid.id", ondelete="SET NULL"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    area_m2: Mapped[float | None]
    households: Mapped[int | None]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY"))


class PlanOperation(Base):
    """Append-only log of what changed a plan: undo, redo, replay and audit all read it.

    ``key`` is given by who made the operation, so that one sent twice counts once. ``undoes``: the version it takes
    back. ``hash`` (SHA-256 over the row and the hash before it) is written by a trigger: a chain nobody can rewrite.
    """

    __tablename__ = "plan_operation"
    __table_args__ = (
        UniqueConstraint("plan_id", "version"),
        UniqueConstraint("plan_id", "key"),
        Index("ix_plan_operation_undoes", "plan_id", postgresql_where=text("undoes IS NOT NULL")),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    version: Mapped[int]
    at: Mapped[Created]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    key: Mapped[UUID | None]
    undoes: Mapped[int | None]
    hash: Mapped[str | None]


class PlanStep(Base):
    """Append-only: what became of a plan between draft and archive: who, when, and what they said."""

    __tablename__ = "plan_step"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('submit', 'withdraw', 'return', 'approve', 'publish', 'replace', 'restore', 'archive')",
            name="kind",
        ),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    at: Mapped[Created]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[str]
    comment: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class PlanReason(Base):
    """Why a warning of a check is accepted; ``grid_code`` '' speaks of all warnings of the rule."""

    __tablename__ = "plan_reason"

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    grid_code: Mapped[str] = mapped_column(primary_key=True, server_default="")
    text: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    at: Mapped[Created]


class PlanComment(Base):
    """A remark on a plan, on one of its grids or on a place; an answer stands under another (``reply_to``)."""

    __tablename__ = "plan_comment"

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("grid.id", ondelete="SET NULL"), index=True)
    grid_code: Mapped[str | None]
    reply_to: Mapped[int | None] = mapped_column(ForeignKey("plan_comment.id", ondelete="CASCADE"), index=True)
    point: Mapped[WKBElement | None] = mapped_column(geometry("POINT", index=False))
    text: Mapped[str]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[Created]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    resolved_at: Mapped[Instant | None]


class PlanPresence(Base):
    """Who has a plan open: one row a browser tab (``client``), forgotten when it is silent."""

    __tablename__ = "plan_presence"
    __table_args__ = (Index("ix_plan_presence_seen_at", "seen_at"), {"prefixes": ["UNLOGGED"]})

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    client: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    grid_id: Mapped[int | None]
    seen_at: Mapped[Created]


class CheckResult(Base):
    """One finding of a rule on a plan, with the fault's place and the numbers of its sentence."""

    __tablename__ = "check_result"
    __table_args__ = (
        CheckConstraint("severity IN ('E', 'W', 'I')", name="severity"),
        Index("ix_check_result_plan_rule", "plan_id", "rule"),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    rule: Mapped[str]
    severity: Mapped[str]
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("grid.id", ondelete="CASCADE"), index=True)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    code: Mapped[str]
    value: Mapped[float | None]
    limit: Mapped[float | None]
    unavoidable: Mapped[bool] = mapped_column(server_default=text("false"))
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    sentence_zh: Mapped[str]
    sentence_en: Mapped[str]
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY"))
