"""Which grid of a new plan is which of the start plan: the matching under which most households keep their grid."""

from __future__ import annotations

import numpy as np

from geodata.redraw.model import Instance, Ints


def keep_names(instance: Instance, plan: Ints) -> Ints:
    """``plan`` (n,) with its grids renumbered; the partition stays as it is.

    Grids with locked units keep their number. The others are matched with the start plan's grids so that the households
    that stay are as many as possible (Hungarian method, Kuhn 1955; ground area decides between equals); the rest get
    numbers from ``n_start`` on, in the order of their first unit.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    units, start = instance.units, instance.start
    grids, slot = np.unique(plan, return_inverse=True)
    name = np.full(len(grids), -1, dtype=np.int64)
    held = instance.held()
    name[slot[held]] = start[held]
    taken = np.unique(start[held])
    area = units.area_m2 / max(float(units.area_m2.sum()), 1.0)
    open_ = (start >= 0) & (name[slot] < 0) & ~np.isin(start, taken)
    if open_.any():
        old, old_slot = np.unique(start[open_], return_inverse=True)
        new, new_slot = np.unique(slot[open_], return_inverse=True)
        kept = coo_array(
            (units.households[open_] + area[open_], (new_slot, old_slot)), shape=(len(new), len(old))
        ).tocsr()
        joint = coo_array((np.ones(len(new_slot)), (new_slot, old_slot + len(new))), shape=(len(new) + len(old),) * 2)
        cluster = connected_components(joint, directed=False)[1].astype(np.int64)
        for rows, columns in _clusters(cluster[: len(new)], cluster[len(new) :]):
            row, column = linear_sum_assignment(kept[rows][:, columns].toarray(), maximize=True)
            worth = np.asarray(kept[rows[row], columns[column]]).ravel() > 0
            name[new[rows[row[worth]]]] = old[columns[column[worth]]]
    fresh = name < 0
    first = np.full(len(grids), len(plan), dtype=np.int64)
    np.minimum.at(first, slot, np.arange(len(plan)))
    order = np.flatnonzero(fresh)[np.argsort(first[fresh], kind="stable")]
    name[order] = instance.n_start + np.arange(len(order))
    return np.asarray(name[slot], dtype=np.int64)


def _clusters(rows: Ints, columns: Ints) -> list[tuple[Ints, Ints]]:
    """Rows and columns of each cluster that has both."""
    row_order, column_order = np.argsort(rows, kind="stable"), np.argsort(columns, kind="stable")
    found = []
    for cluster in np.intersect1d(rows, columns):
        row = row_order[slice(*np.searchsorted(rows[row_order], (cluster, cluster + 1)))]
        column = column_order[slice(*np.searchsorted(columns[column_order], (cluster, cluster + 1)))]
        found.append((row, column))
    return found
