"""Phase 1: a workload is described, and its load is put on its target."""

import pytest

from tests.integration.live import workload_of

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


class TestPerformanceWorkloadEndpoint:
    """The doors of workloads."""

    def test_performance_workload_endpoint_exists(self, api):
        assert "results" in api.get("performance/workloads/")

    def test_performance_workload_endpoint_wants_a_token(self, api):
        assert api.ask("GET", "performance/workloads/", token="").status_code == 401
        assert api.ask("GET", "performance/workloads/", token="rt_nobody").status_code == 401

    def test_trigger_endpoint_of_an_unknown_workload_is_not_found(self, api):
        nobody = "00000000-0000-4000-8000-000000000000"

        assert api.ask("POST", f"performance/workloads/{nobody}/trigger/", {}).status_code == 404


class TestPerformanceWorkloadSetup:
    """What a workload says, and what is refused."""

    def test_a_workload_is_read_as_it_was_written(self, api, workload, shops):
        found = api.get(f"performance/workloads/{workload['id']}/")

        assert found["target"] == shops["indexed"]
        assert found["spec"]["arrival"] == {"kind": "constant", "rate": 40}
        assert {one["name"] for one in found["components"]} == set(shops)

    def test_the_same_workload_written_twice_keeps_its_version(self, api, workload, shops):
        assert workload_of(api, shops, "track-tests")["version"] == workload["version"]

    def test_a_faulty_workload_is_refused_with_every_fault(self, api, shops):
        wanted = {
            "name": "faulty-load",
            "environment": "local",
            "target": shops["indexed"],
            "spec": {"requests": [], "arrival": {"kind": "sometimes"}, "duration": -1},
        }

        refused = api.ask("POST", "performance/workloads/", wanted)

        assert refused.status_code == 400
        assert len(refused.json()["spec"]) >= 2
        assert api.get("performance/workloads/?name=faulty-load")["results"] == []

    def test_load_is_never_put_on_a_host_that_is_not_the_projects_own(self, api):
        wanted = {
            "name": "foreign-host",
            "environment": "local",
            "target": "http://127.0.0.1:9",
            "spec": {"requests": [{"path": "/"}], "arrival": {"rate": 1}, "duration": 1},
        }
        there = api.get("performance/workloads/?name=foreign-host")["results"]
        made = there[0] if there else api.post("performance/workloads/", wanted)

        refused = api.ask("POST", f"performance/workloads/{made['id']}/trigger/", {})

        assert refused.status_code == 400
        assert "127.0.0.1:9" in refused.text
        assert api.get("performance/runs/?workload=foreign-host")["results"] == []


class TestPerformanceWorkloadTrigger:
    """A load from its start to its end."""

    def test_a_triggered_load_runs_to_its_end(self, baseline_workload_run, record_property):
        run = baseline_workload_run

        assert (run["status"], run["component"], run["errors"]) == ("passed", "indexed", 0)
        assert run["requests"] == 100, "40 a second for 2.5 s, the warm-up left out"
        record_property("finding", f"{run['testRunId']}: {run['requests']} requests, no errors.")

    def test_a_load_is_stopped_at_once_and_keeps_what_it_measured(self, api, shops):
        long = workload_of(api, shops, "track-tests-long", duration=120)
        run = api.trigger(long["id"])["testRunId"]
        where = f"performance/runs/{run}/"
        api.wait(where, lambda found: found["progress"].get("requests", 0) > 20)

        api.post(f"{where}stop/")
        ended = api.ended(run)

        assert ended["status"] == "cancelled"
        assert 20 < ended["requests"] < 40 * 120
