"""Results of single tests go month by month; what was counted of them, and the runs, stay."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from executions.comparison import compare_results
from executions.figures import figures_of
from executions.models import CaseStatistics, Result, ResultText
from executions.months import drop_old_months
from executions.recount import recount
from performance.models import ChangePoint
from tests.executions.test_reports_come_in import FAILED, junit, send
from tests.factories import make_project, make_user
from tests.performance.factories import make_workload_run
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 3, 12, tzinfo=UTC)
ENDS = [datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 31, 23, 59, tzinfo=UTC), NOW]


@pytest.fixture
def runs():
    """One run in December, one on the last day of January, one in April; `a` fails in each."""
    found = []
    for at in ENDS:
        found.append(send(junit(("a", FAILED), "b", at=at), now=at).run)
    return found


def gone(**options):
    return [(str(one), one.results, one.kept_for) for one in drop_old_months(NOW, **options)]


@pytest.mark.parametrize(
    ("keep", "months", "left"),
    [(0, [], 6), (4, [], 6), (3, [("2025-12", 2, "")], 4), (2, [("2025-12", 2, ""), ("2026-01", 2, "")], 2)],
)
def test_months_before_the_limit_go_and_every_count_stays(runs, keep, months, left):
    before = {row.pk: figures_of(row) for row in CaseStatistics.objects.all()}

    assert gone(keep=keep, dry_run=True) == months
    assert Result.objects.count() == 6
    assert gone(keep=keep) == months
    assert gone(keep=keep) == [], "what went is not looked for again"

    assert (Result.objects.count(), ResultText.objects.count()) == (left, left // 2)
    assert TestRun.objects.count() == 3
    for row in CaseStatistics.objects.all():
        kept = figures_of(row)
        assert (kept.runs, kept.failed, kept.mean) == (
            before[row.pk].runs,
            before[row.pk].failed,
            before[row.pk].mean,
        )
    assert list(recount(make_project())) == []


def test_a_month_with_a_pinned_run_or_one_that_something_rests_on_stays_whole(runs):
    TestRun.objects.filter(pk=runs[0].pk).update(pinned=True)
    load = make_workload_run(started_at=ENDS[1], keep=False)
    send(junit("c", at=ENDS[1]), now=NOW, test_run_id=load.run.test_run_id)
    level = {"before": 1.0, "after": 2.0, "is_worse": True, "p": 0.001}
    ChangePoint.objects.create(workload=load.workload, metric="latency.p95", first_run=load, **level)

    assert gone(keep=1) == [("2025-12", 2, runs[0].test_run_id), ("2026-01", 3, load.run.test_run_id)]
    assert Result.objects.count() == 7


def test_tests_whose_results_are_gone_were_neither_added_nor_removed(runs, client):
    list(drop_old_months(NOW, keep=2))
    client.force_login(make_user("vera", role="viewer", project=runs[0].project))

    found = compare_results(runs[0], runs[2])
    shown = client.get(f"/runs/{runs[0].test_run_id}/").content.decode()

    assert (found.compared, found.added, found.removed) == (0, [], [])
    assert "these are gone, their counts stay" in shown
    assert "all of them better" not in shown


def test_the_command_says_what_goes_and_why_a_month_stays(runs, settings):
    settings.RESULT_MONTHS = 1
    TestRun.objects.filter(pk=runs[0].pk).update(pinned=True)
    out = io.StringIO()

    call_command("prune_runs", "--dry-run", stdout=out)

    said = out.getvalue()
    assert f"2025-12  2 results of tests stay: {runs[0].test_run_id} is pinned" in said
    assert "2026-01  2 results of tests would go" in said
    assert Result.objects.count() == 6
