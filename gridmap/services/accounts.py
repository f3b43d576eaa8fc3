"""One's own account: who a session belongs to, passwords, one-time sign-in links, language."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from gridmap.db.engine import service
from gridmap.db.models import Region, RoleGrant, SignInLink, User
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import audit
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.passwords import hashed, verified

LINK_LIFE = timedelta(hours=24)
FIRST_LOGIN = "admin"
#: An account with its grants and their regions in two queries.
WITH_GRANTS = (selectinload(User.grants).options(joinedload(RoleGrant.region)),)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a session keeps of a person: it ends when ``epoch`` is no longer the account's."""

    user_id: int
    epoch: int
    locale: str | None


@service
def actor_of(session: Session, user_id: int, epoch: int, address: str | None = None) -> Actor | None:
    """The actor of a session; None where the account is closed or its sessions were ended."""
    return load_actor(session, User.id == user_id, User.session_epoch == epoch, address=address)


def load_actor(session: Session, *conditions: sa.ColumnElement[bool], address: str | None) -> Actor | None:
    """The active account that meets ``conditions`` with its grants, in one query."""
    query = (
        sa.select(User.id, User.login, User.name, User.locale, RoleGrant.role, RoleGrant.region_id, Region.prefix)
        .outerjoin(RoleGrant, RoleGrant.user_id == User.id)
        .outerjoin(Region, Region.id == RoleGrant.region_id)
        .where(User.active, *conditions)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    grants = tuple(Grant(Role(row.role), row.prefix or "") for row in rows if row.role is not None)
    first = rows[0]
    return Actor(first.login, grants, first.id, first.name, first.locale or "zh", address)


@service
def create_sign_in_link(session: Session, actor: Actor, login: str) -> str:
    """The path of a link that signs ``login`` in once within 24 hours, to set a password; only its hash is kept."""
    user = managed(session, actor, User.login == login)
    token = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + LINK_LIFE
    session.add(SignInLink(user_id=user.id, token_hash=digest(token), expires_at=expires_at))
    audit.record(session, actor, "user.link", "user", user.id, region_code=reach(user), login=login)
    return f"/sign-in/{token}"


@service
def link_login(session: Session, token: str) -> str:
    """The login a one-time link belongs to; ``NotFound`` where it was used, has expired or never was."""
    return _link(session, token).login


@service
def redeem_link(session: Session, token: str, password: str, address: str | None = None) -> Identity:
    """Set the first or a new password with a one-time link; every link and session of the account ends."""
    user = _link(session, token)
    user.password_hash = hashed(password, user.login)
    user.session_epoch += 1
    spent = sa.update(SignInLink).where(SignInLink.user_id == user.id, SignInLink.used_at.is_(None))
    session.execute(spent.values(used_at=sa.func.now()))
    actor = load_actor(session, User.id == user.id, address=address)
    assert actor is not None
    audit.record(session, actor, "login.link", "user", user.id, region_code=reach(user))
    return Identity(user.id, user.session_epoch, user.locale)


@service
def change_password(session: Session, actor: Actor, old: str, new: str) -> Identity:
    """Change one's own password; all other sessions end."""
    user = _own(session, actor)
    if not verified(user.password_hash, old):
        raise Invalid("PASSWORD_WRONG")
    user.password_hash = hashed(new, user.login)
    user.session_epoch += 1
    audit.record(session, actor, "user.password", "user", user.id, region_code=reach(user))
    return Identity(user.id, user.session_epoch, user.locale)


@service
def end_sessions(session: Session, actor: Actor) -> None:
    """Sign oneself out everywhere."""
    user = _own(session, actor)
    user.session_epoch += 1
    audit.record(session, actor, "user.sign_out_everywhere", "user", user.id, region_code=reach(user))


@service
def choose_language(session: Session, actor: Actor, locale: str) -> None:
    """Keep the person's language ("zh" or "en")."""
    if locale not in ("zh", "en"):
        raise Invalid("LOCALE_UNKNOWN", locale=locale)
    _own(session, actor).locale = locale


@service
def ensure_first_administrator(session: Session) -> str | None:
    """While no account has a password: the path of a fresh sign-in link for the first administrator."""
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('first administrator'))"))
    ready = sa.select(User.id).where(User.active, User.password_hash.is_not(None)).limit(1)
    if session.scalar(ready) is not None:
        return None
    if session.scalar(sa.select(User.id).where(User.login == FIRST_LOGIN)) is None:
        user = User(login=FIRST_LOGIN, name="管理员", grants=[RoleGrant(role=Role.ADMINISTRATOR.value)])
        session.add(user)
        session.flush()
        audit.record(session, SYSTEM, "user.add", "user", user.id, login=FIRST_LOGIN)
    return create_sign_in_link.within(session, SYSTEM, FIRST_LOGIN)


def digest(token: str) -> str:
    """What is stored of a secret of 256 random bits: its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def reach(user: User) -> str | None:
    """The region code under which the audit files an account: the part its grants share, None for everywhere."""
    prefixes = [grant.region.prefix if grant.region else "" for grant in user.grants]
    shared = ""
    for column in zip(*prefixes, strict=False):
        if len(set(column)) > 1:
            break
        shared += column[0]
    return shared or None


def managed(session: Session, actor: Actor, condition: sa.ColumnElement[bool]) -> User:
    """The account that meets ``condition``, locked for change; ``NotFound`` where the actor does not manage it."""
    actor.require(Role.ADMINISTRATOR)
    query = sa.select(User).where(condition, manageable(actor)).options(*WITH_GRANTS).with_for_update(of=User)
    user = session.scalar(query)
    if user is None:
        raise NotFound("USER_NOT_FOUND")
    return user


def manageable(actor: Actor) -> sa.ColumnElement[bool]:
    """SQL: the account has grants, and all of them lie where the actor administers."""
    if actor.everywhere(Role.ADMINISTRATOR):
        return sa.true()
    grants = sa.select(RoleGrant.id).outerjoin(Region).where(RoleGrant.user_id == User.id)
    inside = sa.func.coalesce(actor.visible(Region.prefix, Role.ADMINISTRATOR), sa.false())
    return sa.and_(grants.exists(), ~grants.where(~inside).exists())


def _own(session: Session, actor: Actor) -> User:
    user = session.get(User, actor.user_id, with_for_update=True) if actor.user_id else None
    if user is None:
        raise Forbidden("OWN_ACCOUNT_ONLY")
    return user


def _link(session: Session, token: str) -> User:
    query = (
        sa.select(User)
        .join(SignInLink, SignInLink.user_id == User.id)
        .where(
            SignInLink.token_hash == digest(token),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > sa.func.now(),
            User.active,
        )
        .with_for_update()
    )
    user = session.scalar(query)
    if user is None:
        raise NotFound("LINK_INVALID")
    return user
