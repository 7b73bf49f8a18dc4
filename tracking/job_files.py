"""Where the files of local jobs lie, and what makes a suite's pytest write its report beside them."""

from __future__ import annotations

import shlex
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[1] / "client" / "src"
OWN_PYTHON = "RUNTRAIL_SUITE"  # the job's `python` is that of its folder, not Runtrail's


def job_folder(folder: Path, dispatch_id: str) -> Path:
    """Return where the files of one job lie; two levels, so that no folder grows without bound."""
    return Path(folder) / dispatch_id[:2] / dispatch_id


def suite_report(folder: Path, dispatch_id: str) -> Path:
    """Return the file into which the client's plugin writes what a suite's pytest did."""
    return job_folder(folder, dispatch_id) / "report.jsonl"


def recorder_variables(folder: Path, dispatch_id: str, space: str) -> dict[str, str]:
    """What makes pytest record itself, however a suite's command starts it."""
    report = shlex.quote(str(suite_report(folder, dispatch_id)))
    return {
        "PYTHONPATH": str(CLIENT),
        "PYTEST_ADDOPTS": f"-p runtrail.plugin --runtrail-report={report}",
        "RUNTRAIL_SPACE": space,
        OWN_PYTHON: "1",
    }
