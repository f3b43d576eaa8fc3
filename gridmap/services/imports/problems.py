"""What was found in a staged batch: page by page, summed up, and on a map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from geodata.messages import hint, sentence
from gridmap.db.engine import service
from gridmap.db.models import ImportProblem, ImportRow
from gridmap.services.actor import Actor
from gridmap.services.imports import batches
from gridmap.services.imports.views import ProblemCount, ProblemPage, ProblemView, RowPage, RowView

PAGE_ROWS = 50
SAMPLE_MAX = 2_000
_DECIMALS = 7
#: Errors first.
_RANK = sa.case({"E": 0, "W": 1}, value=ImportProblem.severity, else_=2)
_COLUMNS = (
    ImportProblem.id,
    ImportProblem.code,
    ImportProblem.severity,
    ImportProblem.row,
    ImportProblem.params,
    sa.func.ST_AsGeoJSON(sa.func.coalesce(ImportProblem.geom, ImportRow.geom), _DECIMALS).label("place"),
)


@service
def problems(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    code: str | None = None,
    severity: str | None = None,
    row: int | None = None,
    page: int = 1,
    page_rows: int = PAGE_ROWS,
) -> ProblemPage:
    """Findings of a batch, errors first and then by row; a finding without a place of its own shows its row's."""
    batches.find(session, actor, batch_id)
    chosen: list[ColumnElement[bool]] = [ImportProblem.batch_id == batch_id]
    chosen += [ImportProblem.code == code] if code else []
    chosen += [ImportProblem.severity == severity] if severity else []
    chosen += [ImportProblem.row == row] if row is not None else []
    total = session.scalar(sa.select(sa.func.count()).select_from(ImportProblem).where(*chosen)) or 0
    pages = max(1, -(-total // page_rows))
    page = min(max(page, 1), pages)
    order = (_RANK, ImportProblem.row.nulls_first(), ImportProblem.id)
    query = _with_rows().where(*chosen).order_by(*order).limit(page_rows).offset((page - 1) * page_rows)
    items = tuple(_view(found, actor.locale) for found in session.execute(query).mappings())
    return ProblemPage(items, page, pages, total)


@service
def problem_summary(session: Session, actor: Actor, batch_id: int) -> Sequence[ProblemCount]:
    """How often each code was found, errors first; findings that only inform are all counted, though not all kept."""
    batch = batches.find(session, actor, batch_id)
    counted: Mapping[str, int] = batch.report.get("found", {})
    number = sa.func.row_number().over(
        partition_by=ImportProblem.code, order_by=(ImportProblem.row.nulls_last(), ImportProblem.id)
    )
    kept = sa.func.count().over(partition_by=ImportProblem.code)
    ranked = (
        sa.select(*(getattr(ImportProblem, n) for n in ("code", "severity", "row", "params")), number.label("n"))
        .add_columns(kept.label("kept"))
        .where(ImportProblem.batch_id == batch_id)
        .subquery()
    )
    found = (
        session.execute(sa.select(ranked).where(ranked.c.n <= 5).order_by(ranked.c.code, ranked.c.n)).mappings().all()
    )
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for one in found:
        by_code.setdefault(one["code"], []).append(dict(one))
    counts = [
        ProblemCount(
            code=code,
            severity=ones[0]["severity"],
            count=max(int(counted.get(code, 0)), int(ones[0]["kept"])),
            sentence=sentence(code, actor.locale, **ones[0]["params"]),
            hint=hint(code, actor.locale, **ones[0]["params"]),
            first_rows=tuple(one["row"] for one in ones if one["row"] is not None),
        )
        for code, ones in by_code.items()
    ]
    return tuple(sorted(counts, key=lambda c: ("EWI".index(c.severity), -c.count, c.code)))


@service
def rows(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    bad: bool | None = None,
    page: int = 1,
    page_rows: int = PAGE_ROWS,
) -> RowPage:
    """Staged rows in the order of the file; ``bad`` picks those that can or cannot be accepted."""
    batches.looked_at(session, actor, batches.find(session, actor, batch_id), "rows")
    chosen: list[ColumnElement[bool]] = [ImportRow.batch_id == batch_id]
    chosen += [ImportRow.bad == bad] if bad is not None else []
    total = session.scalar(sa.select(sa.func.count()).select_from(ImportRow).where(*chosen)) or 0
    pages = max(1, -(-total // page_rows))
    page = min(max(page, 1), pages)
    query = sa.select(ImportRow.row, ImportRow.bad, ImportRow.fields, ImportRow.source).where(*chosen)
    found = session.execute(query.order_by(ImportRow.row).limit(page_rows).offset((page - 1) * page_rows)).all()
    told = _with_rows().where(ImportProblem.batch_id == batch_id, ImportProblem.row.in_([row.row for row in found]))
    of_row: dict[int, list[ProblemView]] = {}
    for one in session.execute(told.order_by(_RANK, ImportProblem.id)).mappings():
        of_row.setdefault(one["row"], []).append(_view(one, actor.locale))
    items = tuple(
        RowView(row.row, row.bad, row.fields, row.source if row.bad else None, tuple(of_row.get(row.row, ())))
        for row in found
    )
    return RowPage(items, page, pages, total)


@service
def geometry_sample(session: Session, actor: Actor, batch_id: int, *, limit: int = SAMPLE_MAX) -> Mapping[str, Any]:
    """A GeoJSON FeatureCollection of at most ``limit`` (2,000) staged rows, spread over the file, bad ones marked."""
    batch = batches.find(session, actor, batch_id)
    batches.looked_at(session, actor, batch, "map")
    limit = min(limit, SAMPLE_MAX)
    step = max(1, -(-(batch.rows_total or 0) // limit))
    query = (
        sa.select(ImportRow.row, ImportRow.bad, sa.func.ST_AsGeoJSON(ImportRow.geom, _DECIMALS))
        .where(ImportRow.batch_id == batch_id, ImportRow.geom.is_not(None), ImportRow.row % step == 0)
        .order_by(ImportRow.row)
        .limit(limit)
    )
    features = [
        {"type": "Feature", "id": row, "geometry": json.loads(place), "properties": {"row": row, "bad": bad}}
        for row, bad, place in session.execute(query)
    ]
    return {"type": "FeatureCollection", "features": features}


def _with_rows() -> sa.Select[Any]:
    same = sa.and_(ImportRow.batch_id == ImportProblem.batch_id, ImportRow.row == ImportProblem.row)
    return sa.select(*_COLUMNS).select_from(ImportProblem).outerjoin(ImportRow, same)


def _view(found: Mapping[Any, Any], locale: str) -> ProblemView:
    params = found["params"]
    return ProblemView(
        id=found["id"],
        code=found["code"],
        severity=found["severity"],
        row=found["row"],
        sentence=sentence(found["code"], locale, **params),
        hint=hint(found["code"], locale, **params),
        geometry=json.loads(found["place"]) if found["place"] else None,
    )
