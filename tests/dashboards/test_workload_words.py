"""The pages of loads in words that a reader understands: units, intervals, and no names of the code."""

import pytest

from dashboards.load_words import load_in_words
from performance.models import Comparison
from performance.run_text import progress_line
from tests.dashboards.test_workloads import change_of, runs_of
from tests.factories import NINE
from tests.performance.factories import make_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload(project):
    return make_workload(project=project)


def test_a_load_is_told_with_its_units():
    arrival = {"kind": "spikes", "rate": 50, "spike_rate": 200, "spike_duration": 2, "spacing": "even"}
    spec = {
        "arrival": arrival,
        "duration": 30,
        "think_time": [0.5, 2],
        "limits": {"p95": 0.3, "error_share": 0.01},
        "data": {"rows": [{"rate": 5}]},
        "requests": [{"path": "/"}],
    }

    assert load_in_words(spec) == [
        ("arrival", "spikes, rate 50 /s, spike rate 200 /s, spike duration 2 s, spacing even"),
        ("duration", "30 s"),
        ("think time", "0.5 s, 2 s"),
        ("limits", "p95 0.3 s, error share 1 %"),
        ("data", "rows rate 5"),
    ]


def test_components_are_ranked_with_the_intervals_of_what_stands_beside_them(client, viewer, workload):
    names = {
        "rank": 1,
        "value": 0.0233,
        "low": 0.0214,
        "high": 0.0254,
        "n": 3,
        "ratio": 1.0,
        "is_tied": False,
    }
    first = {**names, "component": "a", "ratio_low": None, "ratio_high": None, "errors": 0.0}
    second = {**first, "component": "b", "rank": 2, "ratio": 1.5, "ratio_low": 1.31, "ratio_high": 1.72}
    ranking = [
        {**first, "cost_per_million": 0.67, "currency": "USD"},
        {**second, "cost_per_million": None, "currency": "USD"},
    ]
    Comparison.objects.create(
        workload=workload,
        rounds=3,
        status="done",
        created_by="ada",
        created_at=NINE,
        result={"ranking": ranking, "metric": "latency.p95", "answer": "a is first by latency.p95."},
    )

    text = client.get(f"/performance/workloads/{workload.name}/").content.decode()

    assert "a is first by latency.p95." in text
    assert "21.4 ms to 25.4 ms" in text
    assert "1.31 to 1.72" in text
    assert "0.67 USD" in text


def test_who_sees_a_change_and_how_sure_it_is_are_told_in_words(client, viewer, workload):
    change_of(runs_of(workload)[-1], p=1e-12)

    text = client.get(f"/performance/workloads/{workload.name}/").content.decode()

    assert "sure by more than 99.9 %" in text
    assert "two detectors" in text
    assert "student" not in text


def test_how_a_run_was_measured_is_told_in_words_and_units(client, viewer, workload):
    run = runs_of(workload, 1)[0]
    run.generator_facts = {
        "late": {"p50": 6.7e-05},
        "cpu": 0.0112,
        "waited_for_connection": 3,
        "loop": "open",
    }
    run.save()

    text = client.get(f"/performance/runs/{run.run.test_run_id}/").content.decode()

    assert "p50 0.0670 ms" in text
    assert "1 %" in text
    assert "waited for a free connection" in text
    assert "{&#x27;p50" not in text


@pytest.mark.parametrize(
    ("at", "told"),
    [(5.8, "5.8 s of 8.0 s, 90 requests"), (11, "11 s, all sent, waiting for answers, 90 requests")],
)
def test_a_load_past_its_end_says_what_it_waits_for(at, told):
    progress = {"at": at, "seconds": 8.0, "requests": 90, "errors": 0, "rate": 9.0, "in_flight": 2}

    assert progress_line(progress).startswith(told)
