"""Results that are reported for a run whose workflows Runtrail follows."""

from datetime import timedelta

import pytest

from tests.executions.test_reports_come_in import FAILED, NOW, junit, send
from tests.factories import make_run, make_workflow
from tracking.lifecycle import settle_run
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


def test_failures_that_come_while_a_tracked_run_goes_on_make_it_fail_at_its_end():
    run = make_run(test_run_id="performance_20260320_110000_abc123", started_at=NOW - timedelta(hours=1))
    make_workflow(run, "success")
    send(junit("a", ("b", FAILED)), test_run_id=run.test_run_id)
    assert TestRun.objects.get().is_running

    settle_run(TestRun.objects.get(), now=NOW)

    run.refresh_from_db()
    assert (run.status, run.reason) == ("failed", "1 of its tests failed.")
