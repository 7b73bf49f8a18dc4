"""What the tests of each phase did in this session, so that the overall track need not run them again.

Every process of a parallel session adds to one folder; a phase counts only when all of its tests are there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

FOLDER = Path(tempfile.gettempdir()) / (
    "runtrail-track-" + os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
)
FINDING = "finding"  # record_property(FINDING, text): told in the summary
PLACE = "tests/integration/"
_expected: Counter[str] = Counter()


def note_collected(items: Any) -> None:
    """Remember how many tests each file has."""
    _expected.clear()
    _expected.update(item.nodeid.split("::")[0] for item in items if item.nodeid.startswith(PLACE))


def note_result(report: Any) -> None:
    """Keep what became of a test: its call, or a set-up or an end that failed."""
    if not report.nodeid.startswith(PLACE) or "overall" in report.nodeid:
        return
    if report.when != "call" and report.passed:
        return
    FOLDER.mkdir(exist_ok=True)
    line = {
        "nodeid": report.nodeid,
        "outcome": report.outcome,
        "duration": report.duration,
        "findings": [value for name, value in report.user_properties if name == FINDING],
        "text": "" if report.passed else report.longreprtext[-2000:],
    }
    with (FOLDER / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def results_of(file: str) -> list[dict[str, Any]] | None:
    """Return the results of the tests in `file`; None where not all of them ran in this session."""
    rows: dict[str, dict[str, Any]] = {}
    for place in FOLDER.glob("*.jsonl"):
        for line in place.read_text().splitlines():
            row = json.loads(line)
            if row["nodeid"].split("::")[0] == file and rows.get(row["nodeid"], row)["outcome"] != "failed":
                rows[row["nodeid"]] = row
    wanted = _expected[file]
    return list(rows.values()) if wanted and len(rows) >= wanted else None
