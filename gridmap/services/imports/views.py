"""What the import services return: plain values for pages, the API and the CLI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """An earlier batch with the same content: when it was sent, by whom, and with what result."""

    id: int
    state: str
    created_at: datetime
    accepted_at: datetime | None
    login: str | None
    rows_accepted: int | None


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch. ``repeated``: this very file was sent before and that batch is returned; ``same_as`` lists others.

    ``error`` is ``{code, message, hint, row}`` where the last run failed; ``report`` holds what runs had to say.
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
    mapping: Mapping[str, str]
    options: Mapping[str, Any]
    report: Mapping[str, Any]
    rows_total: int | None
    rows_bad: int | None
    rows_accepted: int | None
    progress: float
    error: Mapping[str, Any] | None
    login: str | None
    created_at: datetime
    accepted_at: datetime | None
    repeated: bool = False
    same_as: Sequence[Sent] = ()


@dataclass(frozen=True, slots=True)
class CrsChoice:
    """One reading of the file's coordinates; ``key`` is what :func:`configure` takes as ``crs``."""

    key: str
    name: str
    sentence: str
    plausibility: float
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FieldView:
    """A target field that a column may be mapped to."""

    name: str
    label: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file is, before anything of it is staged.

    ``mapping`` is target field -> column; ``mapping_from`` says where from: "confirmed" for this batch, "remembered"
    from an earlier file with the same headers, or "guessed". ``rows``: the first records as they stand in the file.
    """

    batch: BatchView
    format: str
    layers: Sequence[str]
    layer: str
    encoding: str
    encoding_how: str
    declared_crs: str | None
    geometry_type: str | None
    crs_guesses: Sequence[CrsChoice]
    columns: Sequence[str]
    fields: Sequence[FieldView]
    mapping: Mapping[str, str]
    mapping_from: str
    personal: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    row_count: int | None
    notes: Sequence[ProblemView] = ()


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A finding with its sentence; ``geometry`` is GeoJSON in lon/lat, None where it has no place."""

    id: int
    code: str
    severity: str
    row: int | None
    sentence: str
    hint: str
    geometry: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """A page of findings; ``total`` counts those of the filter, ``pages`` is at least 1."""

    items: Sequence[ProblemView]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """How often a code was found, with the sentence of its first case."""

    code: str
    severity: str
    count: int
    sentence: str
    hint: str
    first_rows: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class RowView:
    """A staged row: target fields, and for a bad one the record as it stood in the file."""

    row: int
    bad: bool
    fields: Mapping[str, Any]
    source: Mapping[str, Any] | None
    problems: Sequence[ProblemView] = ()


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of staged rows."""

    items: Sequence[RowView]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class DatumView:
    """The datum detective's answer: median offset in metres and points outside, per hypothesis."""

    best: str
    confident: bool
    against: str | None
    sentence: str
    hypotheses: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What accepting did: rows ``inserted`` and ``updated``, ``left`` behind as bad, and what else it made."""

    batch: BatchView
    inserted: int
    updated: int
    left: int
    made: Mapping[str, Any] = field(default_factory=dict)
