"""The pieces of ground that two plans have in common, whatever units each of them is made of.

A unit that both hold is a piece. Where one plan cut a unit that the other holds whole, the cut pieces are the pieces.
What then is left (units rebuilt since, or cut otherwise in each plan) is laid over each other; see
:mod:`gridmap.services.compare.overlay`. Ground without a counterpart cannot be compared, and is counted as such.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.comparison import ABSENT, Ints, Pieces
from gridmap.services.compare.load import Half
from gridmap.services.compare.overlay import Parts, overlay
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Common:
    """``row_a``, ``row_b`` (p,): the unit of each piece in either plan, -1 where it has none.

    ``overlaid`` (p,): found by geometry, so its counts are estimates; ``parts`` are those pieces, in order.
    """

    row_a: Ints
    row_b: Ints
    overlaid: NDArray[np.bool_]
    parts: Parts
    pieces: Pieces


def common(session: Session, a: Half, b: Half) -> Common:
    """Cut the ground of two plans into pieces that each holds whole."""
    _, shared_a, shared_b = np.intersect1d(a.unit, b.unit, assume_unique=True, return_indices=True)
    pairs = [(shared_a, shared_b)]
    rest_a, rest_b = _others(len(a.unit), shared_a), _others(len(b.unit), shared_b)
    if len(rest_a) and len(rest_b):
        whole_a, cut_b = _cut(session, a, b, rest_a, rest_b)
        whole_b, cut_a = _cut(session, b, a, rest_b, rest_a)
        pairs += [(whole_a, cut_b), (cut_a, whole_b)]
        rest_a, rest_b = np.setdiff1d(rest_a, np.r_[whole_a, cut_a]), np.setdiff1d(rest_b, np.r_[cut_b, whole_b])
    row_a, row_b = (np.concatenate([pair[k] for pair in pairs]).astype(np.int64) for k in (0, 1))
    finer = b.area_m2[row_b] <= a.area_m2[row_a]  # of a cut unit and its whole, the cut one counts
    parts = overlay(session, a, b, rest_a, rest_b)

    def counted(name: str) -> Ints:
        first = np.where(finer, getattr(b, name)[row_b], getattr(a, name)[row_a])
        return np.concatenate([first, getattr(parts, name)])

    all_a, all_b = np.concatenate([row_a, parts.row_a]), np.concatenate([row_b, parts.row_b])
    pieces = Pieces(
        np.append(a.grid, ABSENT)[all_a],
        np.append(b.grid, ABSENT)[all_b],
        counted("households"),
        counted("population"),
        counted("area_m2").astype(np.float64),
    )
    return Common(all_a, all_b, np.arange(len(all_a)) >= len(row_a), parts, pieces)


def _others(count: int, taken: Ints) -> Ints:
    """The rows of ``count`` that are not taken; by a mask, for ``setdiff1d`` takes seconds for 400,000."""
    free = np.ones(count, dtype=bool)
    free[taken] = False
    return np.flatnonzero(free)


def _cut(session: Session, whole: Half, cut: Half, rest_whole: Ints, rest_cut: Ints) -> tuple[Ints, Ints]:
    """Rows (whole, cut): units that one plan holds whole, and the pieces of theirs that the other holds."""
    lineage = session.execute(query("compare", "ancestors"), {"units": cut.unit[rest_cut].tolist()}).all()
    at_whole = dict(zip(whole.unit[rest_whole].tolist(), rest_whole.tolist(), strict=True))
    at_cut = dict(zip(cut.unit[rest_cut].tolist(), rest_cut.tolist(), strict=True))
    pairs = [(at_whole[row.ancestor], at_cut[row.unit_id]) for row in lineage if row.ancestor in at_whole]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
