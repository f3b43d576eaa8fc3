"""Ten million cases of a town, clustered, seeded: what the heat bench counts."""

from __future__ import annotations

import numpy as np

from geodata.heat import Cases

SIZE_DEG = (0.52, 0.45)  # 50 km each way
CORNER = (120.0, 30.0)
YEAR = 365 * 86_400_000_000
BEGIN = 1_640_995_200_000_000  # 2022-01-01 UTC
YEARS = 4
NAMES = tuple(f"category {k:02d}" for k in range(12))
REGIONS = 16


def make_cases(n: int, seed: int = 7) -> Cases:
    """``n`` cases of four years: three in four around 400 centres, one in a hundred at 50 addresses, 16 districts."""
    rng = np.random.default_rng(seed)
    centres = rng.random((400, 2))
    xy = rng.random((n, 2))
    near = rng.random(n) < 0.75
    weights = rng.pareto(1.5, 400) + 0.2
    chosen = rng.choice(400, near.sum(), p=weights / weights.sum())
    xy[near] = centres[chosen] + rng.normal(0, 1, (near.sum(), 2)) * rng.uniform(0.003, 0.02, 400)[chosen, None]
    stacked = rng.random(n) < 0.01
    xy[stacked] = centres[rng.integers(0, 50, stacked.sum())]
    xy %= 1
    region = (xy[:, 0] * 4).astype(np.int64).clip(0, 3) * 4 + (xy[:, 1] * 4).astype(np.int64).clip(0, 3)
    at = BEGIN + rng.integers(0, YEARS * YEAR // 1_000_000, n) * 1_000_000
    category = np.minimum(rng.geometric(0.25, n) - 1, len(NAMES) - 1)
    x, y = (xy * SIZE_DEG + CORNER).T
    return Cases(x.copy(), y.copy(), at, category, region, NAMES, tuple(range(1, REGIONS + 1)))
