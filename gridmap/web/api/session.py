"""Who am I: the actor behind the cookie or the token."""

from __future__ import annotations

from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor


class GrantOut(Model):
    """A role on the regions whose codes begin with ``prefix`` (empty: everywhere)."""

    role: str
    prefix: str


class SessionOut(Model):
    """The signed-in person."""

    login: str
    name: str
    locale: str
    grants: list[GrantOut]


@endpoint("/session", tag="session", response=SessionOut)
def session() -> SessionOut:
    """Who you are, and how far your roles reach."""
    return SessionOut.model_validate(current_actor())
