"""The days of the time slider in node: windows sum to the bars, stay inside, and come back from what they say."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "gridmap" / "static" / "js" / "maps" / "span.js"
DAYS = [3, 0, 7, 1, 0, 0, 2, 9, 4, 4, 1, 0, 5, 6]
TIMELINE = {
    "edges": ["2026-02-23T00:00:00+08:00", "2026-03-02T00:00:00+08:00", "2026-03-09T00:00:00+08:00"],
    "counts": [sum(DAYS[:7]), sum(DAYS[7:])],
    "days": DAYS,
}


def ran(expression: str, timeline: dict[str, Any] = TIMELINE) -> Any:
    """What an expression of ``span`` gives in node."""
    node = shutil.which("node")
    assert node, "no node on this machine: run make test, which installs it"
    code = (
        f"globalThis.window = globalThis; {SCRIPT.read_text('utf-8')}"
        f"const span = new gridmap.Span({json.dumps(timeline)}); console.log(JSON.stringify({expression}));"
    )
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_every_window_has_the_cases_of_its_days() -> None:
    windows = [[begin, end] for begin in range(len(DAYS)) for end in range(begin + 1, len(DAYS) + 1)]
    assert ran(f"{json.dumps(windows)}.map(one => span.cases(one))") == [sum(DAYS[b:e]) for b, e in windows]
    assert ran("[span.length, span.at]") == [14, [0, 7, 14]]
    assert ran("span.cases([0, 14])", {**TIMELINE, "days": []}) is None


def test_days_and_moments_of_a_window() -> None:
    told = ran("span.told([5, 12])")
    assert (told["since"], told["until"], told["days"], told["all"]) == ("2026-02-28", "2026-03-06", 7, False)
    assert (told["from"], told["to"]) == ("2026-02-28T00:00:00+08:00", "2026-03-07T00:00:00+08:00")
    assert ran("span.told([0, 14]).all") is True
    assert ran("[span.index('2026-02-28'), span.index('1999-01-01'), span.index('2099-01-01')]") == [5, 0, 14]


@pytest.mark.parametrize(("days", "begin"), [(1, 4), (-1, 2), (100, 9), (-100, 0)])
def test_a_moved_window_keeps_its_length_and_stays_inside(days: int, begin: int) -> None:
    assert ran(f"span.moved([3, 8], {days})") == [begin, begin + 5]


def test_a_drawn_end_stops_a_day_before_the_other() -> None:
    assert ran("[span.dragged('start', [3, 8], 99), span.dragged('end', [3, 8], -99)]") == [[7, 8], [3, 4]]
    assert ran("[span.dragged('start', [3, 8], -99), span.dragged('end', [3, 8], 99)]") == [[0, 8], [3, 14]]
    assert ran("span.dragged('window', [3, 8], 99)") == [9, 14]


def test_bars_of_hours_lie_within_their_day() -> None:
    edges = ["2026-02-23T12:00:00+08:00", "2026-02-23T18:00:00+08:00", "2026-02-24T00:00:00+08:00"]
    assert ran("[span.at, span.length]", {"edges": edges, "counts": [1, 2], "days": [3]}) == [[0.5, 0.75, 1], 1]


def test_ticks_are_no_more_than_there_is_room_for() -> None:
    edges = ["2019-05-03T00:00:00+08:00", "2026-11-01T00:00:00+08:00"]
    years = ran("span.ticks(4)", {"edges": edges, "counts": [1], "days": []})
    assert 1 <= len(years) <= 4 and all(len(text) == 4 for _, text in years)
    months = ran("span.ticks(40)", {"edges": ["2026-01-15T00:00:00+08:00", edges[1]], "counts": [1], "days": []})
    assert months[0] == [17, "2026-02"]
