"""Peak resident memory while a file of 1 GB is read, checked and staged.

``python -m tests.bench.bench_memory [--rows N]``; 6.8 million building points make a GeoPackage of 1 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from tests.bench.bench_import import RSS_BAR_MB, town_with_file
from tests.bench.report import write

_STAGE = """
import json, resource, sys, time
from pathlib import Path
from gridmap.db import engine
from gridmap.services import imports
from gridmap.services.actor import SYSTEM
engine.connect(sys.argv[1])
path = Path(sys.argv[2])
started = time.perf_counter()
with path.open("rb") as stream:
    batch = imports.receive(SYSTEM, stream, path.name, "buildings").id
imports.prepare(SYSTEM, batch)
imports.run_stage(batch)
seconds = time.perf_counter() - started
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "rows": imports.get(SYSTEM, batch).rows_total}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_800_000)
    rows = parser.parse_args().rows
    with town_with_file(rows) as (cluster, folder, path):
        size_mb = path.stat().st_size / 1e6
        environment = {**os.environ, "GRIDMAP_DATA_DIR": str(folder)}
        command = [sys.executable, "-c", _STAGE, cluster.url, str(path)]
        found = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert found["rows"] == rows, found
    write(
        "memory",
        [
            {"metric": "file", "value": size_mb, "unit": "MB"},
            {"metric": "read, checked and staged in", "value": found["seconds"], "unit": "s"},
            {"metric": "peak resident memory", "value": found["peak_mb"], "unit": "MB", "bar": f"<= {RSS_BAR_MB:g}"},
        ],
    )


if __name__ == "__main__":
    main()
