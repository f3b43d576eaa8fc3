"""Accounts, for administrators."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from gridmap.services import users
from gridmap.services.actor import Role
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.session import current_actor


class GrantBody(Model):
    """A role on a region; ``region_code`` null is everywhere."""

    role: Role
    region_code: str | None = Field(default=None, pattern=r"^[0-9]{12}$")


class GrantInfoOut(Model):
    """A role on a region, with its name."""

    role: Role
    region_code: str | None
    region_name: str | None


class UserOut(Model):
    """An account."""

    id: int
    login: str
    name: str
    active: bool
    has_password: bool
    created_at: datetime
    grants: list[GrantInfoOut]


class UserPage(Page[UserOut]):
    """Part of the accounts you manage."""


class NewUser(Model):
    """An account to add."""

    login: str = Field(max_length=80)
    name: str = Field(max_length=80)
    grants: list[GrantBody] = Field(max_length=200)


class NewUserOut(Model):
    """The account added; ``sign_in_path`` lets its owner set a password, once, within 24 hours."""

    id: int
    sign_in_path: str


@endpoint("/users", tag="users", query=PageQuery, response=UserPage)
def list_users(query: PageQuery) -> UserPage:
    """The accounts you manage, by login."""
    found = users.list_users(current_actor())
    return UserPage.of(found[query.offset : query.offset + query.limit], len(found), query)


@endpoint("/users/<int:user_id>", tag="users", response=UserOut)
def get_user(user_id: int) -> UserOut:
    """One account."""
    return UserOut.model_validate(users.get_user(current_actor(), user_id))


@endpoint("/users", tag="users", method="POST", json=NewUser, response=NewUserOut, status=201, errors=[409])
def add_user(json: NewUser) -> tuple[NewUserOut, int]:
    """Add an account."""
    grants = [(grant.role.value, grant.region_code) for grant in json.grants]
    user_id, path = users.invite_user(current_actor(), json.login, json.name, grants)
    return NewUserOut(id=user_id, sign_in_path=path), 201
