"""The rules a grid plan must obey (R01-R19 of docs/rules.md), checked by arithmetic on ``unit -> grid``."""

from __future__ import annotations

from geodata.rules.engine import RULES, Rule, check, limits, status
from geodata.rules.result import Result
from geodata.rules.view import Buildings, Communities, Compounds, Grids, Misfit, PlanView, Units
from geodata.units.model import Barriers

__all__ = [
    "RULES",
    "Barriers",
    "Buildings",
    "Communities",
    "Compounds",
    "Grids",
    "Misfit",
    "PlanView",
    "Result",
    "Rule",
    "Units",
    "check",
    "limits",
    "status",
]
