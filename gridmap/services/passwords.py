"""Passwords: argon2id hashes, and the few rules a new one must keep."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gridmap.errors import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 200
_hasher = PasswordHasher()


def hashed(password: str, login: str) -> str:
    """The argon2id hash of a new password; ``Invalid`` where it is short, common or close to the login."""
    require_good(password, login)
    return _hasher.hash(password)


def require_good(password: str, login: str) -> None:
    """Raise ``Invalid`` unless the password keeps the rules (NIST SP 800-63B: length and a list, no composition)."""
    if len(password) < MIN_LENGTH:
        raise Invalid("PASSWORD_SHORT", least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Invalid("PASSWORD_LONG", most=MAX_LENGTH)
    plain = password.casefold()
    if plain in _common() or len(set(plain)) < 4 or login.casefold() in plain:
        raise Invalid("PASSWORD_COMMON")


def verified(stored: str | None, password: str) -> bool:
    """Whether ``password`` belongs to the hash ``stored``; takes the same time where there is no hash."""
    try:
        return _hasher.verify(stored or _decoy(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def rehashed(password: str) -> str:
    """A fresh hash of a password that was just verified."""
    return _hasher.hash(password)


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


@cache
def _common() -> frozenset[str]:
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(path.read_text("utf-8").split())
