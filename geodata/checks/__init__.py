"""Checks on staged rows before they are accepted: small functions, each saying what it does and does not check.

``row_checks`` looks at rows by themselves and runs batch by batch; ``set_checks`` compares rows with one another and
runs once over the file, from slim :class:`Fingerprints` where the file is too large to hold.

A frame has the 1-based row number as index, the target columns of :mod:`geodata.fields`, typed, and geometry in
longitude, latitude (EPSG:4490). Nothing is changed or repaired here.
"""

from geodata.checks.context import CheckContext
from geodata.checks.fingerprints import Fingerprints
from geodata.checks.pipeline import ROW_CHECKS, SET_CHECKS, row_checks, run_checks, set_checks

__all__ = [
    "ROW_CHECKS",
    "SET_CHECKS",
    "CheckContext",
    "Fingerprints",
    "row_checks",
    "run_checks",
    "set_checks",
]
