"""Columns to fields: confirmed for this batch, remembered for these headers, or guessed."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.columns import guess_mapping
from geodata.fields import FIELDS, Kind
from geodata.readers import Source
from gridmap.db.models import ColumnMapping, ImportBatch
from gridmap.errors import Invalid
from gridmap.services.actor import Actor


def mapping_of(session: Session, batch: ImportBatch, source: Source) -> tuple[dict[str, str], str]:
    """Target field -> column, and where from: "confirmed", "remembered" or "guessed"."""
    if batch.mapping:
        return dict(batch.mapping), "confirmed"
    kind = Kind(batch.kind)
    remembered = session.scalar(
        sa.select(ColumnMapping.mapping).where(
            ColumnMapping.kind == kind.value, ColumnMapping.header_hash == source.header_hash
        )
    )
    if remembered and set(remembered.values()) <= set(source.columns):
        return dict(remembered), "remembered"
    return guess_mapping(kind, source.columns, source.preview(200)), "guessed"


def remember(session: Session, actor: Actor, batch: ImportBatch, mapping: Mapping[str, str]) -> None:
    """Offer ``mapping`` again when the headers of ``batch`` return."""
    row = insert(ColumnMapping).values(
        kind=batch.kind, header_hash=batch.header_hash, mapping=dict(mapping), user_id=actor.user_id
    )
    changed = {"mapping": row.excluded.mapping, "user_id": row.excluded.user_id, "updated_at": sa.func.now()}
    session.execute(row.on_conflict_do_update(index_elements=["kind", "header_hash"], set_=changed))


def checked(kind: Kind, mapping: Mapping[str, str | None], columns: list[str]) -> dict[str, str]:
    """``mapping`` without empty choices; ``Invalid`` for fields or columns that do not exist."""
    names = {field.name for field in FIELDS[kind]}
    chosen = {target: column for target, column in mapping.items() if column}
    for target, column in chosen.items():
        if target not in names:
            raise Invalid("IMPORT_FIELD", field=target, fields="、".join(sorted(names)))
        if column not in columns:
            raise Invalid("IMPORT_COLUMN", column=column, columns="、".join(columns[:30]))
    return chosen
