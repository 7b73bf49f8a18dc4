"""Runs go when their policy says so, archived first; what was counted stays."""

import gzip
import json
from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from executions.models import CaseStatistics, Result
from executions.recount import forget_runs, recount
from performance.baselines import set_baseline
from performance.models import ChangePoint, Comparison, ComparisonRun, Optimization, OptimizationRun
from tests.dashboards.test_cases import BAD, report
from tests.factories import make_definition, make_ended_run, make_environment, make_project, make_workflow
from tests.performance.factories import make_component, make_workload_run
from tracking.models import RetentionPolicy, TestRun
from tracking.retention import archive_name, prune

pytestmark = pytest.mark.django_db
NOW = timezone.now()
FILES = "django.core.files.storage.FileSystemStorage"


@pytest.fixture
def storage(tmp_path):
    return FileSystemStorage(tmp_path)


def old(days, *, status="passed", **fields):
    at = NOW - timedelta(days=days)
    return make_ended_run(status, started_at=at, completed_at=at + timedelta(hours=1), **fields)


def policy(**fields):
    return RetentionPolicy.objects.create(**{"project": make_project(), "days": 30, "keep": 0, **fields})


def names(found):
    return {one.run.test_run_id for one in found}


def test_the_narrowest_policy_decides_alone(storage):
    staging = make_environment("staging")
    policy(days=30)
    policy(environment=staging, days=90)
    policy(environment=staging, status="failed", days=10)
    gone = {old(40).test_run_id, old(20, status="failed", environment=staging).test_run_id}
    old(40, environment=staging)
    old(20)

    assert names(prune(NOW, storage=storage, forget=forget_runs)) == gone
    assert TestRun.objects.count() == 2


def test_a_policy_of_more_days_than_the_calendar_has_keeps_all_and_stops_no_other(storage):
    forever, other = make_project("forever"), make_project()
    policy(project=forever, days=2**31 - 1)
    policy(days=30)
    for project in (forever, other):
        old(40, definition=make_definition(project=project))

    assert [one.run.project for one in prune(NOW, storage=storage, forget=forget_runs)] == [other]


def baseline(run):
    set_baseline(run, by="ada", now=NOW)


def side_of_an_optimization(run):
    tried = Optimization.objects.create(workload=run.workload, name="a cache")
    OptimizationRun.objects.create(optimization=tried, run=run, side="before")


def turn_of_a_comparison(run):
    component = make_component(workload=run.workload)
    comparison = Comparison.objects.create(workload=run.workload)
    ComparisonRun.objects.create(comparison=comparison, component=component, round=1, run=run)


def start_of_a_change(run):
    level = {"before": 1.0, "after": 2.0, "is_worse": True, "p": 0.001}
    ChangePoint.objects.create(workload=run.workload, metric="latency.p95", first_run=run, **level)


@pytest.mark.parametrize(
    "rest_on", [baseline, side_of_an_optimization, turn_of_a_comparison, start_of_a_change]
)
def test_what_a_finding_rests_on_stays_is_not_archived_and_keeps_no_other_run(storage, rest_on):
    policy()
    measured = make_workload_run(started_at=NOW - timedelta(days=100))
    rest_on(measured)
    gone = old(100)
    kept = NOW - timedelta(days=100)

    assert names(prune(NOW, storage=storage, forget=forget_runs, dry_run=True)) == {gone.test_run_id}
    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {gone.test_run_id}
    assert set(TestRun.objects.all()) == {measured.run}
    assert storage.listdir(f"runs/demo/{kept:%Y-%m}")[1] == [f"{gone.test_run_id}.json.gz"]

    measured.workload.delete()
    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {measured.run.test_run_id}


def test_pinned_running_and_the_newest_runs_stay(storage):
    policy(keep=1)
    kept = [old(100, pinned=True), old(50), old(40)]
    gone = kept.pop(1)
    other = old(300, definition=make_definition("rare"))

    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {gone.test_run_id}
    assert TestRun.objects.filter(pk=other.pk).exists()


def test_a_dry_run_changes_nothing_and_names_the_same_runs(storage):
    policy()
    old(40)
    old(50)

    shown = names(prune(NOW, storage=storage, forget=forget_runs, dry_run=True))

    assert TestRun.objects.count() == 2
    assert names(prune(NOW, storage=storage, forget=forget_runs)) == shown
    assert names(prune(NOW, storage=storage, forget=forget_runs)) == set()


def test_a_run_is_archived_whole_before_it_goes(storage):
    policy()
    run = old(40)
    make_workflow(run, "success", queue=3, execution=9)

    list(prune(NOW, storage=storage, forget=forget_runs))

    with storage.open(archive_name(run)) as file:
        kept = json.loads(gzip.decompress(file.read()))
    assert kept["run"]["test_run_id"] == run.test_run_id
    assert 9 in [row["execution"] for row in kept["attempts"]]
    assert len(kept["workflows"]) == len(kept["attempts"]) == 3


def test_a_prune_that_breaks_in_the_middle_is_repeated_without_loss(storage):
    policy()
    run = old(40)

    def broken(runs):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        list(prune(NOW, storage=storage, forget=broken))
    assert TestRun.objects.filter(pk=run.pk).exists()

    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {run.test_run_id}
    assert storage.listdir(archive_name(run).rpartition("/")[0])[1] == [f"{run.test_run_id}.json.gz"]


@pytest.mark.parametrize("change", [{"pinned": True}, {"status": "running", "completed_at": None}])
def test_a_run_that_is_pinned_or_reopened_while_others_go_stays_and_leaves_no_archive(storage, change):
    policy()
    gone, kept = old(50), old(40)
    going = prune(NOW, storage=storage, forget=forget_runs, piece=1)

    assert next(going).run == gone
    TestRun.objects.filter(pk=kept.pk).update(**change)

    assert list(going) == []
    assert TestRun.objects.get() == kept
    assert not storage.exists(archive_name(kept))


def test_of_runs_that_are_not_old_no_more_are_read_than_have_to_stay(storage):
    policy(keep=2)
    gone = [old(60), old(50)]
    old(2)
    old(1)

    with CaptureQueriesContext(connection) as asked:
        found = names(prune(NOW, storage=storage, forget=forget_runs, dry_run=True))

    assert found == {run.test_run_id for run in gone}
    reads = [one["sql"] for one in asked if 'FROM "test_runs"' in one["sql"]]
    assert [sql for sql in reads if "LIMIT 2" not in sql and '"completed_at" <' not in sql] == []


def test_the_samples_of_a_load_go_after_its_run_also_when_that_was_interrupted(tmp_path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "artifacts": {"BACKEND": FILES, "OPTIONS": {"location": tmp_path}},
    }
    storage = storages["artifacts"]
    policy()
    measured = make_workload_run(started_at=NOW - timedelta(days=100))
    kept = make_workload_run(measured.workload, started_at=NOW)

    class Away(FileSystemStorage):
        def delete(self, name):
            raise OSError("the bucket is away")

    with pytest.raises(OSError, match="away"):
        list(prune(NOW, storage=Away(tmp_path), forget=forget_runs))
    assert list(TestRun.objects.all()) == [kept.run]
    assert storage.exists(measured.samples)

    assert list(prune(NOW, storage=storage, forget=forget_runs)) == []
    assert not storage.exists(measured.samples)
    assert storage.exists(kept.samples)


def test_what_was_counted_of_the_tests_stays(storage):
    project = make_project()
    for minutes, body in enumerate(["", BAD, ""]):
        report(project, {"total": body}, minutes=minutes)
    policy(days=1, keep=1)
    counts = ("passed", "failed", "duration_us", "last_failure_at")
    before = list(CaseStatistics.objects.values_list(*counts))

    gone = list(prune(NOW, storage=storage, forget=forget_runs))

    assert (len(gone), Result.objects.count()) == (2, 1)
    assert (
        list(CaseStatistics.objects.values_list("passed", "failed", "duration_us", "last_failure_at"))
        == before
    )
    assert list(recount(project, repair=False)) == []


def test_the_command_says_what_went(capsys, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "artifacts": {
            "BACKEND": FILES,
            "OPTIONS": {"location": tmp_path},
        },
    }
    call_command("prune_runs")
    assert "every run stays" in capsys.readouterr().out
    policy()
    run = old(40)

    call_command("prune_runs", "--dry-run")
    assert f"{run.test_run_id}" in capsys.readouterr().out
    call_command("prune_runs")

    assert "1 run went." in capsys.readouterr().out
