"""Named queries: ``<concern>.sql`` holds blocks that begin with ``-- name: <name>``, a comment under it says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import sqlalchemy as sa

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def query(concern: str, name: str) -> sa.TextClause:
    """The query ``name`` of ``gridmap/sql/<concern>.sql``; parameters are written ``:like_this``."""
    return _queries(concern)[name]


@cache
def _queries(concern: str) -> Mapping[str, sa.TextClause]:
    _, *parts = _NAME.split(files(__name__).joinpath(f"{concern}.sql").read_text("utf-8"))
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{concern}.sql names a query twice")
    return {name: sa.text(_without_comments(body)) for name, body in zip(names, bodies, strict=True)}


def _without_comments(body: str) -> str:
    # a colon in a comment would be taken for a parameter
    return "\n".join(line for line in body.strip().splitlines() if not line.lstrip().startswith("--"))


@cache
def plain(concern: str, name: str) -> str:
    """The query ``name`` as psycopg takes it, with ``%(like_this)s``: for :func:`gridmap.db.reader.read`."""
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", str(query(concern, name)).replace("%", "%%"))
