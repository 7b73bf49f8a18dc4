"""GitHub's own records, as people kept them: read whole, and timed as their truths say."""

import gzip
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared_data import shared_folder
from tracking.ci import Unexpected
from tracking.ci.github.records import job_record, message, run_record, stamp
from tracking.timing import time_attempt, time_job


def read(path):
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def test_recorded_runs_have_the_times_that_their_truths_say():
    folders = sorted((shared_folder("gha") / "runs").iterdir())
    assert folders
    for folder in folders:
        truth = read(folder / "expected.json")
        run = run_record(read(folder / "run.json"))
        jobs = [job_record(one) for one in read(folder / "jobs.json")["jobs"]]

        remote = run.as_remote("d", seen_by="question", jobs=jobs)
        times = time_attempt(
            jobs, run_started_at=remote.run_started_at, completed_at=remote.completed_at, clock="api"
        )

        assert (run.id, run.attempt, run.conclusion) == (
            truth["run_id"],
            truth["attempt"],
            truth["conclusion"],
        )
        assert (times.execution, times.queue) == (truth["exec"], truth["queue_from_run_started"]), folder.name
        for job in jobs:
            one, told = time_job(job, None, clock="api"), truth["per_job"].get(str(job.job_id))
            # A skipped job has no time here; the folder's plain definition gives it zeros.
            assert one.execution is None or one.execution == told["exec"]


def test_a_nightly_of_99_jobs_is_read_whole_and_what_it_inherited_counts_in_no_time():
    """Six of them are taken over by re-runs: no runner, old times.  The folder's plain definition counts
    them (their waits as zero); here they did not run (docs/metrics.md), which is the whole difference."""
    folder = shared_folder("gha")
    truth = read(folder / "ionic_jobs.expected.json")
    jobs = [job_record(one) for one in read(folder / "ionic_jobs.json.gz")["jobs"]]
    times = {job.job_id: time_job(job, None, clock="api") for job in jobs}

    left_out = [job for job in jobs if times[job.job_id].execution is None]
    execution = [one.execution for one in times.values() if one.execution is not None]
    queue = [one.queue for one in times.values() if one.queue is not None]
    assert dict(Counter(job.conclusion for job in jobs)) == truth["by_conclusion"]
    assert sorted(job.job_id for job in left_out) == sorted(truth["started_before_created"])
    plain = sum((job.completed_at - job.started_at).total_seconds() for job in left_out)
    assert sum(execution) + plain == truth["job_exec_seconds"]["sum"]
    assert sum(queue) == truth["job_queue_seconds"]["sum"]
    assert max(queue) == truth["job_queue_seconds"]["max"]


def test_a_list_of_runs_of_several_years_and_repositories_is_read_whole():
    folder = shared_folder("gha")
    truth = read(folder / "workflow_runs_list.expected.json")
    found = read(folder / "workflow_runs_list.json")
    runs = [run_record(one) for one in (found["workflow_runs"] if isinstance(found, dict) else found)]

    assert len({run.id for run in runs}) == truth["distinct_ids"]
    assert dict(Counter(run.conclusion or "None" for run in runs)) == truth["by_conclusion"]
    assert dict(Counter(run.status for run in runs)) == truth["by_status"]
    assert dict(Counter(run.event for run in runs)) == truth["by_event"]
    assert sum(run.attempt > 1 for run in runs) == truth["attempts_gt1"]


def test_every_example_of_a_message_is_read_or_is_not_for_us():
    told = Counter()
    for folder in ("github/webhooks", "gha/webhooks"):
        for path in sorted((shared_folder(folder.split("/")[0]) / "webhooks").rglob("*.json")):
            kind = path.parent.name if path.parent.name != "webhooks" else path.name.split(".")[0]
            content = path.read_bytes()
            if kind == "pytorch":  # a recorded event with its name and payload
                kind, content = "workflow_job", json.dumps(read(path)["payload"]).encode()
            found = message(kind, content)
            told[kind if found else "not for us"] += 1
            if found:
                assert found.remote.github_run_id
                assert found.repository
                assert found.remote.jobs or found.remote.status

    assert told["workflow_job"] >= 12
    assert told["workflow_run"] >= 6


def test_a_waiting_job_has_no_runner_whatever_its_start_says():
    path = shared_folder("gha") / "webhooks" / "workflow_job.waiting.payload.json"
    (job,) = message("workflow_job", path.read_bytes()).remote.jobs

    assert (job.status, job.runner_id) == ("waiting", None)
    assert time_job(job, None, clock="api").queue is None


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("2026-01-04T09:00:00Z", "2026-01-04T09:00:00+00:00"),
        ("2026-01-04T18:00:00.250+09:00", "2026-01-04T09:00:00.250000+00:00"),
        ("2026-01-04T09:00:00", "2026-01-04T09:00:00+00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (None, None),
        (17, None),
    ],
)
def test_stamps_come_in_any_offset_or_not_at_all(text, read_as):
    found = stamp(text)

    assert (found.isoformat() if found else None) == read_as


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
run_keys = ["id", "repository", "status", "conclusion", "run_attempt", "created_at", "head_commit", "path"]


@given(event=st.sampled_from(["workflow_run", "workflow_job"]), data=st.data())
def test_whatever_is_sent_is_read_or_said_to_be_unreadable(event, data):
    inner = data.draw(st.dictionaries(st.sampled_from(run_keys), anything) | anything)
    body = json.dumps({event: inner, "repository": data.draw(anything)}).encode()

    assert_read_or_said(event, body)


@pytest.mark.parametrize("place", [[1], True, "acme/shop", 7])
def test_a_repository_that_is_no_object_is_left_out(place):
    run = run_record({"id": 1, "repository": place})

    assert (run.repository_id, run.repository) == (None, "")


@pytest.mark.parametrize(("sent", "kept"), [(3, 3), (0, 1), (-1, 1), (40_000, 1), (2**70, 1), ("2", 1)])
def test_the_number_of_an_attempt_is_one_that_a_row_can_have(sent, kept):
    run = run_record({"id": 1, "run_attempt": sent, "status": "x" * 50, "conclusion": "y" * 50})

    assert (run.attempt, run.status, run.conclusion) == (kept, "x" * 40, "y" * 40)


@pytest.mark.parametrize("event", ["workflow_run", "workflow_job"])
def test_a_message_with_anything_wrong_in_any_one_place_is_read_or_said_to_be_unreadable(event):
    example = min((shared_folder("github") / "webhooks" / event).glob("*.json"))
    whole = read(example)
    for place in (whole, whole[event]):
        for key, kept in list(place.items()):
            for odd in (None, 5, "x", True, [], [5], {}, {"id": "x"}, 2**70, -1):
                place[key] = odd
                assert_read_or_said(event, json.dumps(whole).encode())
            place[key] = kept


@given(body=st.binary(max_size=60))
def test_bytes_that_are_no_json_are_said_to_be_none(body):
    assert_read_or_said("workflow_run", body)


def assert_read_or_said(event, body):
    try:
        found = message(event, body)
    except Unexpected as problem:
        found = str(problem)
    assert found


def test_what_the_runner_needs_for_itself_is_the_set_up_of_a_job():
    """Recorded jobs tell it to the second; where there are no steps, or others first, nothing is known."""
    recorded = read(shared_folder("gha") / "ionic_jobs.json.gz")["jobs"]

    told = [job_record(one).setup for one in recorded]

    first = [one["steps"][0] for one in recorded]
    assert told == [
        (stamp(step["completed_at"]) - stamp(step["started_at"])).total_seconds() for step in first
    ]
    assert max(told) < 60


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        (None, None),
        ([], None),
        ("Set up job", None),
        ([None], None),
        ([{"name": "Set up job", "started_at": "2026-01-04T09:00:00Z", "completed_at": None}], None),
        ([{"name": "Run tests", "started_at": "2026-01-04T09:00:00Z"}], None),
        (
            [
                {"name": name, "started_at": "2026-01-04T09:00:00Z", "completed_at": "2026-01-04T09:00:04Z"}
                for name in ("Set up job", "Initialize containers", "Run tests", "Set up job")
            ],
            8.0,
        ),
    ],
)
def test_set_up_is_read_from_the_runners_own_first_steps(steps, seconds):
    assert job_record({"id": 1, "steps": steps}).setup == seconds


@pytest.mark.parametrize("text", ["nul\0", "half \ud83d", "\udc00"])
def test_texts_hold_nothing_that_a_database_refuses(text):
    run = run_record({"id": 1, "name": text, "display_title": text, "head_branch": text})
    job = job_record({"id": 1, "name": text, "labels": [text], "runner_name": text})

    for kept in (run.name, run.title, run.head_branch, job.name, job.runner_name, *job.labels):
        assert "\0" not in kept
        assert kept.encode()
