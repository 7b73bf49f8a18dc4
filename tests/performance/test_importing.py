"""What other tools measured becomes a run like any other, once."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from performance.models import Workload, WorkloadRun
from performance.trigger import FaultySpec, start_workload_run
from performance.wording import in_short_words
from tests.factories import NINE, make_definition, make_environment
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(autouse=True)
def project():
    return make_environment().project


def take_in(*files, workload="shop", capsys):
    paths = [str(SAMPLES / file) for file in files]
    call_command(
        "workload", "import", *paths, "--workload", workload, "--project", "demo", "--format", "json"
    )
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("file", "tool", "metric"),
    [
        ("k6_summary_export.json", "k6", "latency"),
        ("k6_points.csv", "k6", "latency"),
        ("jmeter.csv", "jmeter", "latency"),
        ("jmeter.xml", "jmeter", "latency"),
        ("locust_stats.csv", "locust", "latency"),
        ("hyperfine.json", "hyperfine", "time"),
        ("pytest_benchmark.json", "pytest-benchmark", "time"),
        ("google_benchmark.json", "google-benchmark", "time"),
    ],
)
def test_each_tool_makes_a_run_with_figures(file, tool, metric, capsys):
    (told,) = take_in(file, capsys=capsys)

    run = WorkloadRun.objects.get()
    assert run.tool.lower().replace(" ", "-") == tool
    assert told["is_new"]
    assert run.run.status in ("passed", "failed")
    assert run.run.completed_at >= run.run.started_at
    assert run.metrics.filter(name=metric, value__gt=0).exists()
    assert list(WorkloadRun.objects.judged()) == [run]


@pytest.mark.parametrize("file", ["hyperfine.json", "pytest_benchmark.json", "google_benchmark.json"])
def test_times_of_a_benchmark_are_shown_as_those_of_requests_are(file, capsys):
    (told,) = take_in(file, capsys=capsys)
    figures = WorkloadRun.objects.get().metrics.filter(name="time")

    call_command("workload", "show", told["test_run_id"], "--project", "demo")

    shown = {line[:23].strip(): line[24:].split() for line in capsys.readouterr().out.splitlines()}
    for one in figures:
        n, _, _, *times = shown[one.request[:23].strip()]
        assert n == f"{one.n:,}"
        assert " ".join(times).startswith(in_short_words(one.p50))


def test_the_same_file_twice_is_one_run_and_another_is_the_next(capsys):
    (first,) = take_in("jmeter.csv", capsys=capsys)
    again, other = take_in("jmeter.csv", "jmeter.xml", capsys=capsys)

    assert (again["test_run_id"], again["is_new"]) == (first["test_run_id"], False)
    assert other["is_new"]
    assert Workload.objects.get().runs.count() == 2


def test_a_file_is_recognized_whatever_became_of_its_runs_metadata(capsys):
    (first,) = take_in("jmeter.csv", capsys=capsys)
    TestRun.objects.update(metadata={})

    (again,) = take_in("jmeter.csv", capsys=capsys)

    assert (again["test_run_id"], again["is_new"]) == (first["test_run_id"], False)


def test_single_measurements_have_intervals_errors_and_a_figure_of_all(capsys):
    take_in("jmeter.csv", capsys=capsys)

    run = WorkloadRun.objects.get()
    whole = run.metrics.get(name="latency", request="")
    assert (
        whole.n
        == run.requests
        == sum(one.n for one in run.metrics.filter(name="latency").exclude(request=""))
    )
    share = run.metrics.get(name="error_share", request="")
    assert share.value == run.errors / run.requests


@pytest.mark.parametrize(
    ("file", "requests", "errors", "p95", "rate"),
    [("k6_summary_export.json", 200, 3, 0.15125, 20.5), ("locust_stats.csv", 194, 55, 0.022, 48.2)],
)
def test_what_a_tool_says_of_all_requests_is_what_the_run_says(file, requests, errors, p95, rate, capsys):
    take_in(file, capsys=capsys)

    run = WorkloadRun.objects.get()
    figures = {one.name: one for one in run.metrics.filter(request="")}
    assert (run.requests, run.errors) == (requests, errors)
    assert (figures["latency"].n, figures["latency"].p95) == (requests, p95)
    assert figures["throughput"].value == pytest.approx(rate, rel=0.01)
    assert figures["error_share"].value == errors / requests


def test_a_workload_of_another_tool_can_not_be_run_before_it_has_a_target(capsys):
    take_in("hyperfine.json", capsys=capsys)

    with pytest.raises(FaultySpec):
        start_workload_run(Workload.objects.get(), triggered_by="ada", now=NINE)


@pytest.mark.parametrize(
    ("file", "workload", "told"),
    [
        ("missing.json", "shop", "can't be read: No such file"),
        ("../factories.py", "shop", "is of no known tool"),
        ("hyperfine.json", "Shop!", "may have small letters"),
        ("hyperfine.json", "performance", "has a test profile 'performance' already"),
    ],
)
def test_what_can_not_be_taken_in_stores_nothing(file, workload, told, capsys):
    make_definition("performance")

    with pytest.raises(CommandError, match=told):
        take_in(file, workload=workload, capsys=capsys)

    assert not WorkloadRun.objects.exists()
    assert not Workload.objects.exists()
