"""Runs go when their policy says so, archived first; what was counted stays."""

import gzip
import json
from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.utils import timezone

from executions.models import CaseStatistics, Result
from executions.recount import forget_runs, recount
from performance.baselines import set_baseline
from tests.dashboards.test_cases import BAD, report
from tests.factories import make_definition, make_ended_run, make_environment, make_project, make_workflow
from tests.performance.factories import make_workload_run
from tracking import retention
from tracking.models import RetentionPolicy, TestRun
from tracking.retention import archive_name, prune

pytestmark = pytest.mark.django_db
NOW = timezone.now()


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


def test_the_baseline_of_a_load_stays_and_keeps_no_other_run_from_going(storage):
    policy()
    measured = make_workload_run(started_at=NOW - timedelta(days=100))
    set_baseline(measured, by="ada", now=NOW)
    gone = old(100)

    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {gone.test_run_id}
    assert set(TestRun.objects.all()) == {measured.run}


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


def test_a_run_that_is_pinned_while_others_are_archived_stays(storage, monkeypatch):
    policy()
    pinned, gone = old(40), old(50)
    write = retention._write

    def slowly(run, storage):
        write(run, storage)
        TestRun.objects.filter(pk=pinned.pk).update(pinned=True)

    monkeypatch.setattr(retention, "_write", slowly)

    assert names(prune(NOW, storage=storage, forget=forget_runs)) == {gone.test_run_id}
    assert TestRun.objects.get() == pinned


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
            "BACKEND": "django.core.files.storage.FileSystemStorage",
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

    assert "1 runs went." in capsys.readouterr().out
