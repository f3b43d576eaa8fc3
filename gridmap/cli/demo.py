"""``gridmap demo``: a believable town to try everything on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from gridmap.cli.common import coded_errors, emit, json_option, progress_bar, ready_database


@click.command("demo")
@click.option("--size", type=click.FloatRange(0.05, 594), default=1.0, show_default=True, help="Counties.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another town.")
@click.option(
    "--files", type=click.Path(file_okay=False, path_type=Path), help="Write the town as files to import; load nothing."
)
@json_option
def command(size: float, seed: int, files: Path | None, as_json: bool) -> None:
    """Load the demo town once (three subdistricts, 60,000 households, 50,000 cases at size 1)."""
    if files is not None:
        from geodata.synth import synthesise
        from geodata.synth.files import write_demo_files

        with coded_errors(as_json):
            written = {name: str(path) for name, path in write_demo_files(synthesise(seed, size), files).items()}
        emit({"files": written}, as_json, lambda: "\n".join(written.values()))
        return
    from gridmap.services import demo
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database(), progress_bar("demo", quiet=as_json) as advance:
        report = demo.load(SYSTEM, size=size, seed=seed, progress=advance)
    emit(
        asdict(report),
        as_json,
        lambda: (
            f"loaded in {report.seconds:.1f} s: {report.units} units, plans {', '.join(map(str, report.plans))}"
            if report.loaded
            else "the demo town was there already"
        ),
    )
