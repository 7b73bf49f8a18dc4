"""A report comes in: whole or not at all, once, in pieces, late, or refused."""

import gzip
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from executions.figures import figures_of
from executions.ingest import Conflict, ingest_report
from executions.models import CaseStatistics, Report, Result, ResultText, TestCase
from executions.recount import recount
from executions.reported import store_executions
from executions.reports.base import UnreadableReport
from executions.staging import TooManyCases
from tests.factories import make_project
from tests.shared_data import shared_folder
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FAILED = "<failure message='no'>assert 1 == 2</failure>"


def junit(*cases, at=NOW - timedelta(hours=1)):
    """A JUnit report; a case is a name, or a name and what stands in it."""
    rows = [case if isinstance(case, tuple) else (case, "") for case in cases]
    text = "".join(
        f"<testcase classname='m' name='{name}' time='0.5'>{body}</testcase>" for name, body in rows
    )
    return f"<testsuite timestamp='{at:%Y-%m-%dT%H:%M:%S}'>{text}</testsuite>".encode()


def send(content, *, now=NOW, **told):
    return ingest_report(io.BytesIO(content), project=make_project(), now=now, **told)


def counts(report):
    return {name: getattr(report, name) for name in ("total", "passed", "failed", "error", "skipped")}


def recent(name, space="ci"):
    return CaseStatistics.objects.get(case__nodeid__endswith=name, space=space).recent


def test_a_report_makes_a_run_that_ends_as_its_tests_did():
    report = send(junit("a", ("b", FAILED), ("c", "<skipped/>")), branch="main", commit="a" * 40)

    assert report.is_new
    assert counts(report) == {"total": 3, "passed": 1, "failed": 1, "error": 0, "skipped": 1}
    assert (report.run.status, report.run.reason) == ("failed", "1 of 3 tests failed.")
    assert (report.run.branch, report.run.space) == ("main", "ci")
    assert ResultText.objects.get().details.strip() == "assert 1 == 2"


@pytest.mark.parametrize("packed", [lambda c: c, gzip.compress], ids=["plain", "gzip"])
def test_the_same_report_twice_changes_nothing_however_it_is_packed(packed):
    content = junit("a", "b")
    first = send(content)
    again = send(packed(content), now=NOW + timedelta(hours=2))

    assert (again.pk, again.is_new) == (first.pk, False)
    assert TestRun.objects.count() == 1
    assert Result.objects.count() == 2
    assert recent("a") == "P"


def test_the_same_content_for_another_commit_is_another_report():
    first, second = send(junit("a"), commit="a" * 40), send(junit("a"), commit="b" * 40)

    assert first.run != second.run
    assert recent("a") == "PP"


def test_the_same_content_from_a_desk_and_from_ci_is_two_reports():
    first, second = send(junit("a"), space="local"), send(junit("a"), space="ci")

    assert first.run != second.run
    assert (recent("a", "local"), recent("a", "ci")) == ("P", "P")


def test_reports_in_a_zip_are_one_upload():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.xml", junit("a"))
        archive.writestr("two/two.xml", junit("b", ("c", FAILED)))
        archive.writestr("readme.md", "nothing of interest")

    report = send(packed.getvalue(), name="reports.zip")

    assert counts(report)["total"] == 3
    assert report.run.status == "failed"


def test_a_report_that_was_cut_off_stores_one_line_that_says_so_and_nothing_else():
    whole = junit(*(f"t{number}" for number in range(500)))

    with pytest.raises(UnreadableReport):
        send(whole[: len(whole) // 2], name="half.xml", triggered_by="ada")

    refused = Report.objects.get()
    assert (refused.status, refused.name, refused.sent_by) == ("refused", "half.xml", "ada")
    assert refused.reason
    assert not TestRun.objects.exists()
    assert not TestCase.objects.exists()
    assert not Result.objects.exists()


def test_a_report_beyond_what_the_database_takes_is_refused_with_a_way_out():
    with pytest.raises(TooManyCases, match="PostgreSQL"):
        send(junit("a", "b", "c"), most_cases=2)

    assert not Result.objects.exists()


def test_a_run_of_shards_ends_with_the_last_one_and_adds_them_up():
    first = send(junit("a", "b"), test_run_id="ci-7-1", shard=(1, 2))
    assert first.run.status == "running"

    last = send(junit("c", ("d", FAILED)), test_run_id="ci-7-1", shard=(2, 2), now=NOW + timedelta(minutes=3))

    assert last.run == first.run
    assert last.run.status == "failed"
    assert (last.run.result_set.total, last.run.result_set.failed) == (4, 1)


def test_a_shard_that_comes_late_makes_a_run_fail_that_had_passed():
    run = send(junit("a"), test_run_id="ci-7-1").run
    assert run.status == "passed"

    send(junit(("b", FAILED)), test_run_id="ci-7-1", now=NOW + timedelta(hours=1))

    run.refresh_from_db()
    assert run.status == "failed"
    assert run.events.filter(kind="results").exists()


def test_a_run_that_comes_late_is_put_in_its_place():
    for day, body in ((3, ""), (1, FAILED), (2, "<skipped/>")):
        send(junit(("a", body), at=NOW - timedelta(days=10 - day)))

    row = CaseStatistics.objects.get()
    assert row.recent == "FSP"
    assert row.changed_at == NOW - timedelta(days=7)
    assert row.last_failure_at == NOW - timedelta(days=9)


def test_a_later_attempt_of_a_job_decides_and_the_earlier_one_is_kept():
    send(junit(("a", FAILED), "b"), test_run_id="ci-7-1", commit="a" * 40)
    send(junit("a", "b"), test_run_id="ci-7-1", commit="a" * 40, attempt=2)

    run = TestRun.objects.get()
    assert run.status == "passed"
    assert (run.result_set.passed, run.result_set.failed) == (2, 0)
    assert Result.objects.count() == 4
    assert Result.objects.deciding().count() == 2
    assert recent("a") == "P"


def test_a_retry_that_passed_does_not_hide_the_failure_before_it():
    body = "<flakyFailure message='slow'>first</flakyFailure>"
    report = send(junit(("a", body)))

    assert counts(report)["passed"] == 1
    assert report.attempts == 2
    assert sorted(row.outcome_word for row in Result.objects.all()) == ["failed", "passed"]
    assert ResultText.objects.get().message == "slow"


def test_a_test_that_is_reported_twice_took_both_times():
    report = send(junit("a", ("a", FAILED), "b"))

    assert (report.total, report.attempts, report.duration) == (2, 3, 1.5)


def test_the_worst_of_a_test_that_is_reported_twice_counts():
    report = send(junit(("a", FAILED), "a"))

    assert counts(report) == {"total": 1, "passed": 0, "failed": 1, "error": 0, "skipped": 0}
    assert recent("a") == "F"


def test_desk_and_ci_have_statistics_of_their_own():
    send(junit("a"), space="local")
    send(junit(("a", FAILED)), space="ci")

    assert (recent("a", "local"), recent("a", "ci")) == ("P", "F")
    assert TestCase.objects.count() == 1


def test_a_list_of_results_is_stored_once_for_its_key():
    run = send(junit("a")).run
    rows = [{"nodeid": "x.py::t", "outcome": "passed", "duration": 0.25}]

    first = store_executions(run, rows, key="k1", now=NOW)
    again = store_executions(run, rows, key="k1", now=NOW + timedelta(hours=1))

    assert first == again
    assert Result.objects.count() == 2
    with pytest.raises(Conflict, match="Idempotency-Key"):
        store_executions(run, [{**rows[0], "outcome": "failed"}], key="k1", now=NOW)


def test_durations_are_summed_exactly_and_shown_in_seconds():
    for number in range(10):
        send(junit("a", at=NOW - timedelta(hours=number)))

    figures = figures_of(CaseStatistics.objects.get())
    assert (figures.mean, figures.p50, figures.p95, figures.timed) == (0.5, 0.5, 0.5, 10)


def tried(path):
    """Return the report of a file, or None and why it was refused."""
    try:
        with path.open("rb") as file:
            return ingest_report(file, project=make_project(), now=NOW, name=path.name, most_cases=50_000), ""
    except (UnreadableReport, TooManyCases, ValueError) as problem:
        return None, str(problem)


def test_every_hostile_file_is_refused_with_nothing_stored_or_stored_to_the_last_count():
    refused = stored = 0
    for path in sorted(shared_folder("hostile").rglob("*")):
        if not path.is_file() or path.stat().st_size > 20_000_000:
            continue
        before = Result.objects.count()
        report, reason = tried(path)
        if report is None:
            refused += 1
            assert reason, path.name
            assert Result.objects.count() == before, path.name
            continue
        stored += 1
        assert report.total == sum(
            getattr(report, word) for word in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        )
    assert refused > 5
    assert stored > 5
    assert list(recount(repair=False)) == []
