"""Ways opened for empty land in the studio are those of the engine, which leaves special-purpose grids out."""

from __future__ import annotations

import numpy as np

from geodata.redraw.land import Land
from geodata.redraw.model import Borders
from gridmap.services.studio.ground import engine_borders
from gridmap.services.studio.land import Numbers


def three(special: list[int]) -> list[bool]:
    """Which ways are open of a block, empty land across a river from it, and more of that with a longer bank.

    The pairs: block and land (5 m, barred), block and the other land (9 m, barred), land and land (open).
    """
    borders = Borders.plain([0, 0, 1], [1, 2, 2], [5.0, 9.0, 4.0])
    shut = Borders(
        borders.i, borders.j, borders.length_m, borders.barrier_m, borders.torn_m, np.array([False, False, True])
    )
    land = Land(np.ones(3), np.full(3, 4.0), np.zeros((3, 2)), shut, np.zeros((0, 2), dtype=np.int64))
    zero = np.zeros(3, dtype=np.int64)
    columns = dict.fromkeys(Numbers.__dataclass_fields__, zero)
    numbers = Numbers(**columns | {"households": np.array([300, 0, 0]), "special": np.array(special)})
    return engine_borders(land, numbers).crossable.tolist()


def test_empty_land_hangs_on_the_block_by_its_longest_bank() -> None:
    assert three([0, 0, 0]) == [False, True, True]


def test_land_that_is_drawn_does_not_hang_on_by_land_that_is_not() -> None:
    """The engine does not see the special grid's land: what is left must reach the block by itself."""
    assert three([0, 0, 1])[0]


def test_land_of_special_grids_keeps_its_way() -> None:
    assert three([0, 0, 1])[1:] == [True, True]
