"""The heat surface against a direct sum, its balance of cases, its fixed legend, and its image."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy.stats import gaussian_kde

from geodata.density import BREAKS, PALETTE, classify, colour, density_grid, map_metres, png, smooth

BOUNDS = (0.0, 0.0, 4_000.0, 3_000.0)


def cases(n=400, seed=1):
    return np.random.default_rng(seed).uniform([900, 900], [3_100, 2_100], (n, 2))


def centres(cell_m, bounds=BOUNDS):
    xmin, ymin, xmax, ymax = bounds
    x = np.arange(xmin + cell_m / 2, xmax, cell_m)
    y = np.arange(ymin + cell_m / 2, ymax, cell_m)[::-1]
    return np.stack(np.meshgrid(x, y), -1)


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize(("bandwidth_m", "cell_m"), [(200, 10), (100, 25), (220, 4)])
def test_integrates_to_the_number_of_cases(kernel, bandwidth_m, cell_m):
    surface = density_grid(cases(), bandwidth_m, cell_m, BOUNDS, kernel)
    assert surface.sum(dtype=float) * cell_m**2 / 1e6 == pytest.approx(400, rel=0.01)


@pytest.mark.parametrize("cell_m", [10.0, 4.0])  # at 4 m the kernel is convolved coarsely and interpolated
def test_quartic_agrees_with_the_direct_sum(cell_m):
    h = 250.0
    points = cases()
    at = centres(cell_m)[::7, ::7]
    r2 = ((at[:, :, None, :] - points) ** 2).sum(-1) / h**2
    oracle = (3 / (np.pi * h**2) * np.clip(1 - r2, 0, None) ** 2).sum(-1) * 1e6
    surface = density_grid(points, h, cell_m, BOUNDS)
    assert np.abs(surface[::7, ::7] - oracle).max() < 0.02 * oracle.max()


def test_gaussian_agrees_with_scipy():
    points = cases()
    h = 200.0
    whitened = (points - points.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    # gaussian_kde scales by the data's covariance: give it a cloud of unit covariance, and the kernel is round again
    scale = 300.0
    cloud = whitened * scale
    at = centres(20.0, (-1_500, -1_500, 1_500, 1_500))
    oracle = gaussian_kde(cloud.T, bw_method=h / scale)(at.reshape(-1, 2).T).reshape(at.shape[:2]) * len(cloud) * 1e6
    surface = density_grid(cloud, h, 20.0, (-1_500, -1_500, 1_500, 1_500), "gaussian")
    assert np.abs(surface - oracle).max() < 0.02 * oracle.max()


def test_a_single_case_peaks_where_it_is_with_north_up():
    surface = density_grid([[500.0, 2_900.0]], 200, 20, BOUNDS)
    row, column = np.unravel_index(surface.argmax(), surface.shape)
    assert surface.shape == (150, 200)
    assert abs(row * 20 - 100) <= 20
    assert abs(column * 20 - 500) <= 20
    assert surface.max() == pytest.approx(3 / (np.pi * 200**2) * 1e6, rel=0.02)


def test_zooming_changes_no_colour():
    points = cases(5_000)
    wide = density_grid(points, 300, 40, BOUNDS)
    near = density_grid(points, 300, 10, (1_600, 1_200, 2_400, 1_800))
    middle = wide[(3_000 - 1_800) // 40 : (3_000 - 1_200) // 40, 1_600 // 40 : 2_400 // 40]
    assert near.reshape(15, 4, 20, 4).mean(axis=(1, 3)) == pytest.approx(middle, rel=0.03)


def test_cases_beyond_the_edge_reach_in():
    outside = density_grid([[-50.0, 1_500.0]], 200, 20, BOUNDS)
    assert outside[:, 0].max() > 0
    assert outside.sum() * 400 / 1e6 < 0.5


def test_no_case_nan_and_far_cases_are_nothing():
    for points in (np.empty((0, 2)), [[np.nan, np.nan]], [[1e9, 1e9]]):
        assert not density_grid(points, 200, 20, BOUNDS).any()


def test_a_lone_case_beside_a_crowd_is_kept_and_empty_ground_is_zero():
    points = np.vstack([np.full((20_000, 2), 1_000.0), [[3_000.0, 2_000.0]]])
    surface = density_grid(points, 300, 20, BOUNDS)
    assert surface[50, 150] == pytest.approx(3 / (np.pi * 300**2) * 1e6, rel=0.05)
    assert surface[0, 199] == 0
    assert surface.min() == 0


def test_bandwidth_under_a_cell_counts_cells():
    surface = density_grid([[105.0, 105.0]], 1.0, 10.0, (0, 0, 200, 200))
    assert surface.max() == pytest.approx(1e6 / 100, rel=1e-4)
    assert (surface > 0).sum() == 1


def test_counts_may_come_binned():
    counts = np.zeros((50, 60))
    counts[20, 30] = 7
    assert smooth(counts, 100, 500).sum(dtype=float) * 100**2 / 1e6 == pytest.approx(7, rel=1e-4)


@pytest.mark.parametrize(
    ("bandwidth", "cell", "bounds"), [(0, 1, BOUNDS), (1, 0, BOUNDS), (1, 1, (0, 0, 0, 1)), (np.nan, 1, BOUNDS)]
)
def test_nonsense_is_refused(bandwidth, cell, bounds):
    with pytest.raises(ValueError, match="positive"):
        density_grid([[0, 0]], bandwidth, cell, bounds)


def test_legend_is_fixed():
    values = np.array([[0, 4.99, 5, 19.9, 20, 99, 100, 1e9]])
    assert classify(values).tolist() == [[0, 0, 1, 1, 2, 3, 4, len(BREAKS)]]
    image = colour(values)
    assert image.shape == (1, 8, 4)
    assert image[0, 0].tolist() == [0, 0, 0, 0]
    assert (image[0, 7] == PALETTE[-1]).all()
    assert len(BREAKS) == len(PALETTE)
    with pytest.raises(ValueError, match="palette"):
        colour(values, breaks=(1, 2))


def test_png_holds_the_same_colours():
    surface = density_grid(cases(20_000), 200, 20, BOUNDS)
    data = png(surface)
    image = np.asarray(Image.open(BytesIO(data)).convert("RGBA"))
    assert (image == colour(surface)).all()
    assert len(data) < 20_000


def test_map_metres_are_true_at_their_latitude():
    a, b = map_metres([[121.0, 31.2], [121.01, 31.2]], lat0=31.2)
    east_m = 0.01 * np.pi / 180 * 6_378_137 * np.cos(np.radians(31.2))
    assert b - a == pytest.approx([east_m, 0], abs=1e-6)
    c, d = map_metres([[121.0, 31.195], [121.0, 31.205]], lat0=31.2)
    assert d[1] - c[1] == pytest.approx(0.01 * np.pi / 180 * 6_378_137, rel=1e-5)
