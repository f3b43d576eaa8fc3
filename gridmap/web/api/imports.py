"""Files on their way in: sent, looked at, configured, checked, accepted or thrown away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, request, send_file
from pydantic import ConfigDict, Field
from spectree.model_adapter.pydantic_adapter import BaseFile

from gridmap.errors import Invalid
from gridmap.services import imports
from gridmap.services.actor import Role
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor

KindName = Literal["regions", "buildings", "barriers", "grids", "cases", "units"]
Text = Annotated[str, Field(max_length=300)]


class SentOut(Model):
    """An earlier batch with the same content."""

    id: int
    state: str
    created_at: datetime
    accepted_at: datetime | None
    login: str | None
    rows_accepted: int | None


class BatchOut(Model):
    """A file on its way in. ``repeated``: this very file was sent before, and that batch is answered.

    ``state``: uploaded, reading, staged, accepting, accepted, discarded or failed; ``progress`` 0 to 1; ``error`` is
    what the last run failed of; ``report`` holds encoding, CRS, datum, mapping and counts of the last run.
    """

    id: int
    kind: str
    state: str
    filename: str
    size_bytes: int
    sha256: str
    region_code: str | None
    region_name: str | None
    format: str | None
    layer: str | None
    encoding: str | None
    crs: str | None
    datum: str | None
    department: str | None
    mapping: dict[str, str]
    options: dict[str, Any]
    report: dict[str, Any]
    rows_total: int | None
    rows_bad: int | None
    rows_accepted: int | None
    progress: float
    error: dict[str, Any] | None
    login: str | None
    created_at: datetime
    accepted_at: datetime | None
    repeated: bool
    same_as: list[SentOut]


class BatchesOut(Model):
    """The newest batches you may see."""

    items: list[BatchOut]


class BatchesQuery(Model):
    """How many."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100


class UploadForm(Model):
    """A file (multipart/form-data) and what it holds; ``again`` makes a new batch of a file that was sent before."""

    model_config = ConfigDict(extra="ignore")  # pages post their CSRF token with it

    file: BaseFile
    kind: str = Field(max_length=40, description="regions, buildings, barriers, grids, cases or units")
    layer: Text | None = None
    again: str | None = Field(default=None, max_length=10, description="1: import anew")


class ReadingQuery(Model):
    """Other readings, tried without keeping them."""

    encoding: Text | None = None
    layer: Text | None = None


class DatumQuery(ReadingQuery):
    """A CRS to try: the ``key`` of a guess, or an EPSG code."""

    crs: Text | None = None


class SampleQuery(DatumQuery):
    """A CRS and a datum to try."""

    datum: Annotated[str, Field(max_length=40)] | None = None


class CrsOut(Model):
    """A reading of the file's coordinates; ``key`` is what configure takes as ``crs``."""

    key: str
    name: str
    sentence: str
    plausibility: float
    bounds: tuple[float, float, float, float]


class FieldOut(Model):
    """A field that a column may be mapped to."""

    name: str
    label: str
    type: str
    required: bool


class ProblemOut(Model):
    """A finding: severity E, W or I, its sentence and a hint; ``geometry`` is GeoJSON, null without a place."""

    id: int
    code: str
    severity: str
    row: int | None
    sentence: str
    hint: str
    geometry: dict[str, Any] | None = None


class ImportPreviewOut(Model):
    """What a file is, before anything of it is staged. ``mapping``: field -> column; ``personal`` is left out."""

    batch: BatchOut
    format: str
    layers: list[str]
    layer: str
    encoding: str
    encoding_how: str
    declared_crs: str | None
    geometry_type: str | None
    crs_guesses: list[CrsOut]
    columns: list[str]
    fields: list[FieldOut]
    mapping: dict[str, str]
    mapping_from: str
    personal: list[str]
    rows: list[dict[str, Any]]
    row_count: int | None
    notes: list[ProblemOut]


class DatumOut(Model):
    """The datum detective's answer; each hypothesis has its median offset in metres against trusted layers."""

    best: str
    confident: bool
    against: str | None
    sentence: str
    hypotheses: list[dict[str, Any]]


class FeaturesOut(Model):
    """A GeoJSON FeatureCollection in EPSG:4490."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class Configuration(Model):
    """How the file is to be read; what is absent stays as it was, the empty string takes a choice back."""

    layer: Text | None = None
    encoding: Text | None = None
    crs: Text | None = None
    datum: Text | None = None
    mapping: dict[str, str | None] | None = None
    department: Text | None = None
    estimate: dict[str, float] | Literal[""] | None = None
    region: Text | None = None
    derive: Text | None = None
    where: dict[str, str] | None = None


class ProblemQuery(Model):
    """Which findings, a page at a time."""

    code: Annotated[str, Field(max_length=60)] | None = None
    severity: Literal["E", "W", "I"] | None = None
    row: Annotated[int, Field(ge=0, le=2**62)] | None = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ProblemsOut(Model):
    """A page of findings, errors first."""

    items: list[ProblemOut]
    page: int
    pages: int
    total: int


class CountOut(Model):
    """How often a code was found, with the sentence of its first case."""

    code: str
    severity: str
    count: int
    sentence: str
    hint: str
    first_rows: list[int]


class SummaryOut(Model):
    """What was found, by code, errors first."""

    items: list[CountOut]


class ImportRowQuery(Model):
    """Which staged rows, a page at a time."""

    bad: bool | None = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ImportRowOut(Model):
    """A staged row; ``source`` is a bad one as it stood in the file."""

    row: int
    bad: bool
    fields: dict[str, Any]
    source: dict[str, Any] | None
    problems: list[ProblemOut]


class RowsOut(Model):
    """A page of staged rows in the order of the file."""

    items: list[ImportRowOut]
    page: int
    pages: int
    total: int


class Acceptance(Model):
    """``only_good``: leave bad rows behind; ``replace``: units and barriers take the place of those that are there."""

    only_good: bool = False
    replace: bool = False


class RejectedQuery(Model):
    """The format of the file; absent: as it came."""

    format: Literal["csv", "xlsx", "gpkg", "geojson", "shp", "fgb"] | None = None


@endpoint("/imports", tag="imports", query=BatchesQuery, response=BatchesOut)
def list_imports(query: BatchesQuery) -> BatchesOut:
    """The newest batches you may see."""
    found = imports.latest(current_actor(), limit=query.limit)
    return BatchesOut.model_validate({"items": found}, from_attributes=True)


@endpoint("/imports", tag="imports", method="POST", form=UploadForm, response=BatchOut, status=201, errors=(413,))
def send_import() -> tuple[BatchOut, int]:
    """Send a file. The same file sent before is recognised: that batch is answered, with ``repeated`` true."""
    return _out(received()), 201


@endpoint("/imports/<int:batch_id>", tag="imports", response=BatchOut)
def get_import(batch_id: int) -> BatchOut:
    """One batch, with its progress."""
    return _out(imports.get(current_actor(), batch_id))


@endpoint("/imports/<int:batch_id>/preview", tag="imports", query=ReadingQuery, response=ImportPreviewOut)
def preview_import(batch_id: int, query: ReadingQuery) -> ImportPreviewOut:
    """What the file is and how it would be read."""
    found = imports.preview(current_actor(), batch_id, encoding=query.encoding, layer=query.layer)
    return ImportPreviewOut.model_validate(found, from_attributes=True)


@endpoint("/imports/<int:batch_id>/datum", tag="imports", query=DatumQuery, response=DatumOut)
def import_datum(batch_id: int, query: DatumQuery) -> DatumOut:
    """The datum detective on the first records, against layers that are there already."""
    found = imports.datum_report(current_actor(), batch_id, encoding=query.encoding, layer=query.layer, crs=query.crs)
    return DatumOut.model_validate(found, from_attributes=True)


@endpoint("/imports/<int:batch_id>/sample", tag="imports", query=SampleQuery, response=FeaturesOut)
def import_sample(batch_id: int, query: SampleQuery) -> FeaturesOut:
    """Where the first records would lie if read so."""
    found = imports.preview_sample(
        current_actor(), batch_id, encoding=query.encoding, layer=query.layer, crs=query.crs, datum=query.datum
    )
    return FeaturesOut.model_validate(found)


@endpoint(
    "/imports/<int:batch_id>/configure",
    tag="imports",
    method="POST",
    json=Configuration,
    response=BatchOut,
    errors=(409,),
)
def configure_import(batch_id: int, json: Configuration) -> BatchOut:
    """Say how the file is to be read; what was staged under another reading is void."""
    return _out(imports.configure(current_actor(), batch_id, **json.model_dump()))


@endpoint("/imports/<int:batch_id>/stage", tag="imports", method="POST", response=BatchOut, status=202, errors=(409,))
def stage_import(batch_id: int) -> tuple[BatchOut, int]:
    """Have the file read and checked by a worker."""
    return _out(imports.stage(current_actor(), batch_id)), 202


@endpoint("/imports/<int:batch_id>/problems", tag="imports", query=ProblemQuery, response=ProblemsOut)
def import_problems(batch_id: int, query: ProblemQuery) -> ProblemsOut:
    """What was found in the file."""
    found = imports.problems(
        current_actor(),
        batch_id,
        code=query.code,
        severity=query.severity,
        row=query.row,
        page=query.page,
        page_rows=query.limit,
    )
    return ProblemsOut.model_validate(found, from_attributes=True)


@endpoint("/imports/<int:batch_id>/summary", tag="imports", response=SummaryOut)
def import_summary(batch_id: int) -> SummaryOut:
    """How often each code was found."""
    found = imports.problem_summary(current_actor(), batch_id)
    return SummaryOut.model_validate({"items": found}, from_attributes=True)


@endpoint("/imports/<int:batch_id>/rows", tag="imports", query=ImportRowQuery, response=RowsOut)
def import_rows(batch_id: int, query: ImportRowQuery) -> RowsOut:
    """Staged rows."""
    found = imports.rows(current_actor(), batch_id, bad=query.bad, page=query.page, page_rows=query.limit)
    return RowsOut.model_validate(found, from_attributes=True)


@endpoint("/imports/<int:batch_id>/features", tag="imports", response=FeaturesOut)
def import_features(batch_id: int) -> FeaturesOut:
    """At most 2,000 staged rows on the map, spread over the file, bad ones marked."""
    return FeaturesOut.model_validate(imports.geometry_sample(current_actor(), batch_id))


@endpoint(
    "/imports/<int:batch_id>/accept",
    tag="imports",
    method="POST",
    json=Acceptance,
    response=BatchOut,
    status=202,
    errors=(409,),
)
def accept_import(batch_id: int, json: Acceptance) -> tuple[BatchOut, int]:
    """Have the rows taken over by a worker, in one transaction."""
    found = imports.accept_later(current_actor(), batch_id, only_good=json.only_good, replace=json.replace)
    return _out(found), 202


@endpoint("/imports/<int:batch_id>/discard", tag="imports", method="POST", response=BatchOut, errors=(409,))
def discard_import(batch_id: int) -> BatchOut:
    """Throw the batch away; the record that it was sent stays."""
    return _out(imports.discard(current_actor(), batch_id))


@endpoint("/imports/<int:batch_id>/cancel", tag="imports", method="POST", response=BatchOut, errors=(409,))
def cancel_import(batch_id: int) -> BatchOut:
    """Stop a batch that is being read, and throw it away."""
    return _out(imports.cancel(current_actor(), batch_id))


@endpoint("/imports/<int:batch_id>/undo", tag="imports", method="POST", response=BatchOut, errors=(409,))
def undo_import(batch_id: int) -> BatchOut:
    """Take an acceptance back, as long as nothing rests on it."""
    return _out(imports.undo_accept(current_actor(), batch_id))


@endpoint("/imports/<int:batch_id>/rejected", tag="imports", query=RejectedQuery, errors=(409,))
def rejected_rows(batch_id: int, query: RejectedQuery) -> Response:
    """The rows that cannot be accepted as a file, with the reason in a column: mend it and send it again."""
    path = imports.rejected_file(current_actor(), batch_id, query.format)
    return send_file(path, as_attachment=True, download_name=path.name)


def received() -> imports.BatchView:
    """The posted file as a batch; pages and API take files alike."""
    actor = current_actor()
    actor.require(Role.PLANNER)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("IMPORT_NO_FILE")
    options = {"again": bool(request.form.get("again")), "layer": request.form.get("layer") or None}
    return imports.receive(actor, file.stream, file.filename, request.form.get("kind", ""), options=options)


def _out(batch: imports.BatchView) -> BatchOut:
    return BatchOut.model_validate(batch, from_attributes=True)
