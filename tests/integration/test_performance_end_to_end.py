"""The whole way of a load: over HTTP, and all phases by one command."""

import json
import subprocess

import pytest

from tests.journeys.product import ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.embedded]
PHASES = ["workload_setup", "metrics", "bottlenecks", "optimizations", "component_comparison"]


class TestPerformanceEndToEnd:
    """From the load to the verdict."""

    def test_a_load_is_triggered_measured_explained_and_summed_up(self, api, baseline_workload_run_id):
        where = f"performance/runs/{baseline_workload_run_id}/"
        run = api.wait(where, lambda found: found["analyzedAt"])

        assert run["status"] == "passed"
        assert api.get(f"{where}metrics/")["metrics"]
        assert "results" in api.get(f"{where}bottlenecks/")
        assert {"status", "duration", "phases"} <= api.get("performance/summary/").keys()

    def test_the_whole_track_runs_by_one_command(self, tmp_path, record_property):
        summary, report = tmp_path / "performance_track_summary.json", tmp_path / "track.html"
        words = ["--seconds", "2", "--rounds", "2", "--any-port", "--rate", "40"]
        own = environment(tmp_path / "data")
        own.pop("DATABASE_URL", None)

        done = subprocess.run(
            [ROOT / "bin/runtrail", "performance_track", *words, "--report", report],
            cwd=tmp_path,
            env=own,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

        assert done.returncode in (0, 1), done.stderr
        told = json.loads(summary.read_text())
        assert told.keys() == {"status", "duration", "phases"}
        assert [phase["name"] for phase in told["phases"]] == PHASES
        assert all(phase["tests"] == phase["passed"] + phase["failed"] for phase in told["phases"])
        assert "error" not in {phase["status"] for phase in told["phases"]}, told
        page = report.read_text()
        assert page.startswith("<!DOCTYPE html>")
        assert "<script" not in page
        assert "http://" not in page.replace("http://127.0.0.1", "")
        record_property("finding", f"The track by one command: {told['status']}.")
