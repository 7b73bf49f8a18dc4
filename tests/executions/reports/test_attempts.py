"""Tries of one test and names that come twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from executions.reports.attempts import Ledger, Tries, counted, worst
from executions.reports.base import WORST_FIRST, CaseOutcome, ReportFacts
from tests.executions.reports.reading import outcomes, read_all


def pytest_junit(*cases):
    return f'<testsuites><testsuite name="pytest">{"".join(cases)}</testsuite></testsuites>'


def case(name, inside="", time="0.1"):
    return f'<testcase classname="tests.test_a" name="{name}" time="{time}">{inside}</testcase>'


def test_a_try_that_was_run_again_did_not_pass_although_its_element_looks_so():
    facts, rows = read_all(pytest_junit(case("test_x"), case("test_y"), case("test_x"), case("test_x")))

    assert outcomes(rows) == [
        ("tests/test_a.py::test_x", "failed", 1),
        ("tests/test_a.py::test_x", "failed", 2),
        ("tests/test_a.py::test_x", "passed", 3),
        ("tests/test_a.py::test_y", "passed", 1),
    ]
    assert rows[0].message == "failed and was run again"
    assert (facts.cases, facts.attempts, facts.retried) == ({"passed": 2}, 4, 1)
    assert facts.elements == {"passed": 4}


def test_a_test_that_fails_to_the_end_keeps_every_try():
    facts, rows = read_all(pytest_junit(case("test_x"), case("test_x", '<failure message="no"/>')))

    assert [(row.outcome, row.is_final, row.message) for row in rows] == [
        ("failed", False, "failed and was run again"),
        ("failed", True, "no"),
    ]
    assert facts.cases == {"failed": 1}


def test_a_failure_and_an_error_in_teardown_are_one_try():
    cases = [case("test_x", '<failure message="no">1</failure>')]
    cases.append(
        case("test_x", '<error message="failed on teardown with &quot;E&quot;">2</error>', time="0.2")
    )

    facts, rows = read_all(pytest_junit(*cases))

    assert outcomes(rows) == [("tests/test_a.py::test_x", "error", 1)]
    assert rows[0].message == "no"
    assert rows[0].duration == 0.30000000000000004
    assert facts.cases == {"error": 1}


def test_equal_tests_of_two_sessions_in_one_file_are_duplicates_and_no_tries():
    suite = (
        '<testsuite name="pytest"><testcase classname="tests.test_a" name="test_x">{}</testcase></testsuite>'
    )

    facts, rows = read_all(f"<testsuites>{suite.format('<failure/>')}{suite.format('')}</testsuites>")

    assert [(row.outcome, row.is_final, row.is_duplicate) for row in rows] == [
        ("failed", True, False),
        ("passed", True, True),
    ]
    assert facts.cases == {"failed": 1}


def test_tests_wait_for_their_next_try_in_a_window_and_no_longer():
    tries = Tries(window=10)
    rows = [CaseOutcome(f"t{number % 11}", "passed") for number in range(12)]

    given_out = [row for row in rows for row in tries.add(row)]
    rest = list(tries.rest())

    assert [row.nodeid for row in given_out] == ["t0", "t1"]
    assert len(rest) == 10


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(WORST_FIRST)), max_size=200))
def test_cases_are_counted_by_their_worst_final_outcome(pairs):
    facts = ReportFacts("junit")

    rows = list(counted([CaseOutcome(f"t{number}", outcome) for number, outcome in pairs], facts))

    expected = {}
    for number, outcome in pairs:
        expected[number] = worst(expected.get(number, outcome), outcome)
    assert facts.cases == Counter(expected.values())
    assert facts.duplicates == len(pairs) - len(expected)
    assert sum(row.is_duplicate for row in rows) == facts.duplicates
    assert facts.attempts == len(pairs)


def test_the_ledger_knows_many_names_in_little_memory():
    ledger = Ledger()

    assert all(ledger.settle(("", f"test {number}"), "passed") is None for number in range(50_000))
    assert all(ledger.settle(("", f"test {number}"), "failed") == "passed" for number in range(50_000))
    assert len(ledger._words) * 8 / 50_000 < 24
