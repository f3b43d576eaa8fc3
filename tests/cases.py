"""Where cases are, for tests: read from the table itself."""

from __future__ import annotations

from geodata.heat.columns import Floats
from gridmap.db.engine import transaction
from gridmap.services.actor import SYSTEM, Actor
from gridmap.services.cases.filters import CaseFilter, condition
from gridmap.services.cases.grids import lonlat
from gridmap.services.cases.read import ALL


def places(wanted: CaseFilter = ALL, actor: Actor = SYSTEM) -> Floats:
    """Places (n, 2) lon, lat of the located cases that are wanted."""
    with transaction() as session:
        return lonlat(session, condition(session, actor, wanted))
