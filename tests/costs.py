"""What the files of the suite cost: those that take longest are begun first, so that the workers end together.

``python -m tests.costs build/tests.xml`` renews the list from what ``pytest --junitxml build/tests.xml`` wrote; rough
figures do, for only the order counts.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

_LIST = Path(__file__).with_suffix(".json")
#: Seconds under which a file's place is of no matter; it is also what an unknown file is taken to cost.
LEAST_S = 5


def costs() -> dict[str, int]:
    """Seconds by file, set-up and tear-down included; cheap files are not among them."""
    return dict(json.loads(_LIST.read_text("utf-8")))


def measured(junit: Path) -> dict[str, int]:
    """Seconds by file of a run, the longest first."""
    spent: Counter[str] = Counter()
    for case in ElementTree.parse(junit).iter("testcase"):
        module = re.sub(r"\.[A-Z]\w*$", "", case.attrib["classname"])  # a class within it
        spent[module.replace(".", "/") + ".py"] += float(case.attrib["time"])  # type: ignore[assignment]
    return {name: round(seconds) for name, seconds in spent.most_common() if seconds >= LEAST_S}


def main() -> None:
    """Write the list anew."""
    found = measured(Path(sys.argv[1]))
    _LIST.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"{len(found)} files, {sum(found.values())} s")


if __name__ == "__main__":
    main()
