"""R11, R12 and R17: rules of the standard that are not checked yet; they say so."""

from __future__ import annotations

from collections.abc import Iterator

from geodata.rules.context import Context
from geodata.rules.result import Result


def r11_special_purpose(ctx: Context) -> Iterator[Result]:
    """Not checked yet: whether each mall, school, hospital, park, office block and large firm has its own grid."""
    yield ctx.unchecked("R11", "R11_LATER")


def r12_workers(ctx: Context) -> Iterator[Result]:
    """Not checked yet: a worker and a named head for each grid."""
    yield ctx.unchecked("R12", "R12_LATER")


def r17_balance(ctx: Context) -> Iterator[Result]:
    """Not checked yet: balance of the workload inside a community."""
    yield ctx.unchecked("R17", "R17_LATER")
