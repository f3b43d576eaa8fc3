"""The audit: who did what, when, to what; written in the transaction of the change it speaks of."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gridmap.db.models import AuditEvent
from gridmap.services.actor import Actor


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject_type: str | None = None,
    subject_id: object = None,
    *,
    region_code: str | None = None,
    **detail: Any,
) -> None:
    """Append an event; ``action`` is ``noun.verb`` ("plan.check"), ``detail`` plain JSON values, never a secret."""
    session.add(
        AuditEvent(
            user_id=actor.user_id,
            login=actor.login,
            action=action,
            subject_type=subject_type,
            subject_id=None if subject_id is None else str(subject_id),
            region_code=region_code,
            address=actor.address,
            detail=detail,
        )
    )
