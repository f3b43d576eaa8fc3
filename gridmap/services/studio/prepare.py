"""Making a ground before somebody waits for it."""

from __future__ import annotations

from gridmap.db.engine import transaction
from gridmap.services.studio.land import read_laid, read_numbers


def run_prepare(plan_id: int) -> None:
    """The worker's part of a new plan: its ground lies on disk when the studio opens. A plan that is gone has none."""
    with transaction() as session:
        numbers = read_numbers(session, plan_id)
        if len(numbers.id):
            read_laid(session, plan_id, numbers)
