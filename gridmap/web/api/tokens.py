"""One's own API tokens. Making one needs a session: a token cannot breed tokens that outlive it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from gridmap.errors import Forbidden
from gridmap.services import tokens
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.session import current_actor, uses_token


class TokenOut(Model):
    """A token; its secret is never shown again."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenPage(Page[TokenOut]):
    """Part of your tokens."""


class NewToken(Model):
    """A token to make."""

    name: str = Field(min_length=1, max_length=80)
    days: int = Field(default=90, ge=1, le=tokens.MAX_DAYS)


class NewTokenOut(Model):
    """The token made; ``secret`` is shown this once."""

    id: int
    secret: str


@endpoint("/tokens", tag="tokens", query=PageQuery, response=TokenPage)
def list_tokens(query: PageQuery) -> TokenPage:
    """Your tokens, newest first."""
    found = tokens.list_tokens(current_actor())
    return TokenPage.of(found[query.offset : query.offset + query.limit], len(found), query)


@endpoint("/tokens", tag="tokens", method="POST", json=NewToken, response=NewTokenOut, status=201)
def create_token(json: NewToken) -> tuple[NewTokenOut, int]:
    """Make a token (signed in with a password only)."""
    if uses_token():
        raise Forbidden("TOKEN_NEEDS_SESSION")
    token_id, secret = tokens.create_token(current_actor(), json.name, json.days)
    return NewTokenOut(id=token_id, secret=secret), 201


@endpoint("/tokens/<int:token_id>", tag="tokens", method="DELETE", status=204)
def revoke_token(token_id: int) -> tuple[str, int]:
    """Revoke one of your tokens."""
    tokens.revoke_token(current_actor(), token_id)
    return "", 204
