"""A task cut down to some of its units: what is left out stays as it is and plays no part."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from geodata.redraw.model import Borders, Instance, Ints, Units


def subset(instance: Instance, members: Ints) -> tuple[Instance, Ints]:
    """The task of ``members`` (k,; ascending) alone, and the numbers (g,) that its start grids have in ``instance``.

    Groups are numbered anew. Borders with what is left out are outline, like the edge of the ground.
    """
    units, borders = instance.units, instance.units.borders
    place = np.full(len(units), -1, dtype=np.int64)
    place[members] = np.arange(len(members))
    inside = (place[borders.i] >= 0) & (place[borders.j] >= 0)
    columns = {name.name: getattr(borders, name.name)[inside] for name in fields(Borders)}
    columns |= {"i": place[columns["i"]], "j": place[columns["j"]]}
    own = {name.name: getattr(units, name.name)[members] for name in fields(Units) if name.name != "borders"}
    own["group"] = np.unique(own["group"], return_inverse=True)[1].astype(np.int64)
    start = instance.start[members]
    grids = np.unique(start[start >= 0])
    task = replace(
        instance,
        units=Units(**own, borders=Borders(**columns)),
        start=np.where(start >= 0, np.searchsorted(grids, start), -1),
        locked=instance.locked[members],
        closed=frozenset(np.flatnonzero(np.isin(grids, list(instance.closed))).tolist()),
    )
    return task, grids
