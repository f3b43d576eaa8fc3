"""Which checks run when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from geodata.checks import codes, cover, duplicates, geometry, parents, values
from geodata.checks.context import CheckContext
from geodata.checks.fingerprints import Fingerprints
from geodata.fields import Kind
from geodata.problems import Problem

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Check: TypeAlias = "Callable[[Kind, GeoDataFrame, CheckContext], Iterator[Problem]]"
MarkCheck: TypeAlias = Callable[[Kind, Fingerprints, CheckContext], Iterator[Problem]]

#: Rows by themselves: run batch by batch.
ROW_CHECKS: tuple[Check, ...] = (
    geometry.missing_geometry,
    geometry.geometry_type,
    geometry.impossible_place,
    geometry.invalid_geometry,
    geometry.outside_regions,
    values.missing_texts,
    values.negative_counts,
    values.absent_counts,
    values.implausible_counts,
    values.times,
    codes.region_codes,
    codes.grid_codes,
    codes.referred_codes,
)
#: Rows against one another, from fingerprints: any size.
MARK_CHECKS: tuple[MarkCheck, ...] = (
    duplicates.same_key,
    duplicates.same_geometry,
    duplicates.same_thing,
    duplicates.crowded_points,
    duplicates.far_from_the_rest,
)
#: Rows against one another, from the whole frame: regions, grids and units, which are thousands, not millions.
SET_CHECKS: tuple[Check, ...] = (cover.overlapping, cover.uncovered, parents.parents)


def row_checks(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> list[Problem]:
    """What is wrong with each row of a batch by itself."""
    return [problem for check in ROW_CHECKS for problem in check(kind, frame, context)]


def set_checks(
    kind: Kind,
    frame: GeoDataFrame | None,
    context: CheckContext,
    fingerprints: Sequence[Fingerprints] | None = None,
) -> list[Problem]:
    """What is wrong between rows of a file.

    Give the whole ``frame``; or, for buildings, barriers and cases too many to hold, None and the ``fingerprints`` of
    all batches: the checks that need the frame look at regions, grids and units only.
    """
    if fingerprints is None:
        fingerprints = () if frame is None else (Fingerprints.of(kind, frame),)
    found: list[Problem] = []
    if fingerprints:
        marks = Fingerprints.concat(fingerprints)
        found += [problem for mark_check in MARK_CHECKS for problem in mark_check(kind, marks, context)]
    if frame is not None:
        found += [problem for check in SET_CHECKS for problem in check(kind, frame, context)]
    return found


def run_checks(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> list[Problem]:
    """All checks on a whole file."""
    return row_checks(kind, frame, context) + set_checks(kind, frame, context)
