"""The plan of one county: arterials, communities, blocks with a land use, and plots, all rectangles on the lattice.

Each level divides the one above by guillotine cuts across the longer side; the cuts become the streets. So the levels
nest exactly, and streets end in T-junctions as grown towns have them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.synth.ground import HEIGHT, RIVER_V, STEP, WIDTH, Floats
from geodata.synth.landuse import USES, choose_uses

Ints = NDArray[np.int64]
COLUMNS = (0.0, 800.0, 1600.0, 2400.0, 4200.0, WIDTH)
ROWS = (0.0, 860.0, RIVER_V, 2680.0, HEIGHT)
URBAN_COLUMNS = 3
BANK_M = 100.0
FULL_COMMUNITIES = 30


@dataclass(frozen=True, slots=True)
class Layout:
    """Rectangles (n, 4) as ``u0, v0, u1, v1`` in plan metres, counted from the county's own corner.

    ``cuts`` (m, 4) are the streets with ``cut_class``; ``columns`` and ``rows`` the arterials.
    """

    communities: Floats
    subdistrict: Ints  # 0 north of the river, 1 south of it, 2 the rural town
    seat: int
    blocks: Floats
    block_community: Ints
    block_use: NDArray[np.str_]
    hamlets: Floats  # (n, 4): centre and half extents
    plots: Floats
    plot_block: Ints
    cuts: Floats
    cut_class: NDArray[np.str_]
    columns: Floats
    rows: Floats

    @property
    def urban(self) -> NDArray[np.bool_]:
        """By community: in one of the two urban subdistricts."""
        return self.subdistrict < 2

    @property
    def plot_use(self) -> NDArray[np.str_]:
        return self.block_use[self.plot_block]


def lay_out(rng: np.random.Generator, share: float = 1.0) -> Layout:
    """A county of about 30 communities, or the ``share`` of it (0-1] that lies nearest its centre."""
    columns, rows = _jitter(np.array(COLUMNS), rng), _jitter(np.array(ROWS), rng)
    communities, subdistrict, seat, streets = _communities(columns, rows, rng)
    kept = _nearest(communities, subdistrict, seat, max(4, round(FULL_COMMUNITIES * share)))
    communities, subdistrict, seat = communities[kept], subdistrict[kept], int(np.flatnonzero(kept == seat)[0])
    streets[:, 1] = np.where(streets[:, 1] == RIVER_V, RIVER_V + BANK_M, streets[:, 1])
    streets[:, 3] = np.where(streets[:, 3] == RIVER_V, RIVER_V - BANK_M, streets[:, 3])
    cut_lists, class_lists = [streets], [np.full(len(streets), "secondary")]

    inner, banks, bank_cuts = _banks(communities)
    cut_lists.append(bank_cuts)
    class_lists.append(np.full(len(bank_cuts), "secondary"))
    urban = (subdistrict < 2) | (np.arange(len(communities)) == seat)
    block_parts, owner_parts = [communities[:0]], [np.empty(0, np.int64)]
    for members, want_m2 in ((np.flatnonzero(urban), 28_000.0), (np.flatnonzero(~urban), 90_000.0)):
        leaves, root, cuts, depth = split(inner[members], want_m2, rng)
        block_parts.append(leaves)
        owner_parts.append(members[root])
        cut_lists.append(cuts)
        class_lists.append(np.where(depth == 0, "tertiary", "residential"))
    block_parts.append(banks[:, :4])
    owner_parts.append(banks[:, 4].astype(np.int64))
    blocks, owner = np.concatenate(block_parts), np.concatenate(owner_parts)
    is_bank = np.arange(len(blocks)) >= len(blocks) - len(banks)
    use, hamlets = choose_uses(communities, subdistrict, seat, blocks, owner, is_bank, rng)

    want = np.array([USES[name].plot_m2 for name in use])
    plots, plot_block, cuts, _ = split(blocks, want, rng)
    cut_lists.append(cuts)
    class_lists.append(np.full(len(cuts), "service"))
    return Layout(
        communities, subdistrict, seat, blocks, owner, use, hamlets, plots, plot_block,
        np.concatenate(cut_lists), np.concatenate(class_lists), columns, rows,
    )  # fmt: skip


def split(rects: Floats, want_m2: Floats | float, rng: np.random.Generator) -> tuple[Floats, Ints, Floats, Ints]:
    """Cut rectangles (n, 4) until each is at most about ``want_m2``.

    Returns leaves (m, 4), the index of each leaf's root, the cuts (k, 4) and the depth of each cut (0 = first).
    """
    want = np.broadcast_to(np.asarray(want_m2, float), len(rects)).copy()
    root = np.arange(len(rects))
    leaves, roots, cuts, depths = [], [], [], []
    for depth in range(40):
        size = np.column_stack([rects[:, 2] - rects[:, 0], rects[:, 3] - rects[:, 1]])
        divide = (size.prod(axis=1) > 1.5 * want[root]) & (size.max(axis=1) >= 4 * STEP)
        leaves.append(rects[~divide])
        roots.append(root[~divide])
        rects, root, size = rects[divide], root[divide], size[divide]
        if not len(rects):
            break
        tall = (size[:, 1] > size[:, 0]).astype(np.int64)
        each = np.arange(len(rects))
        at = rects[each, tall] + STEP * np.round(size.max(axis=1) * rng.uniform(0.36, 0.64, len(rects)) / STEP)
        first, second = rects.copy(), rects.copy()
        first[each, tall + 2] = at
        second[each, tall] = at
        cut = rects.copy()
        cut[each, tall] = at
        cut[each, tall + 2] = at
        cuts.append(cut)
        depths.append(np.full(len(cut), depth))
        rects, root = np.concatenate([first, second]), np.concatenate([root, root])
    empty = np.empty((0, 4))
    return (
        np.concatenate(leaves),
        np.concatenate(roots),
        np.concatenate([empty, *cuts]),
        np.concatenate([np.empty(0, np.int64), *depths]),
    )


def _jitter(lines: Floats, rng: np.random.Generator) -> Floats:
    """Move inner arterials by up to 60 m on the lattice; the rim and the river stay, for neighbours meet there."""
    moved = lines + STEP * rng.integers(-3, 4, len(lines))
    fixed = np.isin(lines, (0.0, WIDTH, HEIGHT, RIVER_V, COLUMNS[URBAN_COLUMNS]))
    return np.where(fixed, lines, moved)


def _communities(columns: Floats, rows: Floats, rng: np.random.Generator) -> tuple[Floats, Ints, int, Floats]:
    """Cut the cells of the frame into communities; returns them, their subdistrict, the town's seat and the streets."""
    i, j = (index.ravel() for index in np.meshgrid(np.arange(len(columns) - 1), np.arange(len(rows) - 1)))
    cells = np.column_stack([columns[i], rows[j], columns[i + 1], rows[j + 1]])
    subdistrict = np.where(i >= URBAN_COLUMNS, 2, np.where(j >= 2, 0, 1))
    urban_cells = np.flatnonzero(subdistrict < 2)
    whole = rng.choice(urban_cells, 3, replace=False)
    seat_cell = int(np.flatnonzero((i == URBAN_COLUMNS) & (j == 2))[0])
    want = np.where(subdistrict < 2, 420_000.0, np.inf)
    want[whole] = np.inf
    want[seat_cell] = 900_000.0
    leaves, root, cuts, _ = split(cells, want, rng)
    in_seat_cell = np.flatnonzero(root == seat_cell)
    seat = int(in_seat_cell[np.argmin(leaves[in_seat_cell, 0])])
    return leaves, subdistrict[root], seat, cuts


def _nearest(communities: Floats, subdistrict: Ints, seat: int, count: int) -> Ints:
    """The ``count`` communities nearest the corner where the three subdistricts meet, each subdistrict among them."""
    middle = (communities[:, :2] + communities[:, 2:]) / 2
    distance = np.hypot(middle[:, 0] - COLUMNS[URBAN_COLUMNS], middle[:, 1] - RIVER_V)
    distance[seat] = -1
    for part in (0, 1, 2):
        members = np.flatnonzero((subdistrict == part) & (distance > 0))
        distance[members[np.argmin(distance[members])]] = -1
    return np.sort(np.argsort(distance, kind="stable")[: min(count, len(communities))])


def _banks(communities: Floats) -> tuple[Floats, Floats, Floats]:
    """Take the strips along the river out of the communities: the rest, strips (m, 5: rect, owner), embankments."""
    inner = communities.copy()
    south, north = communities[:, 3] == RIVER_V, communities[:, 1] == RIVER_V
    inner[south, 3] -= BANK_M
    inner[north, 1] += BANK_M
    strips = communities.copy()
    strips[south, 1] = RIVER_V - BANK_M
    strips[north, 3] = RIVER_V + BANK_M
    owners = np.flatnonzero(south | north)
    edge = np.where(south, RIVER_V - BANK_M, RIVER_V + BANK_M)[owners]
    cuts = np.column_stack([communities[owners, 0], edge, communities[owners, 2], edge])
    return inner, np.column_stack([strips[owners], owners]), cuts
