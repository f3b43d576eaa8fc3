"""API tokens: a program acts as the person who made the token, until it ends, is revoked, or the account is closed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import ApiToken, User
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import audit
from gridmap.services.accounts import digest, load_actor
from gridmap.services.actor import Actor

PREFIX = "gridmap_"
MAX_DAYS = 366
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token as its owner sees it; the secret itself is never shown again."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def living(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > datetime.now(UTC))


@service
def create_token(session: Session, actor: Actor, name: str, days: int = 90) -> tuple[int, str]:
    """Make a token that lives ``days`` and return its id and its secret, which is shown this once."""
    owner = _owner(actor)
    if not 1 <= len(name.strip()) <= 80:
        raise Invalid("TOKEN_NAME")
    if not 1 <= days <= MAX_DAYS:
        raise Invalid("TOKEN_DAYS", most=MAX_DAYS)
    secret = PREFIX + secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(days=days)
    token = ApiToken(user_id=owner, name=name.strip(), token_hash=digest(secret), expires_at=expires_at)
    session.add(token)
    session.flush()
    audit.record(session, actor, "token.create", "token", token.id, name=token.name, days=days)
    return token.id, secret


@service
def list_tokens(session: Session, actor: Actor) -> list[TokenInfo]:
    """One's own tokens, newest first."""
    query = sa.select(ApiToken).where(ApiToken.user_id == _owner(actor)).order_by(ApiToken.id.desc())
    return [
        TokenInfo(token.id, token.name, token.created_at, token.expires_at, token.revoked_at, token.last_used_at)
        for token in session.scalars(query)
    ]


@service
def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """End one of one's own tokens; ending it twice is harmless."""
    token = session.scalar(sa.select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == _owner(actor)))
    if token is None:
        raise NotFound("TOKEN_NOT_FOUND")
    if token.revoked_at is None:
        token.revoked_at = datetime.now(UTC)
        audit.record(session, actor, "token.revoke", "token", token.id, name=token.name)


@service
def actor_of_token(session: Session, secret: str, address: str | None = None) -> Actor | None:
    """The actor a token speaks for; None where it is unknown, ended or revoked."""
    now = datetime.now(UTC)
    query = sa.select(ApiToken).where(
        ApiToken.token_hash == digest(secret),
        ApiToken.revoked_at.is_(None),
        sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
    )
    token = session.scalar(query)
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > _SEEN_EVERY:
        token.last_used_at = now
    return load_actor(session, User.id == token.user_id, address=address)


def _owner(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("OWN_ACCOUNT_ONLY")
    return actor.user_id
