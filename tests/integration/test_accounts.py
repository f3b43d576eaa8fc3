"""Accounts: passwords, one-time links, who manages whom, tokens, the audit of it all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import ApiToken, SignInLink, User
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, NotFound, TooMany
from gridmap.services import accounts, tokens, users
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.audit_log import AuditFilter, list_events
from gridmap.services.passwords import hashed, verified
from gridmap.services.sign_in import sign_in
from tests.regions import COUNTY, EAST, EAST_COMMUNITY, WEST, WEST_COMMUNITY, add_regions
from tests.web import PASSWORD, add_person

pytestmark = pytest.mark.usefixtures("database_url")


def actor(login: str) -> Actor:
    with transaction() as session:
        found = accounts.load_actor(session, User.login == login, address="10.0.0.1")
    assert found is not None
    return found


def actions() -> list[str]:
    return [event.action for event in list_events(SYSTEM, AuditFilter())[0]]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "PASSWORD_SHORT"),
        ("x" * 201, "PASSWORD_LONG"),
        ("password123", "PASSWORD_COMMON"),
        ("Password123", "PASSWORD_COMMON"),
        ("ababababababab", "PASSWORD_COMMON"),
        ("zhang.wei rocks", "PASSWORD_COMMON"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        hashed(password, "zhang.wei")
    assert caught.value.code == code


def test_a_password_is_kept_as_argon2id() -> None:
    stored = hashed("四匹安静的马在山坡上", "admin")
    assert stored.startswith("$argon2id$")
    assert verified(stored, "四匹安静的马在山坡上")
    assert not verified(stored, "四匹安静的马")
    assert not verified(None, "no account has this password")


def test_the_secret_of_a_link_is_not_stored_and_works_once() -> None:
    users.add_user(SYSTEM, "li.na", "李娜", [("viewer", None)])
    token = accounts.create_sign_in_link(SYSTEM, "li.na").rsplit("/", 1)[-1]
    with transaction() as session:
        assert token not in session.scalars(sa.select(SignInLink.token_hash)).all()
    assert accounts.link_login(token) == "li.na"
    with pytest.raises(Invalid):
        accounts.redeem_link(token, "short")
    accounts.redeem_link(token, PASSWORD)
    with pytest.raises(NotFound):
        accounts.redeem_link(token, PASSWORD)


def test_a_link_ends_after_a_day() -> None:
    users.add_user(SYSTEM, "li.na", "李娜", [("viewer", None)])
    token = accounts.create_sign_in_link(SYSTEM, "li.na").rsplit("/", 1)[-1]
    with transaction() as session:
        session.execute(sa.update(SignInLink).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    with pytest.raises(NotFound):
        accounts.link_login(token)


def test_a_used_link_takes_the_others_with_it() -> None:
    users.add_user(SYSTEM, "li.na", "李娜", [("viewer", None)])
    first, second = (accounts.create_sign_in_link(SYSTEM, "li.na").rsplit("/", 1)[-1] for _ in range(2))
    accounts.redeem_link(second, PASSWORD)
    with pytest.raises(NotFound):
        accounts.link_login(first)


def test_failures_lock_any_login_and_success_clears_them() -> None:
    add_person("boss")

    def attempt(login: str, password: str) -> str:
        outcome = sign_in(login, password, "10.0.0.1", attempts=3, minutes=15)
        return outcome.code if isinstance(outcome, GridmapError) else "ok"

    assert [attempt("boss", "wrong"), attempt("boss", "wrong"), attempt("boss", PASSWORD)] == [
        *["LOGIN_WRONG"] * 2,
        "ok",
    ]
    for login in ("boss", "nobody"):
        assert [attempt(login, "wrong") for _ in range(4)] == [*["LOGIN_WRONG"] * 3, "LOGIN_LOCKED"]
        assert attempt(login, PASSWORD) == "LOGIN_LOCKED"
    assert actions().count("login.locked") == 2
    users.unlock_user(SYSTEM, accounts_id("boss"))
    assert attempt("boss", PASSWORD) == "ok"


def accounts_id(login: str) -> int:
    return next(user.id for user in users.list_users(SYSTEM) if user.login == login)


def test_a_closed_account_cannot_sign_in_nor_its_token_act() -> None:
    add_person("boss")
    user_id = add_person("li.na", "viewer")
    _, secret = tokens.create_token(actor("li.na"), "script")
    assert tokens.actor_of_token(secret) is not None
    epoch = 1
    assert accounts.actor_of(user_id, epoch) is not None
    users.set_active(SYSTEM, user_id, active=False)
    assert accounts.actor_of(user_id, epoch) is None
    assert tokens.actor_of_token(secret) is None
    assert isinstance(sign_in("li.na", PASSWORD, None, attempts=5, minutes=15), GridmapError)


def test_a_token_ends_when_revoked_or_old() -> None:
    add_person("boss")
    token_id, secret = tokens.create_token(actor("boss"), "script", days=1)
    tokens.revoke_token(actor("boss"), token_id)
    assert tokens.actor_of_token(secret) is None
    _, old = tokens.create_token(actor("boss"), "old", days=1)
    with transaction() as session:
        session.execute(sa.update(ApiToken).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert tokens.actor_of_token(old) is None
    with transaction() as session:
        assert not {old, secret} & set(session.scalars(sa.select(ApiToken.token_hash)))


def test_one_cannot_revoke_anothers_token() -> None:
    add_person("boss")
    add_person("li.na", "viewer")
    token_id, _ = tokens.create_token(actor("boss"), "script")
    with pytest.raises(NotFound):
        tokens.revoke_token(actor("li.na"), token_id)


def test_changing_the_password_ends_other_sessions() -> None:
    user_id = add_person("boss")
    assert accounts.actor_of(user_id, 1) is not None
    with pytest.raises(Invalid):
        accounts.change_password(actor("boss"), "wrong", "another good secret")
    identity = accounts.change_password(actor("boss"), PASSWORD, "another good secret")
    assert accounts.actor_of(user_id, 1) is None
    assert accounts.actor_of(user_id, identity.epoch) is not None


def test_a_subtrees_administrator_manages_only_those_inside_it() -> None:
    add_regions()
    add_person("boss")
    add_person("east", "administrator", EAST)
    inside = add_person("inside", "viewer", EAST_COMMUNITY)
    outside = add_person("outside", "viewer", WEST_COMMUNITY)
    both = users.add_user(SYSTEM, "both", "Both", [("viewer", EAST), ("viewer", WEST)])
    east = actor("east")
    assert [user.login for user in users.list_users(east)] == ["east", "inside"]
    users.set_grants(east, inside, [("planner", EAST)])
    for other in (outside, both, accounts_id("boss")):
        with pytest.raises(NotFound):
            users.set_active(east, other, active=False)
        with pytest.raises(NotFound):
            users.get_user(east, other)
    with pytest.raises(NotFound):
        accounts.create_sign_in_link(east, "boss")
    for grant in [("viewer", WEST), ("viewer", COUNTY), ("administrator", None)]:
        with pytest.raises((Forbidden, NotFound)):
            users.set_grants(east, inside, [grant])
        with pytest.raises((Forbidden, NotFound)):
            users.add_user(east, "new.person", "New", [grant])
    assert [region.code[:9] for region in users.region_choices(east)] == [EAST[:9]] * 3


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_manage(role: Role) -> None:
    add_person("boss")
    user_id = add_person("li.na", role.value)
    someone = actor("li.na")
    for call in (
        lambda: users.list_users(someone),
        lambda: users.add_user(someone, "new.person", "New", [("viewer", None)]),
        lambda: users.set_grants(someone, user_id, [("administrator", None)]),
        lambda: users.set_active(someone, user_id, active=True),
        lambda: users.set_password(someone, "boss", "another good secret"),
        lambda: accounts.create_sign_in_link(someone, "boss"),
        lambda: list_events(someone, AuditFilter()),
    ):
        with pytest.raises(Forbidden):
            call()


def test_the_last_administrator_stays() -> None:
    boss = add_person("boss")
    with pytest.raises(Conflict):
        users.set_active(SYSTEM, boss, active=False)
    with pytest.raises(Conflict):
        users.set_grants(SYSTEM, boss, [("viewer", None)])
    users.add_user(SYSTEM, "second", "Second", [("administrator", None)])
    with pytest.raises(Conflict):  # the second has no password yet
        users.set_active(SYSTEM, boss, active=False)
    accounts.redeem_link(accounts.create_sign_in_link(SYSTEM, "second").rsplit("/", 1)[-1], PASSWORD)
    users.set_active(SYSTEM, boss, active=False)


@pytest.mark.parametrize("login", ["", "A b", "x", "-x1", "名字", "a" * 70])
def test_an_odd_login_is_refused(login: str) -> None:
    with pytest.raises(Invalid) as caught:
        users.add_user(SYSTEM, login, "Name", [("viewer", None)])
    assert caught.value.code == "LOGIN_FORM"


def test_the_audit_reaches_as_far_as_the_administrator() -> None:
    add_regions()
    add_person("boss")
    add_person("east", "administrator", EAST)
    add_person("west", "viewer", WEST)
    seen, total = list_events(actor("east"), AuditFilter())
    assert total == len(seen) > 0
    assert {event.region_code[:9] for event in seen if event.region_code} == {EAST[:9]}
    everything, _ = list_events(actor("boss"), AuditFilter(), limit=500)
    assert {event.login for event in everything} == {"system", "boss", "east", "west"}
    only, _ = list_events(actor("boss"), AuditFilter(login="west", action="login"))
    assert [event.action for event in only] == ["login.link"]


def test_secrets_are_in_no_audit_detail() -> None:
    add_person("boss")
    link = accounts.create_sign_in_link(SYSTEM, "boss")
    _, secret = tokens.create_token(actor("boss"), "script")
    told = str([event.detail for event in list_events(SYSTEM, AuditFilter())[0]])
    assert all(text not in told for text in (PASSWORD, secret, link.rsplit("/", 1)[-1]))


def test_an_address_that_guesses_at_many_logins_is_refused() -> None:
    add_person("li")
    for number in range(40):
        sign_in(f"guess{number}", "wrong password", "10.0.0.9", attempts=2, minutes=15)
    assert isinstance(sign_in("li", PASSWORD, "10.0.0.9", attempts=2, minutes=15), TooMany)
    assert not isinstance(sign_in("li", PASSWORD, "10.0.0.8", attempts=2, minutes=15), GridmapError)
