"""Phase 4: what was changed, and whether it helped."""

import uuid

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@pytest.fixture(scope="session")
def sides(api, workload, baseline_workload_run_id, performance_workload_run_id):
    """Two runs before the index was there, and two after."""
    before, after = [performance_workload_run_id], [baseline_workload_run_id]
    before.append(api.measured(workload["id"], component="unindexed")["testRunId"])
    after.append(api.measured(workload["id"], component="indexed")["testRunId"])
    return before, after


def record(api, workload, before, after, **changes):
    wanted = {
        "workload": workload["name"],
        "name": f"index {uuid.uuid4().hex[:8]}",
        "description": "The database finds rows by an index now.",
        "before": before,
        "after": after,
    }
    return api.ask("POST", "performance/optimizations/", {**wanted, **changes})


class TestPerformanceOptimizationsEndpoint:
    """The door of optimizations."""

    def test_optimizations_endpoint_is_a_list(self, api):
        assert "results" in api.get("performance/optimizations/")

    def test_optimizations_endpoint_refuses_runs_that_are_not_there(self, api, workload):
        refused = record(api, workload, ["nobody_20260101_000000_abc123"], [])

        assert refused.status_code == 400
        assert "before" in refused.json()


class TestPerformanceOptimizations:
    """The verdict."""

    def test_a_change_that_helped_is_better_with_an_interval(self, api, workload, sides, record_property):
        made = record(api, workload, *sides)

        assert made.status_code == 201, made.text
        found = made.json()
        assert found["verdict"] == "better"
        figures = {one["metric"]: one for one in found["result"]["figures"] if not one["request"]}
        p95 = figures["latency.p95"]
        assert p95["low"] < p95["ratio"] < p95["high"] < 1
        assert (p95["nBefore"], p95["nAfter"]) == (2, 2)
        record_property("finding", found["answer"])

    def test_the_same_the_other_way_round_is_worse(self, api, workload, sides):
        before, after = sides

        assert record(api, workload, after, before).json()["verdict"] == "worse"

    def test_all_of_them_together_have_one_effect(self, api, workload, sides):
        assert record(api, workload, *sides).status_code == 201

        total = api.get(f"performance/optimizations/total/?workload={workload['name']}")

        assert total["low"] <= total["ratio"] <= total["high"]
        assert total["answer"]

    def test_a_run_on_both_sides_proves_nothing(self, api, workload, sides):
        refused = record(api, workload, sides[0], sides[0][:1])

        assert refused.status_code == 400
        assert "either before the change or after" in refused.text
