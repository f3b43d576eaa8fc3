"""Work that meets: locks are taken in one order, so that two who change the same things wait and none is thrown out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.db.models import Building, Plan, Unit
from gridmap.services import counts, plans
from gridmap.services.actor import SYSTEM
from gridmap.services.versions import raise_version

pytestmark = pytest.mark.usefixtures("shared_demo_url")

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_recount_waits_for_a_check_that_writes_its_counts_last() -> None:
    with transaction() as session:
        plan_id = session.scalar(sa.select(Plan.id).where(Plan.state == "published"))
        unit_id = session.scalar(sa.select(Unit.id).where(Unit.retired_at.is_(None), Unit.buildings > 0).limit(1))
        session.execute(sa.update(Building).where(Building.unit_id == unit_id).values(households=77))
    assert plan_id is not None and unit_id is not None

    def recounted() -> int:
        with transaction() as session:
            return counts.recount(session, [unit_id])

    with ThreadPoolExecutor(1) as pool:
        with transaction() as checking:
            plans.editable(checking, SYSTEM, plan_id, draft=False)
            waiting = pool.submit(recounted)
            until_waiting()
            counts.sum_plan(checking, plan_id)
            raise_version(checking, "plans")
        assert waiting.result(30) > 0


def until_waiting() -> None:
    """Return when another session of this database waits for a lock."""
    end = monotonic() + 20
    while monotonic() < end:
        with transaction() as session:
            if session.scalar(sa.text(_WAITING)):
                return
        sleep(0.05)
    pytest.fail("nobody waits")
