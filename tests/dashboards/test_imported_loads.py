"""What other tools measured, on the pages: all of it, and no more than can be done."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from performance.models import WorkloadRun
from tests.factories import make_environment

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "performance" / "samples"


@pytest.fixture
def taken_in(project):
    make_environment(project=project)

    def take_in(file, name="nightly"):
        call_command(
            *("workload", "import", str(SAMPLES / file), "--workload", name, "--project", project.slug),
            stdout=io.StringIO(),
        )
        return WorkloadRun.objects.get()

    return take_in


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("hyperfine.json", "hyperfine timed"),
        ("google_benchmark.json", "Google Benchmark timed"),
        (
            "pytest_benchmark_rounds.json",
            "pytest-benchmark timed 2 things; the slowest, t_bench.py::test_sum, took 0.0123 ms",
        ),
    ],
)
def test_a_benchmark_tells_what_it_timed(client, viewer, taken_in, file, told):
    run = taken_in(file)

    text = text_of(client, f"/performance/runs/{run.run.test_run_id}/")

    assert told in text
    assert "Nothing was measured" not in text
    for figure in run.metrics.filter(name="time").exclude(request=""):
        assert figure.request in text
    assert "Latency is from the moment" not in text


def test_what_k6_tells_beside_the_latency_is_shown_too(client, viewer, taken_in):
    run = taken_in("k6_summary_export.json")

    text = text_of(client, f"/performance/runs/{run.run.test_run_id}/")

    assert "half were answered within" in text
    assert "iteration_duration" in text


def test_no_load_is_offered_that_only_another_tool_can_put_on(client, reporter, taken_in):
    taken_in("hyperfine.json")

    text = text_of(client, "/performance/workloads/nightly/")

    assert "Put the load on" not in text
    assert "workload import FILE --workload nightly" in text
    assert "Over time: time of a benchmark" in text
