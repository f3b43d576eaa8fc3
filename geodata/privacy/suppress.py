"""Which cells of a table of places by columns may be published, so that no small count can be worked out.

**Rule.** A count of 1 to 4 is shown as "<5", nought as 0. A cell below a cell that is not shown is not shown either:
what is withheld is withheld in all its detail. Then *complementary* cells, each of 5 or more, are withheld until every
cell withheld at the edge of what is published lies on a cycle (:mod:`geodata.privacy.cycles`) of withheld cells of its
own sub-table: the children of one place by the children of one column. Where a sub-table has too little to hide
behind, the total above is withheld as well.

**Proof** that no cell of 1 to 4 follows from all that is published, sums and differences included. Let the cycle pass
places r1..rm and columns c1..cm, losing one case in each (rl, cl), gaining one in (rl, c(l+1)). Choose a case in each
losing cell and let it keep its place and all other attributes, but take the column of the next one. A published total
that holds both columns of a place, or both places of a column, is unchanged; one that holds the one without the other
lies below a cell of the cycle and is not published. The marks "<5" and "5 or more" stay true, for a direction that
would break them is not walked. So a second set of cases gives the same publication and another count in every cell on
the cycle, and, by choosing the case in it, in a withheld cell below. If the cell on the cycle can only gain, and the
gain falls outside the small cell below it, exchange that cell's case with one of the cycle's cases of the same place
(or column): both cells above keep their sums, only withheld cells between change, and the small one loses a case.

**Time.** Ranges are sums of columns of one tree (a *release*), so every range asked is a sum of what is published:
nothing is decided anew for a range. A release holds closed periods, is made once and never again; two releases share
no case, so nothing follows from them together. **Plans.** The places of a second plan are the pieces of its overlay
with the first (:mod:`geodata.privacy.overlay`), leaves of the same tree, so the same proof holds.

What is not claimed: that an interval is always 1 to 4 in full (it holds two whole numbers at least), or that someone
who knows other people's cases, or reasons from *why* a complementary cell was chosen, learns nothing. See
docs/adr/0011-small-numbers.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.privacy.cycles import on_cycle
from geodata.privacy.partners import Partners
from geodata.privacy.trees import Bools, Ints, Tree

States = NDArray[np.uint8]

#: Counts below this are small.
LEAST = 5
#: Shown as it is; small, shown as "<5"; withheld so that small ones stay so.
EXACT, SMALL, WITHHELD = 0, 1, 2


@dataclass(frozen=True)
class Published:
    """The table as it may be shown: ``counts`` (places, columns), and ``state`` of each (EXACT, SMALL, WITHHELD).

    ``counts`` is for those with the right to it; everyone else gets :meth:`sum` and :meth:`text` only.
    """

    counts: Ints
    state: States
    least: int = LEAST

    def sum(self, places: list[int], columns: list[int]) -> int | None:
        """Cases in all ``places`` and ``columns`` (nodes, none within another); None where any is not shown."""
        cells = np.ix_(places, columns)
        return int(self.counts[cells].sum()) if (self.state[cells] == EXACT).all() else None

    def text(self, places: list[int], columns: list[int], withheld: str = "—") -> str:
        """The same as a page shows it: a number, "<5", or the sign for what is withheld."""
        total = self.sum(places, columns)
        if total is not None:
            return str(total)
        lone = len(places) == len(columns) == 1 and self.state[places[0], columns[0]] == SMALL
        return f"<{self.least}" if lone else withheld


def suppress(counts: Ints, places: Tree, columns: Tree, least: int = LEAST) -> Published:
    """What may be published of ``counts`` (places, columns), all nodes of both trees, totals included.

    Places are divided in one way (one facet), columns in any number. Use :meth:`Tree.fill` to make the totals.
    Raises ``ValueError`` where the counts do not match the trees or are negative.
    """
    if counts.shape != (len(places), len(columns)) or (counts < 0).any() or places.facet.any():
        raise ValueError("counts must be not negative, one for each place and column; places have one facet")
    hidden = _below((counts > 0) & (counts < least), places, columns)
    partners = Partners(counts, places, columns, least)
    while True:
        edge = frontier(hidden, places, columns)
        bare = unprotected(counts, edge, places, columns, least)
        if not len(bare[0]):
            break
        for place, column in zip(bare[0].tolist(), bare[1].tolist(), strict=True):
            if hidden[place, column]:
                partners.protect(place, column, hidden)
        hidden = _below(hidden, places, columns)
    state = np.where(hidden, WITHHELD, EXACT).astype(np.uint8)
    state[edge & (counts < least)] = SMALL
    return Published(counts, state, least)


def frontier(hidden: Bools, places: Tree, columns: Tree) -> Bools:
    """Hidden cells whose totals, one place up and one column up, are both shown (or do not exist)."""
    edge = hidden.copy()
    edge[1:] &= ~hidden[places.parent[1:]]
    edge[:, 1:] &= ~hidden[:, columns.parent[1:]]
    return edge


def unprotected(counts: Ints, edge: Bools, places: Tree, columns: Tree, least: int) -> tuple[Ints, Ints]:
    """Places and columns of the hidden cells at the edge that lie on no cycle. The grand total has nothing above it.

    Each sub-table has a node for each of its places and columns; where it is one column (or place) deep, the missing
    side is one node, for a case may then come from any of its places (or columns).
    """
    place, column = np.nonzero(edge)
    away = (place > 0) | (column > 0)
    place, column = place[away], column[away]
    gain, loss = free(counts[place, column], least)
    groups = 1 + max(int(columns.group.max()), 0) + 1
    tail = np.where(column > 0, place * groups + columns.group[column] + 1, -1)  # a place within a division of columns
    width = len(columns)
    head = np.where(place > 0, (places.group[place] + 1) * width + column, -1)  # a column within a division of places
    alone = tail < 0
    base = len(places) * groups
    tail[alone] = base + places.group[place[alone]]
    top = base + len(places)
    crown = head < 0
    head[crown] = columns.group[column[crown]]
    head = head + top + np.where(crown, (len(places) + 1) * width, 0)
    bad = ~on_cycle(tail, head, gain, loss)
    order = np.lexsort((column[bad], place[bad]))
    return place[bad][order], column[bad][order]


def free(values: Ints, least: int) -> tuple[Bools, Bools]:
    """Whether hidden counts can gain and lose a case and keep their mark: 1 to 4, or 5 and more."""
    return (values != least - 1), (values > 1) & (values != least)


def _below(hidden: Bools, places: Tree, columns: Tree) -> Bools:
    return columns.spread_down(places.spread_down(hidden).T).T
