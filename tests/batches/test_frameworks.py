"""Tests of every layout, run by pytest and by unittest: their names, modules and outcomes."""

import os
import sys

import pytest

from batches.results import build_result, text_report, to_junit
from batches.runner import Plan, run_named, run_suite
from tests.batches.workspaces import NOW
from tests.journeys.product import ROOT

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def plan_of(tmp_path):
    """Make a tree and return the plan that runs its tests."""

    def plan_of(framework, files, **options):
        root, scratch = tmp_path / "work", tmp_path / "scratch"
        scratch.mkdir()
        for name, text in {"pytest.ini": "[pytest]\n", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        told = {"framework": framework, "tell": lambda text: None, **options}
        return Plan(root, sys.executable, ROOT / "client/src", scratch, environment, **told)

    return plan_of


def result_of(plan):
    runs = run_suite(plan)
    return build_result(runs, root=str(plan.root), batch_id=1, started=NOW, seconds=1.0, commit="")


def test_a_module_that_can_not_be_imported_hides_no_test_of_another(plan_of):
    plan = plan_of("pytest", {"tests/test_a.py": "import nowhere\n", "test_b.py": "def test_b(): pass\n"})

    result = result_of(plan)

    assert (result["total_tests"], result["passed_tests"], result["failed_tests"]) == (2, 1, 1)
    (failure,) = result["failures"]
    assert (failure["type"], failure["test_name"]) == ("ERROR", "(collection)")
    assert (failure["test_class"], failure["module"]) == ("tests.test_a", "tests.test_a")
    assert failure["file_location"] == "tests/test_a.py:1"
    assert {row["name"]: row["success"] for row in result["modules"]} == {
        "tests.test_a": False,
        "test_b": True,
    }
    assert b'classname="tests.test_a" name="(collection)"' in to_junit(result)


def test_a_report_of_a_part_of_the_tests_says_so(plan_of):
    result = result_of(plan_of("pytest", {"test_b.py": "def test_b(): pass\n"}))

    assert "Pattern:  test_b*.py (not all tests ran)" in text_report(result, [], "test_b*.py")
    assert "Pattern" not in text_report(result, [])


SUITE = """
import unittest
from pkg.inner import value

def setUpModule(): pass

class T(unittest.TestCase):
    def test_good(self): self.assertEqual(value(), 1)
    def test_bad(self): self.assertEqual(value(), 2)
    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number): self.assertLess(number, 1)
    @unittest.skip("not now")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()

class NotSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("no room")
    def test_it(self): pass
"""


def test_unittest_tells_module_class_and_outcome_as_the_document_does(plan_of):
    files = {"pkg/__init__.py": "", "pkg/inner.py": "def value(): return 1\n", "tests/test_it.py": SUITE}

    result = result_of(plan_of("unittest", files))

    assert {test["name"]: test["outcome"] for test in result["tests"]} == {
        "tests.test_it.T::test_good": "passed",
        "tests.test_it.T::test_bad": "failed",
        "tests.test_it.T::test_parts": "failed",
        "tests.test_it.T::test_skipped": "skipped",
        "tests.test_it.T::test_expected": "passed",
        "tests.test_it.NotSetUp::(setUpClass)": "error",
    }
    assert [row["name"] for row in result["modules"]] == ["tests.test_it"]
    assert {failure["module"] for failure in result["failures"]} == {"tests.test_it"}
    assert {failure["test_class"] for failure in result["failures"]} == {
        *("tests.test_it.T", "tests.test_it.NotSetUp"),
    }


OWN = """
import unittest
from top.inner import Own
from .. import Own as same

class T(unittest.TestCase):
    def test_it(self): self.assertIs(Own, same)
"""


def test_unittest_imports_a_package_below_src_under_its_own_name(plan_of):
    files = {
        "src/top/inner/__init__.py": "class Own: pass\n",  # `top` is a namespace
        "src/top/inner/tests/__init__.py": "",
        "src/top/inner/tests/test_own.py": OWN,
    }
    plan = plan_of("unittest", files)

    assert [test["name"] for test in result_of(plan)["tests"]] == ["top.inner.tests.test_own.T::test_it"]
    runs, there = run_named(plan, ["top.inner.tests.test_own.T::test_it"])
    assert there
    assert [case.outcome for made in runs for case in made.cases] == ["passed"]


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
@pytest.mark.parametrize("isolated", [True, False])
def test_a_process_that_ends_well_before_its_tests_did_is_no_success(plan_of, framework, isolated):
    quits = "import os, unittest\nclass T(unittest.TestCase):\n    def test_a(self): os._exit(0)\n"
    fine = "import unittest\nclass T(unittest.TestCase):\n    def test_b(self): pass\n"

    result = result_of(plan_of(framework, {"test_a.py": quits, "test_b.py": fine}, isolated=isolated))

    assert (result["success"], result["passed_tests"], result["failed_tests"]) == (False, 1, 1)
    (failure,) = result["failures"]
    assert failure["module"] == "test_a"
    assert "with exit code 0, before its tests had" in failure["traceback"]
    if framework == "pytest":
        assert "ended in test_a.py::T::test_a" in failure["traceback"]


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
def test_a_module_with_a_syntax_error_names_its_place(plan_of, framework):
    plan = plan_of(framework, {"tests/test_a.py": "ok = 1\nsyntax error(\n"})

    result = result_of(plan)

    (failure,) = result["failures"]
    assert (failure["module"], failure["test_name"]) == ("tests.test_a", "(collection)")
    assert failure["file_location"] == "tests/test_a.py:2"
    runs, there = run_named(plan, [result["tests"][0]["name"]])
    assert there == {case.nodeid for made in runs for case in made.cases}, "the search can run it again"
