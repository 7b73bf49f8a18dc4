"""What pytest's own reports say: phases, re-runs, expected failures, subtests, collections."""

import json

import pytest

from executions.reports.base import UnreadableReport
from tests.executions.reports.reading import outcomes, read_all

A = "tests/test_a.py::test_x"


def phase(when, outcome="passed", nodeid=A, duration=0.1, **more):
    line = {"nodeid": nodeid, "when": when, "outcome": outcome, "duration": duration, "longrepr": None}
    return {**line, "location": [nodeid.partition("::")[0], 4, "x"], "$report_type": "TestReport", **more}


def log(*lines, end=True):
    start = {"pytest_version": "8.3.5", "$report_type": "SessionStart"}
    finish = [{"exitstatus": 1, "$report_type": "SessionFinish"}] if end else []
    return "\n".join(json.dumps(line) for line in [start, *lines, *finish])


def trial(*outcomes, **more):
    return [
        phase(when, outcome, **more)
        for when, outcome in zip(("setup", "call", "teardown"), outcomes, strict=True)
    ]


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (trial("passed", "passed", "passed"), "passed"),
        (trial("passed", "failed", "passed"), "failed"),
        (trial("passed", "passed", "failed"), "error"),
        (trial("passed", "failed", "failed"), "error"),
        ([phase("setup", "failed"), phase("teardown")], "error"),
        ([phase("setup", "skipped"), phase("teardown")], "skipped"),
        ([phase("setup"), phase("call", "skipped", wasxfail="known"), phase("teardown")], "xfailed"),
        ([phase("setup"), phase("call", "passed", wasxfail="known"), phase("teardown")], "xpassed"),
        ([phase("setup"), phase("???", "failed", longrepr="worker crashed")], "failed"),
    ],
)
def test_phases_make_one_outcome(lines, outcome):
    facts, rows = read_all(log(*lines))

    assert outcomes(rows) == [(A, outcome, 1)]
    assert facts.cases == {outcome: 1}


def test_durations_are_of_all_phases_and_of_the_call():
    _, rows = read_all(
        log(phase("setup", duration=1), phase("call", duration=2), phase("teardown", duration=4))
    )

    assert (rows[0].duration, rows[0].call_duration) == (7.0, 2.0)
    assert (rows[0].file, rows[0].line) == ("tests/test_a.py", 5)


def test_a_frozen_clock_does_not_spoil_the_sum():
    lines = [phase("setup", duration=1.3e9), phase("call", duration=0.25), phase("teardown", duration=-1.3e9)]

    assert read_all(log(*lines))[1][0].duration == 0.25


def test_reruns_are_tries_even_when_other_tests_run_between_them():
    other = "tests/test_a.py::test_y"
    lines = [phase("setup"), phase("setup", nodeid=other), phase("call", "rerun", longrepr="E   no")]
    lines += [phase("teardown"), phase("call", nodeid=other), phase("teardown", nodeid=other)]
    lines += trial("passed", "passed", "passed")

    facts, rows = read_all(log(*lines))

    assert outcomes(rows) == [(other, "passed", 1), (A, "failed", 1), (A, "passed", 2)]
    assert rows[1].message == "no"
    assert facts.elements == {"passed": 2}
    assert (facts.retried, facts.attempts, facts.total) == (1, 3, 2)


def test_a_failed_subtest_fails_its_test():
    sub = phase("call", "failed", longrepr="E   1 != 2") | {"$report_type": "SubTestReport"}

    facts, rows = read_all(log(phase("setup"), sub, phase("call"), phase("teardown")))

    assert [(row.outcome, row.message) for row in rows] == [("failed", "1 != 2")]
    assert facts.elements == {"failed": 1, "passed": 1}


def test_a_module_that_can_not_be_imported_is_an_error_and_one_that_skips_itself_is_skipped():
    bad = {
        "nodeid": "tests/test_bad.py",
        "outcome": "failed",
        "longrepr": "E   ImportError: no",
        "$report_type": "CollectReport",
    }
    skip = {"nodeid": "tests/test_s.py", "outcome": "skipped", "longrepr": ["p", 2, "Skipped: why"]}

    facts, rows = read_all(log(bad, skip | {"$report_type": "CollectReport"}))

    assert [(row.nodeid, row.outcome, row.message) for row in rows] == [
        ("tests/test_bad.py", "error", "ImportError: no"),
        ("tests/test_s.py", "skipped", "why"),
    ]
    assert facts.exit_code == 1


def test_a_log_without_its_end_is_refused():
    with pytest.raises(UnreadableReport, match="cut off"):
        read_all(log(*trial("passed", "passed", "passed"), end=False))


def test_a_test_that_was_interrupted_has_no_outcome_and_is_said():
    facts, rows = read_all(log(phase("setup")))

    assert rows == []
    assert facts.problems == [f"{A} began and did not end; it has no outcome."]


def json_report(tests, **more):
    return json.dumps({"created": 1767519000.0, "exitcode": 1, "summary": {}, **more, "tests": tests})


def json_test(outcome, **phases):
    whole = {
        name: {"duration": 0.1, "outcome": "passed"} | phases.get(name, {})
        for name in ("setup", "call", "teardown")
    }
    return {"nodeid": A, "lineno": 4, "outcome": outcome, **whole}


@pytest.mark.parametrize("outcome", ["passed", "failed", "error", "skipped", "xfailed", "xpassed"])
def test_pytest_json_report_tells_the_outcome(outcome):
    facts, rows = read_all(json_report([json_test(outcome)]))

    assert outcomes(rows) == [(A, outcome, 1)]
    assert (rows[0].line, facts.exit_code) == (5, 1)
    assert rows[0].duration == pytest.approx(0.3)
    assert facts.started_at.isoformat() == "2026-01-04T09:30:00+00:00"


def test_a_rerun_in_pytest_json_report_hides_how_often_so_one_failure_is_kept():
    facts, rows = read_all(json_report([json_test("rerun")]))

    assert outcomes(rows) == [(A, "failed", 1), (A, "passed", 2)]
    assert facts.retried == 1


def test_pytest_json_report_keeps_the_texts_of_a_failure():
    call = {"outcome": "failed", "crash": {"message": "boom"}, "longrepr": "trace", "stdout": "out"}

    _, rows = read_all(json_report([json_test("failed", call=call)]))

    assert (rows[0].message, rows[0].details, rows[0].stdout) == ("boom", "trace", "out")


def test_collections_of_pytest_json_report_that_failed_are_errors():
    collectors = [{"nodeid": "tests/test_bad.py", "outcome": "failed", "longrepr": "E   no"}]

    _, rows = read_all(json_report([], collectors=collectors))

    assert outcomes(rows) == [("tests/test_bad.py", "error", 1)]


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_pytest_json_report_cut_off_is_refused(cut):
    with pytest.raises(UnreadableReport, match="too early"):
        read_all(json_report([json_test("passed")] * 3)[:-cut])


@pytest.mark.parametrize(
    ("told", "outcome", "problems"),
    [
        ("XFAILED", "xfailed", []),
        (None, "error", ["The outcome 'None' is unknown and its test has no phases: it counts as an error."]),
    ],
)
def test_an_outcome_of_pytest_is_read_in_any_case_and_never_guessed(told, outcome, problems):
    facts, rows = read_all(json.dumps({"exitcode": 0, "tests": [{"nodeid": "a.py::t", "outcome": told}]}))

    assert ([row.outcome for row in rows], facts.problems) == ([outcome], problems)
