"""Phase 5: components under the same load, in turn."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.embedded]
ROUNDS = 2


@pytest.fixture(scope="session")
def comparison(api, workload, workload_time_limit):
    wanted = {"workload": workload["name"], "components": ["unindexed", "indexed"], "rounds": ROUNDS}
    made = api.post("performance/comparisons/", wanted)
    api.limit *= 2 * ROUNDS
    found = api.wait(f"performance/comparisons/{made['id']}/", lambda one: one["status"] != "running")
    api.limit = workload_time_limit
    return found


class TestPerformanceComparisonsEndpoint:
    """The door of comparisons."""

    def test_comparisons_endpoint_is_a_list(self, api):
        assert "results" in api.get("performance/comparisons/")

    @pytest.mark.parametrize("components", [["indexed"], ["indexed", "nobody"], []])
    def test_comparisons_endpoint_refuses_what_can_not_be_compared(self, api, workload, components):
        wanted = {"workload": workload["name"], "components": components}
        refused = api.ask("POST", "performance/comparisons/", wanted)

        assert refused.status_code == 400


class TestPerformanceComponentComparison:
    """Turns, ranking and cost."""

    def test_every_component_had_its_turn_in_every_round(self, comparison):
        turns = {(turn["component"], turn["round"]) for turn in comparison["turns"]}

        assert comparison["status"] == "done", comparison
        assert turns == {
            (name, number) for name in ("indexed", "unindexed") for number in range(1, ROUNDS + 1)
        }

    def test_the_faster_component_is_first(self, comparison, record_property):
        ranking = comparison["result"]["ranking"]

        assert [one["component"] for one in ranking] == ["indexed", "unindexed"]
        assert ranking[1]["ratio"] > 1.3
        record_property("finding", comparison["result"]["answer"])

    def test_the_cost_of_a_request_is_told_where_a_price_is_known(self, comparison):
        for one in comparison["result"]["ranking"]:
            # 0.1 an hour at 40 requests in a second
            assert one["costPerMillion"] == pytest.approx(0.1 / 3600 / 40 * 1e6, rel=0.2)
