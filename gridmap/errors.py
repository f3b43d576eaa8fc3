"""The error tree: what went wrong in the user's terms. Knows nothing of HTTP; web and CLI hold a table each."""

from __future__ import annotations

from geodata.errors import CodedError, GeodataError

__all__ = [
    "CodedError",
    "Conflict",
    "Forbidden",
    "GeodataError",
    "GridmapError",
    "Invalid",
    "NotFound",
    "NotSignedIn",
    "TooLarge",
    "TooMany",
    "Unavailable",
]


class GridmapError(CodedError):
    """Any fault of the application with a code and a sentence."""


class Invalid(GridmapError):
    """The request cannot be understood or breaks a rule of the data."""


class NotSignedIn(GridmapError):
    """Nobody is signed in, or the session or token has ended."""


class Forbidden(GridmapError):
    """The person's roles do not reach this."""


class NotFound(GridmapError):
    """There is no such thing, or none in the person's regions."""


class Conflict(GridmapError):
    """It changed meanwhile, or is in a state that does not allow this."""


class TooLarge(GridmapError):
    """More was asked or sent than is served at once."""


class TooMany(GridmapError):
    """Too many attempts; try later."""


class Unavailable(GridmapError):
    """The database or another thing the server stands on is missing, old or full."""
