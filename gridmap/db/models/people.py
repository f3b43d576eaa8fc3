"""Accounts, roles on regions, tokens, log-in attempts, and the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.db.models.base import Base, Created, Id
from gridmap.db.models.ground import Region


class User(Base):
    """A person who signs in; ``session_epoch`` rises to end all of that person's sessions."""

    __tablename__ = "app_user"

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    locale: Mapped[str | None]
    session_epoch: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Created]
    grants: Mapped[list[RoleGrant]] = relationship(back_populates="user", cascade="all, delete-orphan")


class SignInLink(Base):
    """A link that signs a person in once, to set a password."""

    __tablename__ = "sign_in_link"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A role on a region and all below it; ``region_id`` null means everywhere."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'case_officer', 'planner', 'approver', 'administrator')", name="role"),
        UniqueConstraint("user_id", "role", "region_id", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), index=True)
    user: Mapped[User] = relationship(back_populates="grants")
    region: Mapped[Region | None] = relationship()


class ApiToken(Base):
    """A token for programs; only its hash is kept."""

    __tablename__ = "api_token"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A log-in attempt; failed ones lock an account for a while, across restarts."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_login_at", "login", "at"),
        Index("ix_login_attempt_address_at", "address", "at"),
    )

    id: Mapped[Id]
    login: Mapped[str]
    address: Mapped[str | None]
    succeeded: Mapped[bool]
    at: Mapped[Created]


class AuditEvent(Base):
    """Who did what, when, to what. A trigger refuses every change and removal."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_subject", "subject_type", "subject_id"),)

    id: Mapped[Id]
    at: Mapped[Created] = mapped_column(index=True)
    user_id: Mapped[int | None]
    login: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    subject_type: Mapped[str | None]
    subject_id: Mapped[str | None]
    region_code: Mapped[str | None]
    address: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
