"""Imports: a file sent, its columns and coordinates confirmed, what was found looked at, its rows accepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from geodata.fields import FIELDS, Kind
from gridmap.errors import CodedError, Conflict, Forbidden, Invalid, NotFound
from gridmap.services import imports, mapdata, regions
from gridmap.services.actor import Role
from gridmap.web.api.imports import received
from gridmap.web.config import app_settings
from gridmap.web.errors import wants_json
from gridmap.web.pages import import_words as words
from gridmap.web.pages.town_map import town_map
from gridmap.web.session import current_actor

if TYPE_CHECKING:
    from gridmap.web.maps import MapParts

pages = Blueprint("imports", __name__, url_prefix="/imports")

DATUMS = ("CGCS2000", "GCJ02", "BD09")
ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16")
PAGE_ROWS = 25
_CHINA = (73.5, 18.0, 135.0, 53.6)
_TABLES = ("csv", "xlsx")
#: A reading this near the likeliest leaves the question to the person.
_AS_GOOD = 0.9


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    actor = current_actor()
    if not actor.may(Role.PLANNER):
        return render_template("imports/none.html")
    return render_template(
        "imports/index.html",
        batches=imports.latest(actor),
        kinds=words.kinds(),
        standing=imports.standing(actor),
        kind_name=words.kind_name,
        state_badge=words.state_badge,
        limit_bytes=app_settings().max_upload_bytes,
        chosen=request.args.get("kind", ""),
    )


@pages.post("")
def upload() -> ResponseReturnValue:
    batch = received()
    if batch.repeated:
        flash(gettext("这个文件以前上传过，已打开当时的批次。"), "info")
    return redirect(url_for("imports.show", batch_id=batch.id))


@pages.get("/<int:batch_id>")
def show(batch_id: int) -> str:
    batch = imports.get(current_actor(), batch_id)
    if batch.state in ("uploaded", "failed") or (batch.state == "staged" and request.args.get("step") == "columns"):
        return _preview(batch)
    if batch.state == "staged":
        return _problems(batch)
    if batch.state == "accepted":
        return _accepted(batch)
    return _page("working" if batch.state in ("reading", "accepting") else "discarded", batch)


@pages.post("/<int:batch_id>/configure")
def configure(batch_id: int) -> ResponseReturnValue:
    """Keep how the file is to be read, then have it checked."""
    actor = current_actor()

    def change() -> None:
        imports.configure(actor, batch_id, **_configuration())
        imports.stage(actor, batch_id)

    return _changed(batch_id, change)


@pages.post("/<int:batch_id>/stage")
def stage(batch_id: int) -> ResponseReturnValue:
    return _changed(batch_id, lambda: imports.stage(current_actor(), batch_id))


@pages.post("/<int:batch_id>/accept")
def accept(batch_id: int) -> ResponseReturnValue:
    chosen = {name: bool(request.form.get(name)) for name in ("only_good", "replace")}
    return _changed(batch_id, lambda: imports.accept_later(current_actor(), batch_id, **chosen))


@pages.post("/<int:batch_id>/cancel")
def cancel(batch_id: int) -> ResponseReturnValue:
    return _changed(batch_id, lambda: imports.cancel(current_actor(), batch_id))


@pages.post("/<int:batch_id>/discard")
def discard(batch_id: int) -> ResponseReturnValue:
    return _changed(batch_id, lambda: imports.discard(current_actor(), batch_id))


@pages.post("/<int:batch_id>/undo")
def undo(batch_id: int) -> ResponseReturnValue:
    return _changed(
        batch_id,
        lambda: imports.undo_accept(current_actor(), batch_id),
        gettext("已撤回：新增的已删除，更新的已恢复原值。可以改正后重新核查。"),
    )


@pages.get("/<int:batch_id>/rejected")
def rejected(batch_id: int) -> ResponseReturnValue:
    actor = current_actor()
    try:
        path = imports.rejected_file(actor, batch_id, request.args.get("format") or None)
    except (Conflict, Invalid) as error:
        return _refused(batch_id, error)
    stem = Path(imports.get(actor, batch_id).filename).stem
    name = gettext("%(stem)s-未接收的行%(suffix)s", stem=stem, suffix=path.suffix)
    return send_file(path, as_attachment=True, download_name=name)


def _preview(batch: imports.BatchView) -> str:
    actor = current_actor()
    encoding, layer = request.args.get("encoding") or None, request.args.get("layer") or None
    try:
        found = imports.preview(actor, batch.id, encoding=encoding, layer=layer)
    except CodedError as error:
        return _page("unreadable", batch, fault=error, encodings=ENCODINGS, encoding=encoding)
    placed = bool(found.crs_guesses or found.geometry_type)
    return _page(
        "preview",
        batch,
        found=found,
        asked={"encoding": encoding, "layer": layer},
        encodings=ENCODINGS,
        encoding_how=words.encoding_how(found.encoding_how),
        crs=_chosen_crs(batch, found),
        samples={column: _sample(found.rows, column) for column in found.columns},
        unused=[c for c in found.columns if c not in found.mapping.values() and c not in found.personal],
        datums=_datums(),
        placed=placed,
        map=_map(found.crs_guesses[0].bounds if found.crs_guesses else None) if placed else None,
        regions=regions.places(actor),
        estimate=batch.options.get("estimate"),
        derive=batch.options.get("derive") or "",
        page_data={"batch": batch.id, "encoding": encoding, "layer": layer, "samples": _samples(found)},
    )


def _problems(batch: imports.BatchView) -> str:
    actor = current_actor()
    code, severity = request.args.get("code") or None, request.args.get("severity") or None
    page = request.args.get("page", 1, type=int)
    found = imports.problems(actor, batch.id, code=code, severity=severity, page=page, page_rows=PAGE_ROWS)
    summary = imports.problem_summary(actor, batch.id)
    return _page(
        "problems",
        batch,
        problems=found,
        page_rows=PAGE_ROWS,
        summary=summary,
        counts={level: sum(one.count for one in summary if one.severity == level) for level in "EWI"},
        code=code,
        severity=severity,
        map=_map(None) if batch.report.get("crs") else None,
        page_data={
            "batch": batch.id,
            "query": {"code": code, "severity": severity, "page": found.page, "limit": PAGE_ROWS},
        },
    )


def _accepted(batch: imports.BatchView) -> str:
    counts = batch.report.get("accepted", {})
    return _page("accepted", batch, made=words.made(counts), plan=counts.get("plan"))


def _page(name: str, batch: imports.BatchView, **more: Any) -> str:
    """The page ``name`` of a batch with what all of them show."""
    locale = "en" if str(get_locale()).startswith("en") else "zh"
    return render_template(
        f"imports/{name}.html",
        batch=batch,
        good=(batch.rows_total or 0) - (batch.rows_bad or 0),
        steps=words.steps(batch.state, looking_back=name == "preview"),
        kind_name=words.kind_name,
        state_badge=words.state_badge,
        format_name=words.format_name,
        how=words.encoding_how,
        locale=locale,
        datum_names=dict(_datums()),
        field_labels={field.name: getattr(field, locale) for field in FIELDS[Kind(batch.kind)]},
        is_table=batch.format in _TABLES,
        has_page=lambda endpoint: endpoint in current_app.view_functions,
        **more,
    )


def _changed(batch_id: int, change: Callable[[], object], done: str = "") -> ResponseReturnValue:
    """Do it and show the batch as it is now; what speaks against it is said there too."""
    try:
        change()
    except (Forbidden, NotFound):
        raise
    except CodedError as error:
        return _refused(batch_id, error)
    if done:
        flash(done, "success")
    return redirect(url_for("imports.show", batch_id=batch_id))


def _refused(batch_id: int, error: CodedError) -> ResponseReturnValue:
    if wants_json():
        raise error
    locale = str(get_locale())
    flash(f"{error.sentence(locale)} {error.hint(locale)}".strip(), "error")
    return redirect(url_for("imports.show", batch_id=batch_id))


def _configuration() -> dict[str, Any]:
    """The posted form as arguments of ``configure``; fields that the form did not show stay as they are."""
    form = request.form
    chosen: dict[str, Any] = {
        name: form[name].strip() for name in ("layer", "encoding", "datum", "department", "region") if name in form
    }
    if "crs" in form:
        chosen["crs"] = form.get("crs_other", "").strip() if form["crs"] == "other" else form["crs"]
    mapping = {name.removeprefix("map."): value or None for name, value in form.items() if name.startswith("map.")}
    if mapping:
        chosen["mapping"] = mapping
    if "derive" in form:
        chosen["derive"] = form["derive"]
    if "m2_per_household" in form:
        wanted = ("m2_per_household", "default_floors")
        chosen["estimate"] = {name: _number(name) for name in wanted} if form.get("estimate") else ""
    return chosen


def _number(name: str) -> float:
    text = request.form.get(name, "")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10_000:
        raise Invalid("IMPORT_ESTIMATE", value=text[:40])
    return value


def _datums() -> list[tuple[str, str]]:
    names = (gettext("WGS-84 / CGCS2000（未加偏）"), gettext("GCJ-02（高德、腾讯）"), gettext("BD-09（百度）"))
    return list(zip(DATUMS, names, strict=True))


def _chosen_crs(batch: imports.BatchView, found: imports.Preview) -> str:
    """The reading to offer as chosen; empty where the person has to say."""
    if batch.crs:
        return batch.crs
    guesses = found.crs_guesses
    if not guesses:
        return ""
    rivals = [one for one in guesses[1:] if one.plausibility >= _AS_GOOD * guesses[0].plausibility]
    return guesses[0].key if found.declared_crs or not rivals else ""


def _sample(rows: Sequence[Any], column: str) -> str:
    """The first three different values of a column."""
    values = (str(row.get(column)) for row in rows if row.get(column) not in (None, ""))
    return "、".join(text if len(text) <= 24 else f"{text[:23]}…" for text in list(dict.fromkeys(values))[:3])


def _samples(found: imports.Preview) -> dict[str, str]:
    return {column: _sample(found.rows, column) for column in found.columns}


def _map(bounds: tuple[float, float, float, float] | None) -> MapParts:
    """Ground and borders that are there already; the script lays the file's shapes over them."""
    scene = mapdata.scene(current_actor())
    return town_map(replace(scene, bounds=scene.bounds or _on_earth(bounds) or _CHINA))


def _on_earth(bounds: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
    if bounds is None:
        return None
    west, south, east, north = bounds
    return bounds if -180 <= west <= east <= 180 and -85 <= south <= north <= 85 else None
