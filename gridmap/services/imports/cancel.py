"""Stopping a batch while it is read: the worker notices within moments and rolls back all it had staged."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import ImportBatch
from gridmap.errors import Conflict
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.imports import batches, files
from gridmap.services.imports.views import BatchView


@service
def cancel(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """Throw away a batch that is being read; ``Conflict`` IMPORT_STATE where it is not being read any more."""
    batches.find(session, actor, batch_id)
    # the worker's rows refer to the batch: a lock that lets them
    query = sa.select(ImportBatch).where(ImportBatch.id == batch_id).with_for_update(key_share=True)
    batch = session.scalars(query, execution_options={"populate_existing": True}).one()
    if batch.state != "reading":
        raise Conflict("IMPORT_STATE", state=batch.state, state_zh=batches.STATES_ZH[batch.state])
    batch.state, batch.progress = "discarded", 0.0
    audit.record(session, actor, "import.cancel", "import_batch", batch_id)
    session.flush()
    files.forget(session, batch)
    return batches.view(session, batch, actor)
