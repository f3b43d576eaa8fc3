"""Before staging: what the file is, and how a person wants it read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.fields import FIELDS, Kind
from geodata.readers import Source
from gridmap.db.engine import service
from gridmap.db.models import ImportBatch, Region
from gridmap.errors import Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.imports import batches, coordinates, files
from gridmap.services.imports import mapping as columns
from gridmap.services.imports.views import BatchView, DatumView, FieldView, Preview, ProblemView

PREVIEW_ROWS = 20


@service
def preview(
    session: Session, actor: Actor, batch_id: int, *, encoding: str | None = None, layer: str | None = None
) -> Preview:
    """What the file is and how it would be read; ``encoding`` and ``layer`` try other readings without keeping them."""
    batch = batches.find(session, actor, batch_id)
    batches.looked_at(session, actor, batch, "preview")
    kind = Kind(batch.kind)
    with files.opened(batch, encoding=encoding, layer=layer) as source:
        mapping, origin = columns.mapping_of(session, batch, source)
        guesses = coordinates.readings(session, source, mapping, kind)
        rows = source.preview(PREVIEW_ROWS)
        return Preview(
            batch=batches.view(session, batch, actor),
            format=source.format.value,
            layers=tuple(source.layers),
            layer=source.layer,
            encoding=source.encoding.name,
            encoding_how=source.encoding.how,
            declared_crs=coordinates.name_of(source.crs_wkt),
            geometry_type=source.geometry_type,
            crs_guesses=coordinates.choices(guesses, actor.locale),
            columns=tuple(source.columns),
            fields=tuple(
                FieldView(f.name, f.en if actor.locale.startswith("en") else f.zh, f.type, f.required)
                for f in FIELDS[kind]
            ),
            mapping=mapping,
            mapping_from=origin,
            personal=tuple(source.personal),
            rows=tuple(_record(rows, i) for i in range(len(rows))),
            row_count=source.row_count,
            notes=tuple(
                ProblemView(
                    0, note.code, note.severity.value, note.row, note.sentence(actor.locale), note.hint(actor.locale)
                )
                for note in source.notes
            ),
        )


@service
def configure(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
    mapping: Mapping[str, str | None] | None = None,
    department: str | None = None,
    estimate: Mapping[str, float] | str | None = None,
    region: str | None = None,
    derive: str | None = None,
    where: Mapping[str, str] | None = None,
) -> BatchView:
    """Say how the file is to be read; what is None stays as it was, the empty string takes a choice back.

    ``crs``: a key of :class:`CrsChoice` or an EPSG code. ``datum``: CGCS2000, GCJ02 or BD09. ``mapping``: target field
    -> column (None: not mapped), remembered for these headers. ``estimate``: fields of
    :class:`geodata.estimate.EstimateOptions`. ``region``: code of the region the file belongs to. ``derive`` (units
    where no community is known): "whole" or "column:<name>" makes communities of the units themselves, below
    ``region`` as a code. ``where``: column -> text that records must hold.
    """
    batch = batches.locked(session, actor, batch_id, states=batches.OPEN)
    _choose_reading(batch, layer, encoding, where)
    if datum is not None:
        batch.datum = coordinates.datum_named(datum) if datum else None
    if department is not None:
        batch.department = department.strip() or None
    if region is not None:
        _choose_region(session, actor, batch, region)
    _choose_options(batch, estimate, derive)
    with files.opened(batch) as source:
        batch.format, batch.header_hash = source.format.value, source.header_hash
        batch.layer = source.layer
        if mapping is not None:
            chosen = columns.checked(Kind(batch.kind), mapping, source.columns)
            batch.mapping = chosen
            columns.remember(session, actor, batch, chosen)
        if crs is not None:
            batch.crs = _chosen_crs(session, batch, source, crs)
    _unstage(session, batch)
    audit.record(session, actor, "import.configure", "import_batch", batch_id)
    session.flush()
    return batches.view(session, batch, actor)


@service
def datum_report(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    encoding: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
) -> DatumView:
    """The datum detective on the first records, against trusted layers already in the database.

    ``encoding``, ``layer`` and ``crs`` try other readings without keeping them.
    """
    batch = batches.find(session, actor, batch_id)
    kind = Kind(batch.kind)
    chosen = crs or batch.crs
    with files.opened(batch, encoding=encoding, layer=layer) as source:
        mapping, _ = columns.mapping_of(session, batch, source)
        guesses = coordinates.readings(session, source, mapping, kind)
        guess = coordinates.guess_of(chosen, guesses) if chosen else coordinates.the_one(guesses)
        sample = coordinates.sample_stored(source, mapping, kind, guess)
    return coordinates.datum_view(coordinates.judge_datum(session, kind, sample), actor.locale)


def _choose_reading(
    batch: ImportBatch, layer: str | None, encoding: str | None, where: Mapping[str, str] | None
) -> None:
    if layer is not None:
        batch.layer = layer or None
    if encoding is not None:
        batch.encoding = encoding or None
    if where is not None:
        batch.options = {**batch.options, "where": dict(where) or None}


def _choose_region(session: Session, actor: Actor, batch: ImportBatch, code: str) -> None:
    batch.options = {**batch.options, "region": code or None}
    if not code:
        batch.region_id = None
        return
    found = session.execute(sa.select(Region.id, Region.prefix).where(Region.code == code)).one_or_none()
    if found is None and batch.kind != Kind.UNITS:
        raise Invalid("IMPORT_REGION", region=code)
    actor.require(Role.PLANNER, found.prefix if found else code)
    batch.region_id = found.id if found else None


def _choose_options(batch: ImportBatch, estimate: Mapping[str, float] | str | None, derive: str | None) -> None:
    options = dict(batch.options)
    if isinstance(estimate, str):
        options["estimate"] = None
    elif estimate is not None:
        from geodata.estimate import EstimateOptions

        known = EstimateOptions.__dataclass_fields__
        wrong = [name for name in estimate if name not in known]
        if wrong:
            raise Invalid("IMPORT_FIELD", field=wrong[0], fields="、".join(known))
        options["estimate"] = dict(estimate)
    if derive is not None:
        if derive and derive != "whole" and not derive.startswith("column:"):
            raise Invalid("IMPORT_DERIVE", derive=derive[:60])
        options["derive"] = derive or None
    batch.options = options


def _chosen_crs(session: Session, batch: ImportBatch, source: Source, crs: str) -> str | None:
    if not crs:
        return None
    mapping, _ = columns.mapping_of(session, batch, source)
    guesses = coordinates.readings(session, source, mapping, Kind(batch.kind))
    return coordinates.key_of(coordinates.guess_of(crs, guesses))


def _unstage(session: Session, batch: ImportBatch) -> None:
    """A new reading makes what was staged under the old one void."""
    if batch.state != "uploaded":
        batches.clear(session, batch.id)
    batch.state, batch.error, batch.progress = "uploaded", None, 0.0
    batch.rows_total = batch.rows_bad = None


def _record(rows: pd.DataFrame, position: int) -> dict[str, Any]:
    """One record as plain values: text and numbers, None for empty cells."""
    cells = rows.iloc[position]
    return {str(name): _plain(value) for name, value in zip(rows.columns, cells.tolist(), strict=True)}


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, str | int | float | bool):
        return value
    return value.item() if hasattr(value, "item") else str(value)
