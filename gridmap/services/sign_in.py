"""Signing in with a password, and the lock-out that guessing runs into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import LoginAttempt, User
from gridmap.errors import GridmapError, NotSignedIn, TooMany
from gridmap.services import audit
from gridmap.services.accounts import Identity, reach
from gridmap.services.actor import Actor
from gridmap.services.passwords import outdated, rehashed, verified

#: An office behind one address may fail at so many logins as often as one login may.
_LOGINS_PER_ADDRESS = 20


@service
def sign_in(
    session: Session, login: str, password: str, address: str | None, *, attempts: int, minutes: int
) -> Identity | GridmapError:
    """The identity of a person with the right password, else the refusal, returned: raising would undo its record.

    After ``attempts`` failures in a row an account stays locked for ``minutes``; an unknown login is treated alike and
    takes as long, so that nobody learns which logins exist. Attempts on one login wait for each other. An address that
    fails twenty times as often, on whatever logins, is refused as well.
    """
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('sign in'), hashtext(:login))"), {"login": login})
    user = session.scalar(sa.select(User).where(User.login == login))
    region_code = reach(user) if user else None
    stranger = Actor(login=login, grants=(), user_id=user.id if user else None, address=address)
    failures = _failures(session, login, minutes)
    if failures >= attempts or _from(session, address, minutes) >= attempts * _LOGINS_PER_ADDRESS:
        return TooMany("LOGIN_LOCKED", minutes=minutes)
    good = verified(user.password_hash if user and user.active else None, password)
    session.add(LoginAttempt(login=login, address=address, succeeded=good))
    if not good or user is None:
        audit.record(session, stranger, "login.failed", "user", stranger.user_id, region_code=region_code)
        if failures + 1 == attempts:
            audit.record(session, stranger, "login.locked", "user", stranger.user_id, region_code=region_code)
        return NotSignedIn("LOGIN_WRONG")
    if user.password_hash and outdated(user.password_hash):
        user.password_hash = rehashed(password)
    audit.record(session, stranger, "login.ok", "user", user.id, region_code=region_code)
    return Identity(user.id, user.session_epoch, user.locale)


def unlock(session: Session, login: str) -> None:
    """Forget the failures of ``login`` (an administrator vouches for the person)."""
    session.execute(sa.delete(LoginAttempt).where(LoginAttempt.login == login, ~LoginAttempt.succeeded))


def _failures(session: Session, login: str, minutes: int) -> int:
    """Failures in a row within the last ``minutes``."""
    success = sa.select(sa.func.max(LoginAttempt.at)).where(LoginAttempt.login == login, LoginAttempt.succeeded)
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    query = sa.select(sa.func.count()).where(
        LoginAttempt.login == login,
        ~LoginAttempt.succeeded,
        LoginAttempt.at > since,
        LoginAttempt.at > sa.func.coalesce(success.scalar_subquery(), sa.literal(datetime.min.replace(tzinfo=UTC))),
    )
    return session.scalar(query) or 0


def _from(session: Session, address: str | None, minutes: int) -> int:
    """Failures from ``address`` on any login within the last ``minutes``."""
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    query = sa.select(sa.func.count()).where(
        LoginAttempt.address == address, ~LoginAttempt.succeeded, LoginAttempt.at > since
    )
    return session.scalar(query) or 0
