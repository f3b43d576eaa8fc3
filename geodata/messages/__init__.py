"""The catalogue of codes: a TOML table each, with ``zh``, ``en`` and, where wanted, ``hint_zh`` and ``hint_en``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_folders: list[Path] = [Path(__file__).parent]


def register(folder: Path) -> None:
    """Add a folder of ``*.toml`` catalogues (gridmap adds its own)."""
    if folder not in _folders:
        _folders.append(folder)
        catalogue.cache_clear()


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All messages by code; a code that stands twice is a programming error (``ValueError``)."""
    found: dict[str, Mapping[str, str]] = {}
    for folder in _folders:
        for path in sorted(folder.glob("*.toml")):
            for code, entry in tomllib.loads(path.read_text("utf-8")).items():
                if code in found:
                    raise ValueError(f"message code {code} stands twice, again in {path.name}")
                found[code] = entry
    return found


def sentence(code: str, locale: str = "zh", **params: Any) -> str:
    """The sentence of ``code`` in ``locale`` ("zh" or "en") with ``params`` filled in (``str.format`` fields)."""
    return _fill(catalogue()[code][_language(locale)], params)


def hint(code: str, locale: str = "zh", **params: Any) -> str:
    """What to do about ``code``, in ``locale``; empty where none is written."""
    return _fill(catalogue()[code].get(f"hint_{_language(locale)}", ""), params)


def _language(locale: str) -> str:
    return "en" if locale.lower().startswith("en") else "zh"


def _fill(template: str, params: Mapping[str, Any]) -> str:
    return template.format_map(params)
