"""Standard profiles: those shipped (``*.toml`` in this folder) and a county's own, with every mistake named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geodata.errors import GeodataError
from geodata.problems import Problem, Severity
from geodata.standards.profile import ClassBound, PopulationBound, Profile

__all__ = ["MAX_BYTES", "ClassBound", "PopulationBound", "Profile", "from_dict", "load", "loads", "mistakes", "shipped"]

_FOLDER = Path(__file__).parent
MAX_BYTES = 1_000_000
_CODES = {
    "extra_forbidden": "STANDARD_UNKNOWN_KEY",
    "missing": "STANDARD_MISSING_KEY",
    "min_over_max": "STANDARD_MIN_OVER_MAX",
    "prefix_too_long": "STANDARD_PREFIX_TOO_LONG",
    "no_class": "STANDARD_NO_CLASS",
    "literal_error": "STANDARD_NOT_ONE_OF",
    "string_type": "STANDARD_NOT_TEXT",
    "string_too_short": "STANDARD_NOT_TEXT",
    "tuple_type": "STANDARD_NOT_A_LIST",
    "model_type": "STANDARD_NOT_A_TABLE",
    "mapping_type": "STANDARD_NOT_A_TABLE",
    "int_type": "STANDARD_NOT_A_WHOLE_NUMBER",
    "float_type": "STANDARD_NOT_A_NUMBER",
    "greater_than": "STANDARD_OUT_OF_RANGE",
    "greater_than_equal": "STANDARD_OUT_OF_RANGE",
    "less_than_equal": "STANDARD_OUT_OF_RANGE",
}
_BOUNDS = {"gt": ">", "ge": "≥", "le": "≤"}


def shipped() -> tuple[str, ...]:
    """Names of the profiles that come with the program, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load(name_or_path: str | Path) -> Profile:
    """The shipped profile of that name, else the profile in that TOML file (UTF-8).

    A file may begin with ``extends = "national"`` and state only what differs. Raises ``GeodataError`` with a
    ``STANDARD_*`` code and the path of the key.
    """
    if name_or_path in shipped():
        return loads((_FOLDER / f"{name_or_path}.toml").read_text("utf-8"))
    path = Path(name_or_path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        raise GeodataError("STANDARD_NOT_FOUND", name=str(name_or_path), shipped=", ".join(shipped())) from None
    if len(raw) > MAX_BYTES:
        raise GeodataError("STANDARD_TOO_LARGE", name=path.name, limit_mb=MAX_BYTES // 1_000_000)
    try:
        return loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise GeodataError("STANDARD_NOT_UTF8", name=path.name) from None


def loads(text: str) -> Profile:
    """The profile in the TOML ``text``; raises as :func:`load` does."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GeodataError("STANDARD_NOT_TOML", detail=str(error)) from None
    except RecursionError:
        raise GeodataError("STANDARD_NOT_TOML", detail="nested too deeply") from None
    return from_dict(data)


def from_dict(data: Mapping[str, Any]) -> Profile:
    """The profile in ``data`` (a parsed TOML or a snapshot); raises the first of :func:`mistakes`."""
    profile, found = _read(data)
    if profile is None:
        raise GeodataError(found[0].code, **found[0].params)
    return profile


def mistakes(data: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with a parsed profile, each with the path of its key; empty if it can be used."""
    return _read(data)[1]


def _read(data: Mapping[str, Any]) -> tuple[Profile | None, list[Problem]]:
    try:
        return Profile.model_validate(_tuples(_extended(data))), []
    except GeodataError as error:
        return None, [Problem(error.code, Severity.ERROR, params=error.params)]
    except ValidationError as error:
        return None, [_problem(dict(item)) for item in error.errors(include_url=False)]


def _extended(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if "extends" not in data:
        return data
    base = data["extends"]
    if base not in shipped():
        raise GeodataError("STANDARD_UNKNOWN_BASE", base=str(base), shipped=", ".join(shipped()))
    parent = tomllib.loads((_FOLDER / f"{base}.toml").read_text("utf-8"))
    return _merged(_extended(parent), {key: value for key, value in data.items() if key != "extends"})


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _tuples(value: Any) -> Any:
    """TOML and JSON know lists only; the profile is frozen and holds tuples."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _problem(item: Mapping[str, Any]) -> Problem:
    key = ".".join(str(step) for step in item["loc"] if step != "[key]") or "-"
    context = dict(item.get("ctx", {}))
    bound = " ".join(f"{sign} {context[name]}" for name, sign in _BOUNDS.items() if name in context)
    params = {"key": key, "value": repr(item["input"])[:60], "bound": bound} | context
    return Problem(_CODES.get(item["type"], "STANDARD_WRONG_VALUE"), Severity.ERROR, params=params)
