"""Who acts, and how far their roles reach: the one place where access is decided.

A role is granted on a region and reaches its subtree. Codes carry the tree: county 6 digits, subdistrict 9, community
12, so a subtree is a code prefix, and every filter in SQL and every check in Python is that one comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from gridmap.errors import Forbidden, NotFound


class Role(StrEnum):
    """What a person may do: look, handle single cases, redraw, approve, administer."""

    VIEWER = "viewer"
    CASE_OFFICER = "case_officer"
    PLANNER = "planner"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


#: The roles that hold each right: a planner also looks, an administrator does everything.
HOLDERS: Mapping[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset(Role),
    Role.CASE_OFFICER: frozenset({Role.CASE_OFFICER, Role.ADMINISTRATOR}),
    Role.PLANNER: frozenset({Role.PLANNER, Role.ADMINISTRATOR}),
    Role.APPROVER: frozenset({Role.APPROVER, Role.ADMINISTRATOR}),
    Role.ADMINISTRATOR: frozenset({Role.ADMINISTRATOR}),
}
#: Whoever holds one of these rights sees small counts as they are; everyone else sees releases (docs/privacy.md).
EXACT = (Role.CASE_OFFICER, Role.PLANNER)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on the subtree whose codes begin with ``prefix``; the empty prefix is everywhere."""

    role: Role
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, a token's owner, or the system itself."""

    login: str
    grants: tuple[Grant, ...]
    user_id: int | None = None
    name: str = ""
    locale: str = "zh"
    address: str | None = None

    def may(self, role: Role, code: str | None = None) -> bool:
        """Whether ``role`` is held on the region ``code`` (12 digits or a prefix); None asks for anywhere at all."""
        return any(code is None or code.startswith(prefix) for prefix in self.prefixes(role))

    def everywhere(self, role: Role) -> bool:
        """Whether ``role`` is held without a bound."""
        return "" in self.prefixes(role)

    def prefixes(self, role: Role) -> tuple[str, ...]:
        """The code prefixes on which ``role`` is held."""
        return tuple(sorted({grant.prefix for grant in self.grants if grant.role in HOLDERS[role]}))

    def patterns(self, role: Role) -> list[str]:
        """:meth:`prefixes` for ``LIKE ANY``."""
        return [f"{prefix}%" for prefix in self.prefixes(role)]

    def sees_small(self, prefix: str = "") -> bool:
        """Whether exact counts may be shown of all that the actor sees below ``prefix``, however small they are.

        ``prefix`` is the code prefix of the region asked for, empty for none. What they see of it must lie wholly
        where they hold one of ``EXACT``: a sum over more would give the rest by difference.
        """
        return self._wholly(prefix, tuple(one for role in EXACT for one in self.prefixes(role)))

    def sees_households(self, prefix: str = "") -> bool:
        """Whether households of grids may be shown, however few they are: as :meth:`sees_small`, and to approvers."""
        return self._wholly(prefix, tuple(one for role in (*EXACT, Role.APPROVER) for one in self.prefixes(role)))

    def sees_raw(self, prefix: str = "") -> bool:
        """Whether single cases, their places and addresses may be shown of all that the actor sees below ``prefix``."""
        return self._wholly(prefix, self.prefixes(Role.CASE_OFFICER))

    def _wholly(self, prefix: str, held: tuple[str, ...]) -> bool:
        """Whether what the actor sees below ``prefix`` lies below ``held``; where they see nothing, if anything is."""
        seen = [max(one, prefix, key=len) for one in self.prefixes(Role.VIEWER) if _overlap(one, prefix)]
        return bool(held) and all(any(one.startswith(mine) for mine in held) for one in seen)

    def require(self, role: Role, code: str | None = None) -> None:
        """Raise ``Forbidden`` unless the role is held there, ``NotFound`` where even looking is not allowed."""
        if self.may(role, code):
            return
        if code is not None and not self.may(Role.VIEWER, code):
            raise NotFound("NOT_FOUND")
        raise Forbidden("FORBIDDEN", role=role.value, region=code or "")

    def visible(self, code: Any, role: Role = Role.VIEWER) -> ColumnElement[bool]:
        """SQL: the region code in column ``code`` lies where ``role`` is held."""
        return sa.or_(sa.false(), *(code.startswith(prefix, autoescape=True) for prefix in self.prefixes(role)))


def _overlap(a: str, b: str) -> bool:
    return a.startswith(b) or b.startswith(a)


#: The program itself, and whoever commands the server's shell.
SYSTEM = Actor(login="system", grants=(Grant(Role.ADMINISTRATOR),))
