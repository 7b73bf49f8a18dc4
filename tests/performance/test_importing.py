"""What other tools measured becomes a run like any other, once."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from performance import changes
from performance.baselines import set_baseline
from performance.gate import judge_gate
from performance.models import ChangePoint, Workload, WorkloadRun
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


@pytest.fixture
def benchmarked(tmp_path):
    """Takes in hyperfine's result of one run of a command for each of `times`, and returns the runs."""

    def take(*times, commit_sha):
        paths = []
        for number, time in enumerate(times):
            paths.append(tmp_path / f"{commit_sha}-{number}.json")
            result = {"command": "make", "mean": time, "median": time, "times": [time, time * 1.01, time]}
            paths[-1].write_text(json.dumps({"results": [result]}))
        known = set(WorkloadRun.objects.values_list("pk", flat=True))
        where = ("--workload", "build", "--project", "demo", "--branch", "main", "--commit", commit_sha)
        call_command("workload", "import", *map(str, paths), *where, stdout=io.StringIO())
        return [run for run in WorkloadRun.objects.order_by("started_at") if run.pk not in known]

    return take


NOISE = (1.0, 1.02, 0.99, 1.01, 0.98, 1.002, 1.011, 0.97, 1.03, 0.991, 1.003, 1.021)


def test_a_benchmark_that_got_slower_is_an_alarm_and_is_worse_at_the_gate(benchmarked):
    usual = benchmarked(*NOISE, commit_sha="a" * 40)
    set_baseline(usual[-1], by="ada", now=NINE)
    gate = judge_gate(benchmarked(1.5, commit_sha="b" * 40))
    slower = benchmarked(*(1.5 * time for time in NOISE), commit_sha="c" * 40)
    changes.watch_workload(Workload.objects.get(), now=slower[-1].started_at, branch="main")

    assert gate.status == "regressed"
    assert {str(one.yardstick) for one in gate.worse} == {"time"}
    (alarm,) = ChangePoint.objects.open_alarms()
    assert (alarm.metric, alarm.request) == ("time", ""), "once, not for the only command as well"
    assert alarm.ratio == pytest.approx(1.5, rel=0.03)


def test_rates_of_different_benchmarks_are_no_parts_of_one_rate(tmp_path):
    entry = {"run_type": "iteration", "real_time": 2, "time_unit": "ms"}
    told = [{**entry, "name": name, "items_per_second": rate} for name, rate in (("a", 10), ("b", 1000))]
    (tmp_path / "result.json").write_text(json.dumps({"context": {}, "benchmarks": told}))

    where = ("--workload", "build", "--project", "demo")
    call_command("workload", "import", str(tmp_path / "result.json"), *where, stdout=io.StringIO())

    rates = WorkloadRun.objects.get().metrics.filter(name="throughput")
    assert {one.request: one.value for one in rates} == {"a": 10, "b": 1000}


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
