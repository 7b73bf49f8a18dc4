import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import AuditEntry
from tests.factories import NINE, make_ended_run, make_run, make_workflow
from tracking.models import TestRun
from tracking.tracker import note


@pytest.fixture
def going(project):
    run = make_run(
        started_at=timezone.now() - timedelta(seconds=100), branch="main", commit_sha="a1b2c3d" + "0" * 33
    )
    for _ in range(4):
        make_workflow(run)
    make_workflow(run, "failure", reason="exit code 1")
    make_workflow(run, "", status="queued", queue=None)
    make_workflow(run, "", status="in_progress", queue=1)
    return run


def test_a_run_that_goes_says_how_far_it_is(client, viewer, going):
    page = client.get(f"/runs/{going}/").content.decode()

    assert "5 of 7 done, 1 failed. 1 waits for a place, longest 1." in page
    assert "About 40 s left." in page
    assert 'data-refresh="1.5"' in page
    assert "main@<span" in page


def test_a_run_that_ended_says_where_its_time_went_and_is_asked_no_more(client, viewer):
    run = make_ended_run("failed", reason="build_job #1 failed")

    page = client.get(f"/runs/{run}/").content.decode()

    assert "2 of 2 done, 1 failed; 40 % of the time was queueing." in page
    assert "build_job #1 failed" in page
    assert 'data-refresh="0"' in page


def test_failed_workflows_come_first_unless_asked_otherwise(client, viewer, going):
    first = client.get(f"/runs/{going}/").context["shown"].timeline.lines
    by_position = client.get(f"/runs/{going}/?order=position").context["shown"].timeline.lines

    assert [line.workflow.position for line in first] == [5, 1, 2, 3, 4, 6, 7]
    assert [line.workflow.position for line in by_position] == [1, 2, 3, 4, 5, 6, 7]


def test_the_fragment_is_the_page_without_its_frame(client, viewer, going):
    page = client.get(f"/runs/{going}/?fragment=1").content.decode()

    assert page.lstrip().startswith("<main")
    assert 'data-live="timeline"' in page
    assert "fragment=1" not in page


def test_nothing_that_people_or_jobs_wrote_becomes_markup(client, viewer, settings, tmp_path):
    evil = "<script>alert(1)</script>"
    run = make_run(triggered_by=evil, branch=evil, metadata={evil: evil}, commit_sha=evil[:40])
    workflow = make_workflow(run, "failure", name=evil, reason=evil, visible_tag=evil, inputs={evil: evil})
    note(run, evil[:30], evil, NINE)
    settings.CI_SERVICES = {
        "local": {"BACKEND": "tracking.ci.local.LocalProcesses", "OPTIONS": {"folder": tmp_path}}
    }
    folder = tmp_path / workflow.dispatch_id[:2] / workflow.dispatch_id
    folder.mkdir(parents=True)
    (folder / "output.log").write_text(f"\x1b[31m{evil}\x1b[0m")

    for path in ("/runs/", f"/runs/{run}/", f"/runs/{run}/workflows/1/", "/", f"/runs/?q={evil}"):
        assert evil not in client.get(path).content.decode(), path
    assert b"".join(client.get(f"/runs/{run}/workflows/1/output/")).decode() == f"\x1b[31m{evil}\x1b[0m"


def test_a_huge_run_is_cut_and_says_so(client, viewer, monkeypatch):
    monkeypatch.setattr("dashboards.run_page.load.__kwdefaults__", {"failed_first": True, "most": 3})
    run = make_run()
    for _ in range(5):
        make_workflow(run)

    page = client.get(f"/runs/{run}/").content.decode()

    assert "3 of 5 workflows are drawn" in page


def test_the_workflows_can_be_had_as_csv_and_json(client, viewer, going):
    table = list(csv.DictReader(io.StringIO(b"".join(client.get(f"/runs/{going}/?format=csv")).decode())))
    data = json.loads(b"".join(client.get(f"/runs/{going}/?format=json")))

    assert [row["position"] for row in table] == list("1234567")
    assert (data[0]["queue"], data[0]["execution"], data[0]["method"]) == (20, 30, "process")
    assert (data[5]["queue"], data[6]["execution"]) == (None, None)


def test_the_tracking_file_can_be_downloaded(client, viewer, going):
    answer = client.get(f"/runs/{going}/tracking/")

    assert json.loads(answer.content)["test_run_id"] == going.test_run_id
    assert answer["Content-Disposition"] == f'attachment; filename="{going}.json"'


def test_a_viewer_sees_no_buttons(client, viewer, going):
    assert "run_cancel" not in client.get(f"/runs/{going}/").content.decode()
    assert f"/runs/{going}/cancel/" not in client.get(f"/runs/{going}/").content.decode()


def test_a_reporter_cancels_and_it_is_written_down(client, reporter, going):
    answer = client.post(f"/runs/{going}/cancel/", follow=True)

    going.refresh_from_db()
    assert going.cancel_requested_at is not None
    assert b"is being cancelled" in answer.content
    assert AuditEntry.objects.get().action == "run.cancel"


def test_what_has_ended_is_not_cancelled(client, reporter):
    run = make_ended_run()

    answer = client.post(f"/runs/{run}/cancel/", follow=True)

    assert b"nothing to cancel" in answer.content
    assert not AuditEntry.objects.exists()


def test_opening_the_address_of_an_action_does_nothing(client, reporter, going):
    answer = client.get(f"/runs/{going}/cancel/", follow=True)

    going.refresh_from_db()
    assert going.cancel_requested_at is None
    assert answer.request["PATH_INFO"] == f"/runs/{going}/"


def test_a_reporter_runs_it_again(client, reporter):
    run = make_ended_run()

    answer = client.post(f"/runs/{run}/rerun/")

    again = TestRun.objects.get(rerun_of=run)
    assert answer["Location"] == f"/runs/{again}/"
    assert again.triggered_by == "rosa"
    assert AuditEntry.objects.get().action == "run.rerun"


def test_a_recorded_run_without_steps_cant_be_run_again(client, reporter):
    run = make_run(plan={})

    answer = client.post(f"/runs/{run}/rerun/", follow=True)

    assert b"no steps to repeat" in answer.content
