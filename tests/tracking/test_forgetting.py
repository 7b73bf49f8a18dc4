"""Output and rows of local jobs go after their run, and with nobody else's."""

import pytest

from tests.tracking.fakes import NINE, after, begin
from tracking.forgetting import forget_jobs
from tracking.job_files import job_folder
from tracking.models import LocalJob, TestRun

pytestmark = pytest.mark.django_db
STATES = {
    "done": {"state": "done", "conclusion": "success", "completed_at": after(5)},
    "running": {"state": "running"},
}


def jobs_of(run, folder, *, host="here", state="done"):
    """A job for each workflow of `run`, with its output."""
    common = {"command": ["true"], "folder": "/", "time_limit": 60, "created_at": NINE, "host": host}
    for workflow in run.workflow_runs.all():
        job = LocalJob.objects.create(
            name="build", dispatch_id=workflow.dispatch_id, **common, **STATES[state]
        )
        place = job_folder(folder, job.dispatch_id)
        place.mkdir(parents=True)
        (place / "output.log").write_text("built\n")


def outputs(folder):
    return {path.parent.name for path in folder.rglob("output.log")}


def test_jobs_of_runs_that_are_gone_leave_nothing_behind(tmp_path):
    kept, gone = begin(), begin()
    for run in (kept, gone):
        jobs_of(run, tmp_path)
    TestRun.objects.filter(pk=gone.pk).delete()

    assert forget_jobs(tmp_path, host="here") == 3
    assert forget_jobs(tmp_path, host="here") == 0

    left = set(kept.workflow_runs.values_list("dispatch_id", flat=True))
    assert outputs(tmp_path) == left == set(LocalJob.objects.values_list("dispatch_id", flat=True))
    assert {path.name for path in tmp_path.iterdir()} == {name[:2] for name in left}


@pytest.mark.parametrize("job", [{"host": "elsewhere"}, {"state": "running"}], ids=["elsewhere", "running"])
def test_what_ran_elsewhere_or_still_runs_is_left_alone(tmp_path, job):
    run = begin()
    jobs_of(run, tmp_path, **job)
    run.delete()

    assert forget_jobs(tmp_path, host="here") == 0
    assert len(outputs(tmp_path)) == LocalJob.objects.count() == 3


def test_a_job_whose_files_are_gone_already_goes_too(tmp_path):
    run = begin(count=1)
    jobs_of(run, tmp_path / "lost")
    run.delete()

    assert forget_jobs(tmp_path, host="here") == 1
    assert not LocalJob.objects.exists()
