"""Alembic's environment: runs on the connection that :mod:`gridmap.db.migrate` hands over."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

from gridmap.db.models import Base


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Only our own tables: the job queue's and PostGIS's are not ours to drop."""
    return kind != "table" or name in Base.metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=include_name,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
