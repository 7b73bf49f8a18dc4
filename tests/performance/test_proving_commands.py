"""Gate, baselines, optimizations and changes in a shell: what is said, and the exit codes that CI heeds."""

import json

import pytest
from django.core.management import CommandError, call_command

from performance.models import ChangePoint, Optimization
from tests.performance.measured import a_component, a_run, a_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


@pytest.fixture
def workload_command(capsys):
    def run(*words):
        call_command("workload", *words, "--project", "shop")
        return capsys.readouterr().out

    return run


@pytest.fixture
def base(workload, workload_command):
    runs = [
        a_run(workload, 0.2 + place / 1000, number=place, metadata={"calibration": "one"})
        for place in range(6)
    ]
    workload_command("baseline", str(runs[-1]))
    return runs


def test_a_regression_ends_with_two(workload, base, workload_command, capsys):
    with pytest.raises(SystemExit) as ended:
        workload_command("gate", str(a_run(workload, 0.4, number=20)))

    assert ended.value.code == 2
    said = capsys.readouterr().out
    assert said.startswith("Worse than the baseline")
    assert "WORSE" in said


def test_no_regression_ends_with_zero(workload, base, workload_command):
    said = workload_command("gate", str(a_run(workload, 0.2, number=20)))

    assert said.startswith("Not worse than the baseline")
    assert "1 run against 6 of the baseline" in said


def test_without_a_baseline_it_ends_with_three(workload, workload_command):
    with pytest.raises(CommandError, match="workload baseline") as ended:
        workload_command("gate", str(a_run(workload)))

    assert ended.value.returncode == 3


def test_compare_without_a_baseline_puts_no_load_on_anything(workload, workload_command):
    with pytest.raises(CommandError, match="has no baseline") as ended:
        workload_command("run", "checkout", "--compare")

    assert ended.value.returncode == 3
    assert not workload.runs.exists()


def test_what_a_run_can_show_is_said_before_it_is_started(workload, base, workload_command, capsys):
    with pytest.raises(CommandError, match="shop has not named"):
        workload_command("run", "checkout")

    assert capsys.readouterr().out.startswith("To see 5 % in latency.p95 you need ")


def test_the_gate_speaks_json(workload, base, workload_command):
    told = json.loads(workload_command("gate", str(a_run(workload, 0.2, number=20)), "--format", "json"))

    assert (told["status"], told["budget"]) == ("passed", 0.01)
    assert {one["metric"] for one in told["figures"]} >= {"latency.p95", "throughput", "error_share"}


@pytest.mark.parametrize("budget", ["0", "1.5", "much"])
def test_a_budget_is_a_share(workload, workload_command, budget):
    with pytest.raises(CommandError, match="no share between 0 and 1"):
        workload_command("gate", "any", "--budget", budget)


def test_a_run_that_measured_nothing_is_no_baseline(workload, workload_command):
    with pytest.raises(CommandError, match="can't be a baseline"):
        workload_command("baseline", str(a_run(workload, None, status="error")))


def test_an_optimization_is_added_listed_and_shown(workload, workload_command):
    runs = [str(a_run(workload, level, number=n)) for n, level in enumerate([0.2, 0.201, 0.1, 0.101])]
    sides = ["--before", runs[0], "--before", runs[1], "--after", runs[2], "--after", runs[3]]

    added = workload_command("optimization", "add", "index", *sides, "-d", "orders had no index")

    row = Optimization.objects.get()
    assert "better: latency.p95 0.5" in added
    assert "orders had no index" in added
    listed = workload_command("optimization", "list")
    assert "checkout: index: latency.p95 0.5" in listed
    assert workload_command("optimization", "show", str(row.pk)) == added
    assert json.loads(workload_command("optimization", "list", "--format", "json"))["totals"]["checkout"]


def test_an_optimization_that_is_not_there_says_how_to_find_one(workload, workload_command):
    with pytest.raises(CommandError, match="optimization list"):
        workload_command("optimization", "show", "7")
    assert "optimization add NAME" in workload_command("optimization", "list")


def test_components_that_are_not_there_are_named(workload, workload_command):
    a_component(workload, "one")

    with pytest.raises(CommandError, match=r"no component 'two'. There are: one"):
        workload_command("compare", "checkout", "--components", "one,two")


def test_alarms_are_listed_and_decided(workload, workload_command):
    change = ChangePoint.objects.create(
        workload=workload, first_run=a_run(workload, commit_sha="a" * 40), metric="latency.p95", before=0.1,
        after=0.2, unit="s", is_worse=True, p=0.001, votes=["ranks", "student"], is_alarm=True,
    )  # fmt: skip
    assert "latency.p95 is worse: 2.00 ×" in workload_command("changes")

    with pytest.raises(CommandError, match="Say it with -d"):
        workload_command("changes", "--dismiss", str(change.pk))
    workload_command("changes", "--dismiss", str(change.pk), "-d", "the machine was moved")

    assert workload_command("changes").startswith("No alarm is open.")
    assert "dismissed" in workload_command("changes", "checkout", "--all")
