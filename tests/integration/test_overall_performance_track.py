"""All phases in order, each by its tests, and one summary: performance_track_summary.json.

In a session that has run a phase's tests already their results are taken; what is missing is run now, in a
process of its own.  A phase that fails does not stop the rest.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.integration import recorded
from tests.integration.live import ADDRESS, TOKEN
from tests.journeys.product import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(1800)]
PHASES = {
    "workload_setup": (
        "integration/test_performance_workload_setup.py",
        "unit/test_performance_load_generator.py",
    ),
    "metrics": ("integration/test_performance_metrics.py", "unit/test_performance_statistics.py"),
    "bottlenecks": ("integration/test_performance_bottlenecks.py",),
    "optimizations": ("integration/test_performance_optimizations.py",),
    "component_comparison": ("integration/test_performance_component_comparison.py",),
    "end_to_end": ("integration/test_performance_end_to_end.py",),
}
SUMMARY = Path("performance_track_summary.json")


def run_now(files, folder, variables):
    """Run test files in a process of their own; return their results."""
    report = folder / f"{len(list(folder.iterdir()))}.xml"
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-o", "junit_family=xunit1"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, f"--junitxml={report}", *files],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return [result_of(case) for case in ElementTree.parse(report).iter("testcase")]  # noqa: S314 - our own


def result_of(case):
    bad = [one for one in case if one.tag in ("failure", "error")]
    skipped = any(one.tag == "skipped" for one in case)
    return {
        "nodeid": f"{case.get('classname')}::{case.get('name')}",
        "outcome": "failed" if bad else "skipped" if skipped else "passed",
        "duration": float(case.get("time", 0)),
        "findings": [
            one.get("value") for one in case.iter("property") if one.get("name") == recorded.FINDING
        ],
        "text": bad[0].get("message", "") if bad else "",
    }


def phase_of(name, rows, duration):
    """One phase in the shape of the summary."""
    failed = [row for row in rows if row["outcome"] == "failed"]
    passed = [row for row in rows if row["outcome"] == "passed"]
    findings = [text for row in rows for text in row["findings"]]
    findings += [f"Failed: {row['nodeid']}: {row['text'].strip().splitlines()[-1:]}" for row in failed]
    return {
        "name": name,
        "status": "failed" if failed else "passed" if passed else "error",
        "duration": round(duration, 3),
        "tests": len(rows),
        "passed": len(passed),
        "failed": len(failed),
        "findings": findings,
    }


def test_overall_performance_track(api_base_url, auth_token, tmp_path, capsys):
    variables, phases, begun = {ADDRESS: api_base_url, TOKEN: auth_token}, [], time.monotonic()
    for name, files in PHASES.items():
        rows, missing, started = [], [], time.monotonic()
        for file in files:
            there = recorded.results_of(f"tests/{file}")
            rows += there or []
            missing += [] if there else [f"tests/{file}"]
        spent = sum(row["duration"] for row in rows)
        if missing:
            rows += run_now(missing, tmp_path, variables)
            spent += time.monotonic() - started
        phases.append(phase_of(name, rows, spent))
        with capsys.disabled():
            last = phases[-1]
            print(
                f"\n{name:<22} {last['status']:<7} {last['passed']}/{last['tests']} in {spent:.1f} s", end=""
            )
    status = "passed" if all(phase["status"] == "passed" for phase in phases) else "failed"
    summary = {"status": status, "duration": round(time.monotonic() - begun, 3), "phases": phases}
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")

    assert [phase["name"] for phase in phases] == list(PHASES)
    assert all(phase["tests"] for phase in phases), phases
    assert status == "passed", [text for phase in phases for text in phase["findings"]]
