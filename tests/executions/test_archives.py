"""What retention let go is found again, read, and put back; in a folder and in a bucket."""

import json
from datetime import timedelta

import boto3
import pytest
from django.core.files.storage import FileSystemStorage, StorageHandler
from django.core.management import CommandError, call_command
from django.utils import timezone
from moto import mock_aws

from config.places import artifacts
from executions.recount import forget_runs
from tests.factories import make_ended_run, make_project, make_workflow
from tracking.archives import Unrestorable, archived, read_archive, restore
from tracking.models import DayTiming, Environment, RetentionPolicy, TestRun, WorkflowAttempt, WorkflowJob
from tracking.retention import prune
from tracking.run_report import report_data

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path, monkeypatch):
    """What the settings make of a machine without and with ARTIFACTS_BUCKET."""
    bucket = "runs" if request.param == "bucket" else ""
    made = StorageHandler({"artifacts": artifacts(tmp_path, bucket=bucket, region="us-east-1")})
    if not bucket:
        yield made["artifacts"]
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="runs")
        yield made["artifacts"]


@pytest.fixture
def gone(storage):
    """A run that was archived and deleted, and what its report said before."""
    RetentionPolicy.objects.create(project=make_project(), days=30, keep=0)
    at = NOW - timedelta(days=40)
    run = make_ended_run(
        started_at=at, completed_at=at + timedelta(hours=1), metadata={"build_no": "7"}, note="slow"
    )
    make_workflow(run, "failure", queue=3, execution=9, reason="its machine went away")
    said = told_of(run)
    list(prune(NOW, storage=storage, forget=forget_runs))
    assert TestRun.objects.count() == 0
    return run, said


def told_of(run):
    data = report_data(TestRun.objects.for_file().get(test_run_id=run.test_run_id), now=NOW)
    return json.loads(json.dumps(data, default=str))


def test_a_run_that_went_is_listed_read_and_put_back_as_it_was(storage, gone):
    run, said = gone
    days = list(DayTiming.objects.values("passed", "timed"))
    assert list(archived(storage, run.project)) == [(run.test_run_id, f"{run.started_at:%Y-%m}")]

    content = read_archive(storage, run.project, run.test_run_id)
    back = restore(content, run.project, now=NOW)

    assert told_of(back) == said
    assert (back.pk, back.pinned, back.note, back.metadata) == (run.pk, True, "slow", {"build_no": "7"})
    assert WorkflowAttempt.objects.filter(workflow__run=back).count() == 3
    assert WorkflowJob.objects.filter(attempt__workflow__run=back, runner_name="host-1").count() == 3
    assert back.timing.timed == 3
    assert list(DayTiming.objects.values("passed", "timed")) == days, "its day counted it all the time"
    assert list(prune(NOW, storage=storage, forget=forget_runs)) == [], "pinned runs stay"
    with pytest.raises(Unrestorable, match="is there already"):
        restore(content, run.project, now=NOW)


def test_a_run_whose_place_is_no_more_is_not_half_put_back(storage, gone):
    run, _ = gone
    content = read_archive(storage, run.project, run.test_run_id)
    Environment.objects.all().delete()

    with pytest.raises(Unrestorable, match="no environment 'local' any more"):
        restore(content, run.project, now=NOW)
    assert TestRun.objects.count() == 0


def test_a_damaged_archive_is_named(tmp_path):
    storage, project = FileSystemStorage(tmp_path), make_project()
    (tmp_path / "runs/demo/2026-01").mkdir(parents=True)
    (tmp_path / "runs/demo/2026-01/x.json.gz").write_bytes(b"\x1f\x8b cut")

    with pytest.raises(Unrestorable, match=r"runs/demo/2026-01/x.json.gz is damaged"):
        read_archive(storage, project, "x")
    with pytest.raises(Unrestorable, match="no archived run"):
        read_archive(storage, project, "../demo/2026-01/x")


def test_the_command_lists_shows_and_restores(capsys, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "artifacts": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    RetentionPolicy.objects.create(project=make_project(), days=30, keep=0)
    at = NOW - timedelta(days=40)
    name = make_ended_run(started_at=at, completed_at=at + timedelta(hours=1)).test_run_id

    def said(*arguments, **options):
        call_command(*arguments, project="demo", **options)
        return capsys.readouterr().out

    call_command("prune_runs")
    assert "1 run went." in capsys.readouterr().out
    assert said("archived_runs").splitlines() == [f"{at:%Y-%m}  {name}", "1 archived runs."]
    assert said("archived_runs", month="1999-01").strip() == "0 archived runs."
    assert "Workflows: 2 success" in said("archived_runs", name)
    assert json.loads(said("archived_runs", name, format="json"))["run"]["test_run_id"] == name
    assert "is back, and pinned" in said("archived_runs", name, restore=True)
    assert TestRun.objects.get().test_run_id == name
    with pytest.raises(CommandError, match="is there already"):
        said("archived_runs", name, restore=True)
