"""Times by the definitions, against recorded cases and against real runs of GitHub Actions."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.shared_data import shared_folder
from tracking.timing import Times, executed, summarize_attempts, time_attempt, time_job, worst_quality

NINE = datetime(2026, 1, 4, 9, tzinfo=UTC)


@dataclass
class Job:
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    status: str = "completed"
    conclusion: str = "success"
    runner_id: int | None = 7


def job(created=0, started=20, completed=50, **more):
    stamps = (
        None if second is None else NINE + timedelta(seconds=second)
        for second in (created, started, completed)
    )
    return Job(*stamps, **more)


def test_a_job_waits_then_runs():
    assert time_job(job(), NINE, clock="process") == Times(20, 30, 50, "process", "exact")


@pytest.mark.parametrize(
    "not_run",
    [
        job(conclusion="skipped"),
        job(runner_id=None),
        job(runner_id=0),
        job(status="queued", started=0, completed=None),
        job(status="waiting", started=0, completed=None),
        job(status="in_progress", completed=None),
    ],
)
def test_what_did_not_run_has_no_time(not_run):
    assert time_job(not_run, NINE, clock="api") == Times()


def test_a_job_of_an_earlier_attempt_did_not_run_in_this_one():
    inherited = job()

    assert not executed(inherited, NINE + timedelta(hours=1))
    assert time_job(inherited, NINE + timedelta(hours=1), clock="api") == Times()


def test_a_negative_time_is_set_to_zero_and_said():
    times = time_job(job(created=2, started=0), NINE, clock="api")

    assert (times.queue, times.quality) == (0, "adjusted")


def test_an_attempt_spans_its_jobs():
    jobs = [job(0, 10, 30), job(0, 20, 90), job(0, 5, 5, conclusion="skipped")]

    times = time_attempt(jobs, run_started_at=NINE, completed_at=None, clock="api")

    assert times == Times(10, 80, 90, "api", "second")


def test_an_attempt_without_known_jobs_falls_back_to_its_own_stamps():
    times = time_attempt([], run_started_at=NINE, completed_at=NINE + timedelta(seconds=60), clock="api")

    assert times == Times(None, None, 60, "api", "fallback")


def test_an_attempt_in_which_nothing_ran_has_no_time():
    times = time_attempt([job(conclusion="skipped")], run_started_at=NINE, completed_at=NINE, clock="api")

    assert times == Times()


def test_the_worst_part_decides_the_quality():
    assert worst_quality(["exact", "fallback", "second"]) == "fallback"
    assert worst_quality(["", ""]) == ""


def test_nothing_timed_gives_no_summary_and_no_share():
    times = summarize_attempts([], workflows=3, completed=3)

    assert (times.queue, times.queue_share, times.completed) == (None, None, 3)


def stamp(text):
    return datetime.fromisoformat(text) if text else None


def as_job(record):
    return Job(
        stamp(record.get("created_at")),
        stamp(record.get("started_at")),
        stamp(record.get("completed_at")),
        status=record.get("status", "completed"),
        conclusion=record.get("conclusion") or "",
        runner_id=record.get("runner_id", 1),
    )


def test_recorded_edge_cases_have_the_expected_times():
    cases = json.loads((shared_folder("github") / "timing_cases.json").read_text())
    timed = [case for case in cases if "queue_s" in case["expect"]]

    assert timed
    for case in timed:
        times = time_job(as_job(case), None, clock="api")
        wanted = case["expect"]
        assert times.queue == wanted["queue_s"], case["case"]
        assert times.execution == wanted["exec_s"], case["case"]
        assert times.total == wanted.get("total_s"), case["case"]


def test_real_runs_of_github_actions_have_the_times_their_records_tell():
    folders = sorted((shared_folder("gha") / "runs").iterdir())

    assert folders
    for folder in folders:
        run, jobs, wanted = (
            json.loads((folder / f"{name}.json").read_text()) for name in ("run", "jobs", "expected")
        )
        rows = jobs["jobs"] if isinstance(jobs, dict) else jobs
        times = time_attempt(
            [as_job(row) for row in rows],
            run_started_at=stamp(run["run_started_at"]),
            completed_at=stamp(run["updated_at"]),
            clock="api",
        )
        assert times.execution == pytest.approx(wanted["exec"]), folder.name
        if run["run_attempt"] == 1:  # a re-run counts from its own start, not from that of attempt 1
            assert times.queue == pytest.approx(wanted["queue"]), folder.name
            assert times.total == pytest.approx(wanted["total"]), folder.name
