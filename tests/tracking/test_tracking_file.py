import json

import pytest

from tests.factories import make_environment, make_run, make_workflow
from tests.tracking.fakes import after
from tracking import tracking_file
from tracking.models import TestRun, WorkflowJob

pytestmark = pytest.mark.django_db


def fresh(run):
    return TestRun.objects.for_file().get(pk=run.pk)


def make_seed_run(**fields):
    return make_run(
        test_run_id="performance_20260104_093000_abc123",
        environment=make_environment("aws-ecs"),
        started_at=after(1800),
        duration=1800,
        **fields,
    )


def test_the_file_is_that_of_the_first_document_key_by_key():
    run = make_seed_run(status="passed")
    for number in (20693001, 20693002):
        make_workflow(run, service="github", github_run_id=number)

    data = tracking_file.tracking_data(fresh(run), after(9999))

    metadata = data.pop("metadata")
    assert data == {
        "test_run_id": "performance_20260104_093000_abc123",
        "test_type": "performance",
        "environment": "aws-ecs",
        "start_time": "2026-01-04T09:30:00",
        "end_time": "2026-01-04T10:00:00",
        "duration_minutes": 30,
        "workflow_count": 2,
        "workflow_ids": [20693001, 20693002],
        "workflow_names": ["build_job", "build_job"],
    }
    assert list(metadata)[:2] == ["job_name_tag", "query_hint"]
    assert metadata["job_name_tag"] == "performance_20260104_093000_abc123"
    assert metadata["query_hint"] == ("Search for workflows with job_name=performance_20260104_093000_abc123")


def test_while_it_runs_there_is_no_end_and_the_duration_is_so_far():
    run = make_seed_run()

    data = tracking_file.tracking_data(fresh(run), after(1800 + 100))

    assert data["end_time"] is None
    assert data["duration_minutes"] == 1.67


@pytest.mark.parametrize(("seconds", "minutes"), [(1800, 30), (60.1, 1), (90, 1.5), (0, 0), (59.4, 0.99)])
def test_minutes_are_rounded_and_whole_ones_are_whole(seconds, minutes):
    run = make_run(status="passed", duration=seconds)

    found = tracking_file.tracking_data(fresh(run), after(0))["duration_minutes"]

    assert (found, type(found)) == (minutes, type(minutes))


def test_ids_and_names_pair_by_position_and_an_unsent_one_is_null():
    run = make_run()
    make_workflow(run, name="second", position=2, status="intended", conclusion="")
    sent = make_workflow(run, name="first", position=1)

    data = tracking_file.tracking_data(fresh(run), after(0))

    job = WorkflowJob.objects.get(attempt__workflow=sent)
    assert data["workflow_ids"] == [job.job_id, None]
    assert data["workflow_names"] == ["first", "second"]


def test_the_file_lies_in_the_folder_of_its_environment(tmp_path):
    run = make_seed_run()

    path = tracking_file.write(fresh(run), tmp_path, after(0))

    assert path == tmp_path / "test_results/aws-ecs/tracking/performance_20260104_093000_abc123.json"
    assert json.loads(path.read_text())["test_run_id"] == run.test_run_id
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_file_that_can_not_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    run = make_seed_run()
    path = tracking_file.write(fresh(run), tmp_path, after(0))
    before = path.read_bytes()

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tracking.tracking_file.os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        tracking_file.write(fresh(run), tmp_path, after(600))

    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_repeated_run_names_its_original():
    first = make_seed_run(status="passed")
    again = make_run(rerun_of=first)

    assert tracking_file.tracking_data(fresh(again), after(0))["metadata"]["rerun_of"] == first.test_run_id
