"""What running the tests of a workspace leaves in the one history: a run that says what happened."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from access.models import AuditEntry
from batches.planning import Order, Surroundings, planned, prove
from batches.testing import NothingCollected
from tests.batches.workspaces import make_desk
from tests.journeys.product import ROOT
from tracking.models import TestRun

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]


def run_it(tmp_path, timeout=60.0, framework="pytest", pattern="", isolated=False, **files):
    desk = make_desk(tmp_path, pytest_ini="[pytest]\n")
    for name, text in files.items():
        (desk.root / f"{name}.py").write_text(text)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    around = Surroundings(
        ROOT / "client/src", Path("/nowhere"), {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    )
    order = Order(sys.executable, framework, timeout, pattern, isolated)
    with planned(desk, order, around, tell=lambda text: None) as plan:
        return prove(desk, plan, batch=None, baseline=None, triggered_by="ada", now=timezone.now())


def test_a_run_takes_as_long_as_its_tests_took(tmp_path):
    run = run_it(tmp_path, test_a="import time\ndef test_a(): time.sleep(0.3)\n").batch_run.run

    assert timedelta(seconds=0.3) <= run.completed_at - run.started_at <= timedelta(minutes=1)


def test_a_module_that_crashed_makes_an_error_of_a_run_whose_other_tests_passed(tmp_path):
    tested = run_it(tmp_path, isolated=True, test_a="def test_a(): pass\n", test_b="import os\nos.abort()\n")

    assert (tested.exit_code(), tested.result["failed_tests"]) == (1, 1)
    run = tested.batch_run.run
    assert (run.status, run.reason) == ("error", "The test process crashed by signal 6.")
    assert run.result_set.passed == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "No tests were found."),
        ("import os\nos.abort()\n", "signal 6"),
        ("import time\ntime.sleep(60)\n", "longer than 3 seconds"),
    ],
)
def test_a_run_that_no_test_came_of_is_kept_as_an_error_with_its_reason(tmp_path, text, reason):
    tested = run_it(tmp_path, timeout=3, test_a=text)

    assert tested.exit_code() == 3
    (run,) = TestRun.objects.all()
    assert (run.status, run.definition.name) == ("error", "batch")
    assert reason in run.reason


def test_a_pattern_that_names_no_test_keeps_nothing(tmp_path):
    for pattern, why in {"nothing*.py": "no file here is called", "test_a.py": "hold no tests"}.items():
        with pytest.raises(NothingCollected, match=why):
            run_it(tmp_path, pattern=pattern, test_a="")

    assert not TestRun.objects.exists()


def test_who_ran_the_tests_stands_in_the_audit_trail(tmp_path):
    tested = run_it(tmp_path, test_a="def test_a(): pass\n")

    entry = AuditEntry.objects.get(action="batch.test")
    assert (entry.actor_name, entry.detail["outcome"]) == ("ada", "passed")
    assert entry.detail["test_run_id"] == tested.test_run_id
