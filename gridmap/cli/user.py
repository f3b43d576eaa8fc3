"""``gridmap user``: accounts from the server's shell, where a lost administrator's password is helped."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database
from gridmap.settings import settings

if TYPE_CHECKING:
    from gridmap.services.users import UserInfo

ROLES = ("viewer", "case_officer", "planner", "approver", "administrator")


@click.group("user")
def command() -> None:
    """Add and list accounts, make sign-in links, set passwords."""


@command.command("add")
@click.argument("login")
@click.option("--name", help="Name or post shown to others; the login where it is not given.")
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True)
@click.option("--region", help="12-digit code of the region; everywhere where it is not given.")
@json_option
def add(login: str, name: str | None, role: str, region: str | None, as_json: bool) -> None:
    """Add an account and print its one-time sign-in link (24 hours)."""
    from gridmap.services import users
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        user_id, path = users.invite_user(SYSTEM, login, name or login, [(role, region)])
        emit({"id": user_id, "link": address(path)}, as_json, lambda: address(path))


@command.command("link")
@click.argument("login")
@json_option
def link(login: str, as_json: bool) -> None:
    """Print a one-time sign-in link for an account, to set a new password."""
    from gridmap.services import accounts
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        path = accounts.create_sign_in_link(SYSTEM, login)
        emit({"link": address(path)}, as_json, lambda: address(path))


@command.command("password")
@click.argument("login")
@json_option
def password(login: str, as_json: bool) -> None:
    """Set a password, typed twice (or read from a pipe); all sessions of the account end."""
    from gridmap.services import users
    from gridmap.services.actor import SYSTEM

    secret = (
        click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    with coded_errors(as_json), ready_database():
        users.set_password(SYSTEM, login, secret)
        emit({"login": login}, as_json, lambda: login)


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the accounts with their roles."""
    from gridmap.services import users
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        found = users.list_users(SYSTEM)
        emit([asdict(user) for user in found], as_json, lambda: "\n".join(map(_line, found)))


def address(path: str) -> str:
    """The full address of a path of this server."""
    config = settings()
    base = config.public_url or f"http://{config.host}:{config.port}"
    return base.rstrip("/") + path


def _line(user: UserInfo) -> str:
    grants = ", ".join(f"{grant.role}@{grant.region_code or '*'}" for grant in user.grants)
    state = "closed" if not user.active else "ready" if user.has_password else "no password"
    return f"{user.login}\t{user.name}\t{state}\t{grants}"
