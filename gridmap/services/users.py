"""Administering accounts: an administrator of a subtree manages those whose grants all lie inside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Region, RoleGrant, User
from gridmap.errors import Conflict, Invalid
from gridmap.services import audit
from gridmap.services.accounts import WITH_GRANTS, create_sign_in_link, manageable, managed, reach
from gridmap.services.actor import Actor, Role
from gridmap.services.passwords import hashed
from gridmap.services.sign_in import unlock

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """A role and the region it is granted on; ``region_code`` None is everywhere."""

    role: str
    region_code: str | None
    region_name: str | None


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An account as administrators see it."""

    id: int
    login: str
    name: str
    active: bool
    has_password: bool
    created_at: datetime
    grants: tuple[GrantInfo, ...]


@dataclass(frozen=True, slots=True)
class RegionChoice:
    """A region a role can be granted on; ``depth`` 0 is a county."""

    code: str
    name: str
    depth: int


@service
def list_users(session: Session, actor: Actor) -> list[UserInfo]:
    """The accounts the actor manages, by login."""
    actor.require(Role.ADMINISTRATOR)
    query = sa.select(User).where(manageable(actor)).order_by(User.login).options(*WITH_GRANTS)
    return [_info(user) for user in session.scalars(query)]


@service
def get_user(session: Session, actor: Actor, user_id: int) -> UserInfo:
    """One account; ``NotFound`` where the actor does not manage it."""
    actor.require(Role.ADMINISTRATOR)
    return _info(managed(session, actor, User.id == user_id))


@service
def region_choices(session: Session, actor: Actor) -> list[RegionChoice]:
    """The regions the actor may grant roles on, each below its parent."""
    actor.require(Role.ADMINISTRATOR)
    depth = {"county": 0, "subdistrict": 1, "community": 2}
    query = sa.select(Region.code, Region.name, Region.level).where(actor.visible(Region.prefix, Role.ADMINISTRATOR))
    rows = session.execute(query.order_by(Region.prefix)).all()
    return [RegionChoice(row.code, row.name, depth[row.level]) for row in rows]


@service
def add_user(session: Session, actor: Actor, login: str, name: str, grants: Iterable[tuple[str, str | None]]) -> int:
    """Add an account without a password and return its id; ``grants`` are (role, region code or None)."""
    actor.require(Role.ADMINISTRATOR)
    login = login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Invalid("LOGIN_FORM", login=login)
    if session.scalar(sa.select(User.id).where(User.login == login)) is not None:
        raise Conflict("LOGIN_TAKEN", login=login)
    user = User(login=login, name=_good_name(name), grants=_grants(session, actor, grants))
    session.add(user)
    session.flush()
    audit.record(session, actor, "user.add", "user", user.id, region_code=reach(user), login=login, **_shown(user))
    return user.id


@service
def invite_user(
    session: Session, actor: Actor, login: str, name: str, grants: Iterable[tuple[str, str | None]]
) -> tuple[int, str]:
    """Add an account and return its id with the path of a one-time sign-in link to hand over."""
    user_id = add_user.within(session, actor, login, name, grants)
    return user_id, create_sign_in_link.within(session, actor, login.strip().lower())


@service
def rename_user(session: Session, actor: Actor, user_id: int, name: str) -> None:
    """Change the name shown for an account."""
    user = managed(session, actor, User.id == user_id)
    before, user.name = user.name, _good_name(name)
    audit.record(
        session, actor, "user.rename", "user", user.id, region_code=reach(user), before=before, after=user.name
    )


@service
def set_grants(session: Session, actor: Actor, user_id: int, grants: Sequence[tuple[str, str | None]]) -> None:
    """Replace the roles of an account; the last administrator of everything keeps that role."""
    user = managed(session, actor, User.id == user_id)
    before = _shown(user)["grants"]
    _hold_administrators(session)
    wanted = _grants(session, actor, grants)
    if not any(grant.role == Role.ADMINISTRATOR and grant.region_id is None for grant in wanted):
        _require_other_administrator(session, user)
    user.grants.clear()
    session.flush()
    user.grants.extend(wanted)
    session.flush()
    audit.record(session, actor, "user.grants", "user", user.id, region_code=reach(user), before=before, **_shown(user))


@service
def set_active(session: Session, actor: Actor, user_id: int, active: bool) -> None:
    """Close or reopen an account; closing ends its sessions and stops its tokens."""
    user = managed(session, actor, User.id == user_id)
    if not active:
        _hold_administrators(session)
        _require_other_administrator(session, user)
        user.session_epoch += 1
    user.active = active
    action = "user.reopen" if active else "user.close"
    audit.record(session, actor, action, "user", user.id, region_code=reach(user), login=user.login)


@service
def unlock_user(session: Session, actor: Actor, user_id: int) -> None:
    """Lift the lock-out of an account."""
    user = managed(session, actor, User.id == user_id)
    unlock(session, user.login)
    audit.record(session, actor, "user.unlock", "user", user.id, region_code=reach(user), login=user.login)


@service
def set_password(session: Session, actor: Actor, login: str, password: str) -> None:
    """Set the password of an account one manages; its sessions end, its lock-out is lifted."""
    user = managed(session, actor, User.login == login)
    user.password_hash = hashed(password, user.login)
    user.session_epoch += 1
    unlock(session, user.login)
    audit.record(session, actor, "user.password", "user", user.id, region_code=reach(user), login=login)


def _grants(session: Session, actor: Actor, grants: Iterable[tuple[str, str | None]]) -> list[RoleGrant]:
    wanted = sorted(set(grants), key=lambda grant: (grant[0], grant[1] or ""))
    if not wanted:
        raise Invalid("GRANT_MISSING")
    made = []
    for role, code in wanted:
        if role not in set(Role):
            raise Invalid("ROLE_UNKNOWN", role=role)
        if code is None:
            actor.require(Role.ADMINISTRATOR, "")
            made.append(RoleGrant(role=role))
            continue
        region = session.scalar(sa.select(Region).where(Region.code == code))
        if region is None:
            raise Invalid("REGION_UNKNOWN", region=code)
        actor.require(Role.ADMINISTRATOR, region.prefix)
        made.append(RoleGrant(role=role, region=region))
    return made


def _hold_administrators(session: Session) -> None:
    """Two administrators who remove each other at once wait here."""
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('administrators'))"))


def _require_other_administrator(session: Session, user: User) -> None:
    def everywhere(holder: sa.ColumnElement[bool]) -> sa.Select[int]:
        return (
            sa.select(User.id)
            .join(RoleGrant)
            .where(User.active, RoleGrant.role == Role.ADMINISTRATOR, RoleGrant.region_id.is_(None), holder)
            .limit(1)
        )

    if session.scalar(everywhere(User.id == user.id)) is None:
        return
    if session.scalar(everywhere(sa.and_(User.id != user.id, User.password_hash.is_not(None)))) is None:
        raise Conflict("LAST_ADMINISTRATOR")


def _good_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise Invalid("NAME_FORM")
    return name


def _info(user: User) -> UserInfo:
    grants = [
        GrantInfo(g.role, g.region.code if g.region else None, g.region.name if g.region else None) for g in user.grants
    ]
    grants.sort(key=lambda grant: (grant.region_code or "", grant.role))
    return UserInfo(
        user.id, user.login, user.name, user.active, user.password_hash is not None, user.created_at, tuple(grants)
    )


def _shown(user: User) -> dict[str, list[str]]:
    return {"grants": [f"{grant.role}@{grant.region_code or '*'}" for grant in _info(user).grants]}
