"""A run that a person takes out of the statistics leaves those of its tests, and comes back with it."""

import io
import random
from datetime import timedelta

import pytest
from django.db import OperationalError

from executions import tasks
from executions.exclusion import settle, settle_exclusions
from executions.ingest import ingest_report
from executions.models import CaseStatistics, ResultSet, SameCode
from executions.recount import recount
from tests.executions.storm import NOW, incoming
from tests.factories import make_project
from tracking.curation import exclude, take_back
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NAMES = (
    *(
        "space",
        "passed",
        "failed",
        "error",
        "skipped",
        "timed",
        "duration_us",
        "last_run_at",
        "last_failure_at",
    ),
    *("recent", "flips", "changed_at", "standing", "same_code", "retries"),
)


def junit(**outcomes):
    cases = "".join(
        f'<testcase classname="m" name="{name}" time="0.5">{"" if passes else "<failure/>"}</testcase>'
        for name, passes in outcomes.items()
    )
    return f"<testsuite>{cases}</testsuite>".encode()


def send(project, run, at=NOW, **outcomes):
    told = {"test_run_id": run, "commit": "a" * 40, "space": "ci"}
    ingest_report(io.BytesIO(junit(**outcomes)), project=project, now=at, **told)
    return TestRun.objects.get(test_run_id=run)


def leave_out(*runs):
    for run in runs:
        assert exclude(run, "the runner was broken", by="ada", now=NOW)
    return len(list(settle_exclusions()))


def put_back(*runs):
    for run in runs:
        assert take_back(run, by="ada", now=NOW)
    return len(list(settle_exclusions()))


def told_of(project):
    """What is counted of each test of a project, by name."""
    rows = CaseStatistics.objects.in_project(project).order_by("case__nodeid", "space")
    return [(row["case__nodeid"], row) for row in rows.values("case__nodeid", *NAMES)]


def three_runs(project, prefix):
    return [
        send(project, f"{prefix}-{number}", NOW + timedelta(hours=number), t=passes, u=True)
        for number, passes in enumerate((True, False, True))
    ]


def test_its_tests_are_counted_as_if_it_had_never_been_and_again_when_it_is_back():
    project, other = make_project("shop"), make_project("other")
    _, broken, _ = three_runs(project, "ci-1")
    send(other, "ci-2-0", NOW, t=True, u=True)
    send(other, "ci-2-2", NOW + timedelta(hours=2), t=True, u=True)
    before = told_of(project)
    assert CaseStatistics.objects.in_project(project).get(case__nodeid__endswith="t").same_code == 1

    assert leave_out(broken) == 1
    assert told_of(project) == told_of(other)
    assert list(recount(project, repair=False)) == []
    assert leave_out() == 0, "it is settled once"

    assert put_back(broken) == 1
    assert told_of(project) == before


def test_what_comes_late_for_it_does_not_count():
    project = make_project("shop")
    _, broken, _ = three_runs(project, "ci-1")
    leave_out(broken)
    without = told_of(project)

    send(project, "ci-1-1", NOW + timedelta(hours=3), t=False, u=False, late=False)

    assert told_of(project) == without
    assert ResultSet.objects.get(run=broken).total == 3
    put_back(broken)
    assert {name[-4:]: row["failed"] for name, row in told_of(project)}["late"] == 1
    assert list(recount(project, repair=False)) == []


def test_a_test_that_no_counted_run_is_left_of_has_no_statistics():
    project = make_project("shop")
    only = send(project, "ci-1-1", t=False)

    leave_out(only)

    assert told_of(project) == []
    assert not SameCode.objects.exists()
    send(project, "ci-1-2", NOW + timedelta(hours=1), t=True)
    assert [row["passed"] for _, row in told_of(project)] == [1]


@pytest.mark.parametrize("seed", range(2))
def test_any_runs_left_out_and_taken_back_among_random_reports_are_counted_as_a_recount_counts(seed):
    project, chance = make_project("shop"), random.Random(seed)
    out = set()
    for content, told in incoming(seed, 25):
        ingest_report(io.BytesIO(content), project=project, now=NOW, **told)
        run = chance.choice(list(TestRun.objects.order_by("pk")))
        if run.pk in out:
            put_back(run)
            out.discard(run.pk)
        elif chance.random() < 0.5:
            leave_out(run)
            out.add(run.pk)
        assert list(recount(project, repair=False)) == []
    left = told_of(project)

    assert out
    put_back(*TestRun.objects.filter(pk__in=out))
    assert list(recount(project, repair=False)) == []
    assert told_of(project) != left


def test_one_that_can_not_be_settled_keeps_no_other_waiting(monkeypatch):
    project, settled = make_project("shop"), []
    first, second, _ = three_runs(project, "ci-1")

    def one_fails(set_pk):
        if set_pk == first.result_set.pk:
            raise OperationalError("deadlock detected")
        settled.append(set_pk)
        return second.result_set

    monkeypatch.setattr(tasks, "settle", one_fails)
    for run in (first, second):
        exclude(run, "the runner was broken", by="ada", now=NOW)

    assert tasks.sweep_exclusions() == 1
    assert settled == [second.result_set.pk]


def test_results_that_went_with_their_run_are_nothing_to_settle():
    assert settle(4711) is None
