"""Sensitive categories (``GRIDMAP_SENSITIVE_CATEGORIES``): counts by grid for case officers, and nothing else.

Whatever reads cases leaves them out: SQL by :func:`gridmap.services.cases.filters.condition`, the heat store by
:func:`plain`, the few queries of their own by ``:sensitive``. So nobody sees a point, a row, a sum, heat or a hot spot
of them, and who may not know of them does not meet their names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gridmap.settings import settings


def sensitive() -> list[str]:
    """The sensitive categories, for ``category <> ALL (:sensitive)``."""
    return list(settings().sensitive_categories)


def plain(chosen: Collection[str] | None, known: Iterable[str]) -> tuple[str, ...] | None:
    """Of the ``chosen`` categories (none: of all ``known``) those that are not sensitive; None for all there are."""
    hidden = set(settings().sensitive_categories)
    if not hidden:
        return tuple(chosen) if chosen else None
    return tuple(name for name in dict.fromkeys(chosen or known) if name not in hidden)
