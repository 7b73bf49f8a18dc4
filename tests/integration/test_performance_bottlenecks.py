"""Phase 3: what holds the target back, and nothing where nothing does."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


def found_in(api, run):
    api.wait(f"performance/runs/{run}/", lambda found: found["analyzedAt"])
    return api.get(f"performance/runs/{run}/bottlenecks/")["results"]


class TestPerformanceBottlenecksEndpoint:
    """The door of findings."""

    def test_bottlenecks_endpoint_is_a_list_by_rank(self, api, performance_workload_run_id):
        ranks = [one["rank"] for one in found_in(api, performance_workload_run_id)]

        assert ranks == list(range(1, len(ranks) + 1))

    def test_bottlenecks_endpoint_of_an_unknown_run_is_not_found(self, api):
        assert (
            api.ask("GET", "performance/runs/nobody_20260101_000000_abc123/bottlenecks/").status_code == 404
        )


class TestPerformanceBottlenecks:
    """The slow database is named first."""

    def test_the_component_that_takes_the_time_is_first(
        self, api, performance_workload_run_id, record_property
    ):
        first = found_in(api, performance_workload_run_id)[0]

        assert (first["kind"], first["name"]) == ("component", "database")
        assert first["share"] > 0.3
        assert first["evidence"]
        record_property("finding", first["text"])
