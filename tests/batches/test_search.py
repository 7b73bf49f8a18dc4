"""The search for the edit to blame, with real tests at real states."""

import os
import sys
from pathlib import Path

import pytest

from batches.models import Batch, BatchRun
from batches.planning import Order, Surroundings, planned, prove
from batches.rollback import roll_back
from tests.batches.workspaces import NOW, edit, make_desk
from tests.journeys.product import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
TEST = "import unittest, pkg.a, pkg.b\nclass T(unittest.TestCase):\n"
TEST += "    def test_a(self): assert pkg.a.ONE == 1\n    def test_b(self): assert pkg.b.TWO == 2\n"


@pytest.fixture
def desk(tmp_path):
    root = tmp_path / "work"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").write_text("")
    (root / "pkg/a.py").write_text("ONE = 1\n")
    (root / "pkg/b.py").write_text("TWO = 2\n")
    (root / "test_pkg.py").write_text(TEST)
    (root / "pytest.ini").write_text("[pytest]\n")
    return make_desk(tmp_path)


def prove_it(desk, batch, framework="pytest", **variables):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    around = Surroundings(ROOT / "client/src", Path("/nowhere"), environment)
    order = Order(python=sys.executable, framework=framework, timeout=60)
    with planned(desk, order, around, tell=lambda text: None) as plan:
        return prove(desk, plan, batch=batch, baseline=None, triggered_by="ada", now=NOW)


def test_unittest_is_searched_too_and_the_copy_wins_over_an_installed_package(desk):
    edit(desk, "pkg/b.py", "TWO = 2  # fine\n")
    edit(desk, "pkg/a.py", "ONE = 7\n")
    batch = edit(desk, "pkg/b.py", "TWO = 2  # later\n", size=3)

    tested = prove_it(desk, batch, "unittest", PYTHONPATH=str(desk.root))

    assert tested.search.blamed() == {2: ["test_pkg.T::test_a"]}
    assert tested.batch_run.suspicion["edits"] == [2]


def test_what_was_red_before_and_what_is_edited_later_mislead_nobody(desk):
    earlier = edit(desk, "pkg/a.py", "ONE = 7\n", size=1)
    prove_it(desk, earlier)
    edit(desk, "pkg/b.py", "TWO = 2  # fine\n")
    batch = edit(desk, "pkg/b.py", "TWO = 7\n", size=2)
    edit(desk, "pkg/b.py", "TWO = 8\n")  # of the next batch, while the tests of this one go on

    tested = prove_it(desk, batch)

    assert tested.result["failed_tests"] == 2
    assert tested.search.blamed() == {2: ["test_pkg.py::T::test_b"]}
    assert list(tested.search.verdicts) == ["test_pkg.py::T::test_b"]


def test_what_was_taken_back_since_the_last_run_is_no_excuse_for_the_same_break(desk):
    first = edit(desk, "pkg/a.py", "ONE = 7\n", size=1)
    prove_it(desk, first)
    roll_back(desk, first, actor="ada", now=NOW)
    edit(desk, "pkg/b.py", "TWO = 2  # fine\n")
    batch = edit(desk, "pkg/a.py", "ONE = 7  # again\n", size=2)

    assert prove_it(desk, batch).search.blamed() == {2: ["test_pkg.py::T::test_a"]}


def test_where_nothing_can_be_searched_for_it_is_said(desk):
    (desk.root / "pkg/a.py").write_text("ONE = 7\n")
    batch = edit(desk, "pkg/a.py", size=1)
    Batch.objects.get(pk=batch.pk).edits.update(before=None)

    tested = prove_it(desk, batch)

    assert "no earlier state is known of pkg/a.py" in tested.search.why_not
    assert BatchRun.objects.get().suspicion == {"why_not": tested.search.why_not}
