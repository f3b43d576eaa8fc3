"""``gridmap import``: a file into the database, from the command line, with everything found on the way."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gridmap.cli.common import coded_errors, emit, json_option, language, progress_bar, ready_database
from gridmap.errors import Invalid

KINDS = ("regions", "buildings", "barriers", "grids", "cases", "units")
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
#: The bar's share that reading takes; acceptance takes the rest.
_STAGED = 0.6
_EPOCH = (1980, 1, 1, 0, 0, 0)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "kind", required=True, type=click.Choice(KINDS), help="What the file holds.")
@click.option("--encoding", help="Encoding of the text (gb18030, utf-8 ...) instead of the one found.")
@click.option(
    "--crs", help="Coordinate system (EPSG:4549; add ' yx' if northing comes first) instead of the one found."
)
@click.option("--datum", help="CGCS2000, GCJ02 or BD09 instead of the detective's answer.")
@click.option("--layer", help="Layer or sheet.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only records that hold this.")
@click.option("--map", "mapping", multiple=True, metavar="FIELD=COLUMN", help="Column of a field; empty: none.")
@click.option("--department", help="Department of drawn grids.")
@click.option(
    "--estimate",
    multiple=True,
    metavar="[OPTION=VALUE]",
    help="Estimate unknown households; m2=90, people=2.6, floors=6 ... (or 'yes' for the defaults).",
)
@click.option("--region", help="Code of the region the file belongs to.")
@click.option("--derive", metavar="whole|column:NAME", help="Units: make communities of the file itself.")
@click.option("--accept", type=click.Choice(("all", "good", "ask", "no")), default="ask", show_default=True)
@click.option("--replace", is_flag=True, help="Units, barriers: take the place of those that are there.")
@click.option("--again", is_flag=True, help="Import a file anew that was sent before.")
@click.option("--rejected", type=click.Path(path_type=Path), help="Write the rejected rows to this file.")
@json_option
def command(file: Path, kind: str, as_json: bool, **options: Any) -> None:
    """Import FILE: read, check, show what was found, and accept it.

    Exit code 0: accepted whole; 1: rows were rejected, or nothing was accepted; 3: the file cannot be read so.
    """
    with coded_errors(as_json), ready_database():
        document = _import(file, kind, options, quiet=as_json)
        emit(document, as_json, lambda: "")
    sys.exit(0 if document["state"] == "accepted" and not document["rows_bad"] else 1)


def _import(file: Path, kind: str, options: Mapping[str, Any], *, quiet: bool) -> dict[str, Any]:
    from gridmap.services import imports
    from gridmap.services.actor import SYSTEM

    actor = _speaking(SYSTEM)
    with _one_file(file) as path, path.open("rb") as stream:
        sent = {"where": _pairs(options["where"]) or None, "layer": options["layer"], "again": options["again"]}
        batch = imports.receive(actor, stream, path.name, kind, options=sent)
    if batch.repeated and batch.state == "accepted":
        _say(
            quiet,
            _t("这个文件已于 {at} 导入（{n} 行），不再重复。", "This file was imported at {at} ({n} rows); not again."),
            at=f"{batch.accepted_at:%Y-%m-%d %H:%M}",
            n=batch.rows_accepted,
        )
        return _document(batch, ()) | {"repeated": True}
    _configure(actor, batch.id, options)
    with progress_bar(path.name, quiet=quiet) as advance:
        imports.prepare(actor, batch.id)
        imports.run_stage(batch.id, lambda share, doing: advance(share * _STAGED, doing))
    batch = imports.get(actor, batch.id)
    summary = imports.problem_summary(actor, batch.id)
    choice = options["accept"]
    if not quiet:
        _show(batch, summary)
    result: Mapping[str, Any] = {}
    if _wanted(choice, batch, quiet):
        with progress_bar(path.name, quiet=quiet) as advance:
            done = imports.accept(
                actor,
                batch.id,
                only_good=choice != "all",
                replace=options["replace"],
                progress=lambda share, doing: advance(_STAGED + share * (1 - _STAGED), doing),
            )
        batch = done.batch
        result = {"inserted": done.inserted, "updated": done.updated, "left": done.left, **done.made}
        _say(
            quiet,
            _t(
                "已接收：新增 {inserted}，更新 {updated}，拒绝 {left}",
                "Accepted: {inserted} new, {updated} updated, {left} rejected",
            ),
            **result,
        )
        for name, value in done.made.items():
            _say(quiet, f"  {name}: {value}")
    if options["rejected"] and batch.rows_bad:
        written = imports.rejected_file(actor, batch.id, options["rejected"].suffix.lstrip(".") or None)
        written.replace(options["rejected"])
        _say(quiet, _t("被拒绝的行：{path}", "Rejected rows: {path}"), path=options["rejected"])
    return _document(batch, summary) | {"accepted": result}


def _configure(actor: Any, batch_id: int, options: Mapping[str, Any]) -> None:
    from gridmap.services import imports

    mapping: Mapping[str, str | None] | None = None
    if options["mapping"]:
        found = imports.preview(actor, batch_id, encoding=options["encoding"], layer=options["layer"])
        mapping = {**found.mapping, **_pairs(options["mapping"])}
    imports.configure(
        actor,
        batch_id,
        layer=options["layer"],
        encoding=options["encoding"],
        crs=options["crs"],
        datum=options["datum"],
        mapping=mapping,
        department=options["department"],
        estimate=_estimate(options["estimate"]),
        region=options["region"],
        derive=options["derive"],
    )


def _wanted(choice: str, batch: Any, quiet: bool) -> bool:
    if choice in ("all", "good"):
        return True
    if choice == "no" or quiet or not sys.stdin.isatty():
        return False
    good = (batch.rows_total or 0) - (batch.rows_bad or 0)
    return good > 0 and click.confirm(_t("接收 {n} 行？", "Accept {n} rows?").format(n=good), err=True)


def _show(batch: Any, summary: Sequence[Any]) -> None:
    """What was found, before anything is accepted."""
    report, locale = batch.report, language()
    crs, datum = report.get("crs"), report.get("datum", {})
    lines = [
        f"{batch.filename}: {batch.format}, {batch.layer}, {report['encoding']['name']} ({report['encoding']['how']})",
        f"  CRS: {crs['key']} - {crs[locale]}" if crs else "  CRS: -",
        f"  {_t('基准', 'datum')}: {datum.get('used')} {datum.get(locale, '')}".rstrip(),
        f"  {_t('字段', 'fields')} ({report['mapping']['from']}): "
        + ", ".join(f"{field}={column}" for field, column in report["mapping"]["columns"].items()),
        f"  {_t('行', 'rows')}: {batch.rows_total}, {_t('有错误', 'with errors')}: {batch.rows_bad}",
    ]
    for one in summary:
        rows = ", ".join(str(row) for row in one.first_rows)
        lines.append(f"  [{one.severity}] {one.code} x{one.count}: {one.sentence}" + (f" ({rows} ...)" if rows else ""))
    click.echo("\n".join(lines))


def _document(batch: Any, summary: Sequence[Any]) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "state": batch.state,
        "kind": batch.kind,
        "rows_total": batch.rows_total,
        "rows_bad": batch.rows_bad,
        "rows_accepted": batch.rows_accepted,
        "report": dict(batch.report),
        "problems": [
            {
                "code": p.code,
                "severity": p.severity,
                "count": p.count,
                "first_rows": p.first_rows,
                "message": p.sentence,
            }
            for p in summary
        ],
    }


@contextmanager
def _one_file(path: Path) -> Iterator[Path]:
    """The file itself; a Shapefile with its parts in one archive, the same bytes for the same parts."""
    if not path.is_file():
        raise Invalid("FILE_MISSING", name=path.name)
    if path.suffix.lower() != ".shp":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gridmap-import-") as folder:
        bundle = Path(folder) / f"{path.stem}.zip"
        parts = [p for p in sorted(path.parent.iterdir()) if p.stem == path.stem and p.suffix.lower() in _PARTS]
        with zipfile.ZipFile(bundle, "w") as archive:
            for part in parts:
                info = zipfile.ZipInfo(part.name, _EPOCH)
                with part.open("rb") as source, archive.open(info, "w", force_zip64=True) as into:
                    while chunk := source.read(1 << 20):
                        into.write(chunk)
        yield bundle


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


_ESTIMATE = {
    "m2": "m2_per_household",
    "people": "people_per_household",
    "floors": "default_floors",
    "storey": "storey_height_m",
    "min": "min_footprint_m2",
}


def _estimate(given: Sequence[str]) -> dict[str, float] | None:
    if not given:
        return None
    try:
        return {_ESTIMATE.get(k, k): float(v) for k, v in _pairs([text for text in given if text != "yes"]).items()}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--estimate") from error


def _speaking(actor: Any) -> Any:
    from dataclasses import replace

    return replace(actor, locale=language())


def _t(zh: str, en: str) -> str:
    return en if language() == "en" else zh


def _say(quiet: bool, text: str, **params: Any) -> None:
    if not quiet:
        click.echo(text.format(**params) if params else text)
