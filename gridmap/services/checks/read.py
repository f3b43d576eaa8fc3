"""What a check found, filtered and page by page, and its sums by rule and community."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.engine import service
from gridmap.errors import NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree, visible
from gridmap.services.plans.read import PlanSummary, get
from gridmap.services.plans.small import veils, withheld_sums
from gridmap.sql import query

RULE_IDS = tuple(f"R{number:02d}" for number in range(1, 20))


#: Rules that speak of the households and people of whole grids.
_OF_GRID = ("R01", "R02")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A finding; ``bbox`` of its place is west, south, east, north in degrees. ``checked`` False: a rule left out."""

    id: int
    rule: str
    severity: str
    code: str
    value: float | None
    limit: float | None
    unavoidable: bool
    checked: bool
    sentence_zh: str
    sentence_en: str
    hint_zh: str
    hint_en: str
    grid_id: int | None
    grid_code: str | None
    grid_name: str | None
    region_code: str | None
    region_name: str | None
    bbox: tuple[float, float, float, float] | None

    def sentence(self, locale: str = "zh") -> str:
        return self.sentence_en if locale.startswith("en") else self.sentence_zh

    def hint(self, locale: str = "zh") -> str:
        return self.hint_en if locale.startswith("en") else self.hint_zh


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of findings and how many there are in all."""

    rows: tuple[ResultRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """Sums of a check. ``by_rule`` has all nineteen rules, ``by_region`` the communities with grids or findings."""

    plan: PlanSummary
    by_rule: tuple[Mapping[str, Any], ...]
    by_region: tuple[Mapping[str, Any], ...]
    errors: int
    warnings: int
    infos: int
    unavoidable: int


def rule_title(rule: str, locale: str = "zh") -> str:
    """What a rule asks for, in a few words."""
    return messages.sentence(f"RULE_{rule}_TITLE", locale)


@service
def results(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    rule: str | None = None,
    severity: str | None = None,
    region: str | None = None,
    grid_id: int | None = None,
    unavoidable: bool | None = None,
    checked: bool | None = None,
    limit: int = 100,
    offset: int = 0,
) -> ResultPage:
    """Findings of the last check, gravest first; ``region`` is a code or prefix, ``checked`` False: what was not."""
    _, home = visible(session, actor, plan_id)
    filters = {
        "veiled": veils(actor, home.prefix),
        "rule": rule,
        "severity": severity,
        "region": subtree(region),
        "grid": grid_id,
        "checked": checked,
    }
    bounds = {"unavoidable": unavoidable, "limit": limit, "offset": offset, "prefixes": _prefixes(actor)}
    rows = session.execute(query("checks", "results"), {"plan": plan_id, **filters, **bounds}).mappings()
    found = [dict(row) for row in rows]
    total = found[0]["total"] if found else 0
    return ResultPage(tuple(_row(_veiled(values, veiled=bool(filters["veiled"]))) for values in found), total)


@service
def summary(session: Session, actor: Actor, plan_id: int) -> CheckSummary:
    """Sums of the last check by rule and by community, inside the reader's regions."""
    plan = get.within(session, actor, plan_id)
    key = {"plan": plan_id, "prefixes": _prefixes(actor)}
    seen = {row["rule"]: dict(row) for row in session.execute(query("checks", "by_rule"), key).mappings()}
    none: dict[str, Any] = {"errors": 0, "warnings": 0, "infos": 0, "unavoidable": 0, "grids": 0}
    none |= {"not_checked_zh": None, "not_checked_en": None}
    by_rule = [
        {"rule": rule, "title_zh": rule_title(rule), "title_en": rule_title(rule, "en")} | none | seen.get(rule, {})
        for rule in RULE_IDS
    ]
    by_region = tuple(dict(row) for row in session.execute(query("checks", "by_region"), key).mappings())
    if veils(actor, subtree(plan.region_code) or ""):
        shut = withheld_sums(session, [plan_id], actor)
        by_region = tuple(row | ({"households": None} if row["code"] in shut[plan_id] else {}) for row in by_region)
    sums = [sum(row[key] for row in by_rule) for key in ("errors", "warnings", "infos", "unavoidable")]
    return CheckSummary(plan, tuple(by_rule), by_region, *sums)


@service
def fault_geometry(session: Session, actor: Actor, plan_id: int, result_id: int) -> dict[str, Any] | None:
    """The place of a finding as GeoJSON, None where it has none. Raises ``NotFound``."""
    visible(session, actor, plan_id)
    row = session.execute(query("checks", "geometry"), {"plan": plan_id, "result": result_id}).one_or_none()
    if row is None or not actor.may(Role.VIEWER, row.region_code):
        raise NotFound("NOT_FOUND")
    found: dict[str, Any] | None = json.loads(row.geojson) if row.geojson else None
    return found


def _veiled(values: dict[str, Any], *, veiled: bool) -> dict[str, Any]:
    """A finding for those who are told no small counts: households of a grid that is told, else no number at all.

    Other rules speak of units, compounds and pieces.
    """
    hidden, params = values.pop("hidden"), values["params"]
    of_grid = values["rule"] in _OF_GRID and "unit_households" not in params
    if not veiled or not (hidden or (not of_grid and any("households" in name for name in params))):
        return values
    told = {f"sentence_{locale}": messages.sentence("FINDING_WITHHELD", locale) for locale in ("zh", "en")}
    kept = {name: values["params"][name] for name in ("checked",) if name in values["params"]}
    return values | told | {"code": "FINDING_WITHHELD", "value": None, "limit": None, "params": kept}


def _row(values: dict[str, Any]) -> ResultRow:
    del values["total"]
    params = values.pop("params")
    box = values.pop("west"), values.pop("south"), values.pop("east"), values.pop("north")
    for locale in ("zh", "en"):
        values[f"hint_{locale}"] = messages.hint(values["code"], locale, **params)
    return ResultRow(**values, checked=params.get("checked", True), bbox=None if box[0] is None else box)


def _prefixes(actor: Actor) -> list[str]:
    return list(actor.prefixes(Role.VIEWER))
