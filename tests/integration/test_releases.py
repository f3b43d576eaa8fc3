"""Releases: what is made when, what it says, who sees what of it."""

from __future__ import annotations

from time import perf_counter

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.services.actor import SYSTEM
from gridmap.services.cases import release

pytestmark = pytest.mark.usefixtures("shared_demo_url")


def test_make() -> None:
    t = perf_counter()
    made = release.make(SYSTEM)
    print(made, perf_counter() - t)
    with transaction() as session:
        print(
            session.execute(
                sa.text(
                    "SELECT since, until, plan_id, plan_name, made_at, jsonb_array_length(columns) FROM case_release"
                )
            ).all()
        )
        print(
            session.execute(
                sa.text(
                    "SELECT level, count(*), sum((shown[1]=-1)::int), sum((shown[1]=-2)::int), (SELECT sum(s) FROM case_release_place q, unnest(q.shown) s WHERE q.level=p.level and s > 0), sum((select count(*) from unnest(shown) s where s = -1)), sum((select count(*) from unnest(shown) s where s = -2)), sum((select count(*) from unnest(shown) s where s >= 5)) FROM case_release_place p GROUP BY level"
                )
            ).all()
        )
        print(session.execute(sa.text("SELECT columns FROM case_release")).scalar_one())
    assert release.make(SYSTEM) == ()
