"""`go test -json` and TAP: formats of one line after another, with what else stands between them."""

import io
import json

import pytest

from executions.reports.base import UnreadableReport
from executions.reports.reading import open_reports
from tests.executions.reports.reading import outcomes, read_all


def go(*events):
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in events) + "\n"


def ran(test, action="pass", package="shop/cart"):
    return {"Action": action, "Package": package, "Test": test, "Elapsed": 0.1}


END = {"Action": "pass", "Package": "shop/cart", "Elapsed": 0.2}
BUILD_FAILED = "FAIL\tshop/till [build failed]"


@pytest.mark.parametrize("lines", [[ran("TestA"), BUILD_FAILED, END], [BUILD_FAILED, ran("TestA"), END]])
def test_a_package_that_was_not_built_is_a_failure_of_no_test(lines):
    facts, rows = read_all(go(*lines))

    assert outcomes(rows) == [("TestA", "passed", 1)]
    assert facts.failures_outside_cases == 1
    assert facts.problems == [
        "The package shop/till could not be tested (build failed): none of its tests ran."
    ]


def test_what_a_compiler_writes_between_is_left_out_and_said():
    compiler = ["# shop/till", "till/till_test.go:3:27: undefined: total", BUILD_FAILED]

    facts, rows = read_all(go(*compiler, ran("TestA", "fail"), {**END, "Action": "fail"}))

    assert outcomes(rows) == [("TestA", "failed", 1)]
    assert "Line 1 and 1 more are none of `go test -json` and left out: # shop/till" in facts.problems


def test_a_line_that_was_cut_is_no_other_line():
    with pytest.raises(UnreadableReport, match="Line 2 is not JSON"):
        read_all(go(ran("TestA"), '{"Action":"pass","Pack', END))


def test_lines_of_nothing_but_a_compiler_are_no_report():
    with pytest.raises(UnreadableReport, match="unknown"):
        list(open_reports(io.BytesIO(b"# shop/till\ntill_test.go:3: undefined: total\n")))


def test_a_run_that_bailed_out_was_cut_off():
    facts, rows = read_all("TAP version 13\n1..3\nok 1 - a\nBail out! no database\n")

    assert (outcomes(rows), facts.is_cut_off) == ([("a", "passed", 1)], True)
    assert facts.problems == ["The run was ended early: Bail out! no database"]


def test_subtests_are_part_of_their_test_and_that_is_said():
    facts, rows = read_all(
        "TAP version 14\n1..2\nok 1 - cart # time=25ms {\n    1..2\n    ok 1 - adds\n    ok 2 - removes\n}\n"
        "ok 2 - till\n"
    )

    assert [(row.nodeid, row.duration) for row in rows] == [("cart", 0.025), ("till", None)]
    assert facts.problems == ["2 subtests stand indented below other tests and are counted with those."]


def test_a_stream_with_more_tests_than_planned_is_kept_and_that_is_said():
    facts, rows = read_all("1..1\nok 1 - a\nnot ok 2 - b\n")

    assert [row.outcome for row in rows] == ["passed", "failed"]
    assert facts.problems == ["The report plans 1 tests and has 2; all of them are kept."]
