"""Bins of a heat store against the quadrats of pointpats: counts, and the statistic that is made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pointpats import QStatistic, RectangleM
from scipy import stats

from geodata.heat import Cases, Store, Wanted, build
from geodata.heat.lattice import latitude, longitude

LEVEL, COLUMN, ROW = 16, 54_613, 27_000
DAY = 86_400_000_000


@pytest.mark.parametrize(("wide", "high", "clustered"), [(6, 4, True), (3, 7, False), (16, 16, True)])
def test_bins_are_quadrats(tmp_path: Path, wide: int, high: int, clustered: bool) -> None:
    rng = np.random.default_rng(wide)
    drawn = rng.beta(2, 3, (4_000, 2)) if clustered else rng.uniform(0, 1, (4_000, 2))
    # pointpats lays its quadrats over the points: two of them stand in the corners of the view
    across, down = np.concatenate([[(0, 1e-9), (1 - 1e-9, 1 - 1e-9)], drawn]).T * [[wide], [high]]
    edges = np.array([latitude(ROW + k, LEVEL) for k in range(high + 1)])
    row = down.astype(int)
    y = edges[row] + (down - row) * (edges[row + 1] - edges[row])
    west, east = longitude(COLUMN, LEVEL), longitude(COLUMN + wide, LEVEL)
    x = west + across / wide * (east - west)
    zero = np.zeros(len(x), dtype=np.int64)
    build(Cases(x, y, zero + 20_000 * DAY, zero, zero, ("road",), (1,)), tmp_path / "store", {})
    bins = Store.open(tmp_path / "store").bins(Wanted((west, float(edges[-1]), east, float(edges[0])), LEVEL))
    points = np.column_stack([across, down])
    told = RectangleM(points, count_column=wide, count_row=high).point_location_sta()
    assert bins.counts.ravel().tolist() == [told[k] for k in range(wide * high)]
    quadrats = QStatistic(points, shape="rectangle", nx=wide, ny=high)
    ours = stats.chisquare(bins.counts.ravel())
    assert quadrats.chi2 == pytest.approx(ours.statistic)
    assert (ours.pvalue < 1e-6) == clustered
