"""The report file of Runtrail's own plugin, as docs/report-format.md describes it."""

import json

import pytest

from executions.reports.base import UnreadableReport
from tests.executions.reports.reading import outcomes, read_all

SESSION = {
    "type": "session",
    "format": "runtrail-report",
    "version": 1,
    "session_id": "0b9c",
    "branch": "main",
}
SESSION |= {"runner": {"name": "pytest", "version": "8.3.5"}, "platform": "Linux", "python_version": "3.11.2"}
SESSION |= {"started_at": "2026-02-02T14:30:52Z", "ci": {"provider": "github"}}
END = {"type": "end", "exit_code": 1, "totals": {"cases": 1}}


def session(*lines, end=END, start=SESSION):
    return "\n".join(json.dumps(line) for line in [start, *lines, *([end] if end else [])])


def line(outcome="passed", nodeid="tests/test_a.py::test_x", **more):
    return {"type": "test", "nodeid": nodeid, "outcome": outcome, **more}


def test_a_line_is_a_try_with_all_that_is_known():
    test = line(
        "failed", duration=0.5, call=0.4, file="tests/test_a.py", line=12, markers=["slow"], message="no"
    )
    test |= {"traceback": "at", "started_at": 1770042652.1}
    test["output"] = [
        {"name": "Captured stdout call", "text": "out"},
        {"name": "Captured stderr call", "text": "err"},
    ]

    facts, rows = read_all(session(test))

    row = rows[0]
    assert (row.outcome, row.duration, row.call_duration, row.line, row.markers) == (
        "failed",
        0.5,
        0.4,
        12,
        ("slow",),
    )
    assert (row.message, row.details, row.stdout, row.stderr) == ("no", "at", "out", "err")
    assert row.junit_key == "tests.test_a::test_x"
    assert row.started_at.year == 2026
    assert facts.exit_code == 1
    assert facts.context["branch"] == "main"
    assert facts.context["ci_provider"] == "github"
    assert facts.metadata["python_version"] == "3.11.2"


def test_tries_stand_together_even_when_other_tests_were_reported_between():
    other = line(nodeid="tests/test_a.py::test_y")

    facts, rows = read_all(session(line("failed", final=False), other, line("passed", attempt=2)))

    assert outcomes(rows) == [
        ("tests/test_a.py::test_y", "passed", 1),
        ("tests/test_a.py::test_x", "failed", 1),
        ("tests/test_a.py::test_x", "passed", 2),
    ]
    assert facts.elements == {"passed": 2}


def test_a_session_that_was_killed_says_so_and_keeps_what_it_has():
    end = {"type": "end", "cut_off": True, "running": ["tests/test_a.py::test_z"]}

    facts, rows = read_all(session(line(), line("failed", "tests/test_a.py::test_y", final=False), end=end))

    assert facts.is_cut_off
    assert [(row.outcome, row.is_final) for row in rows] == [("passed", True), ("failed", True)]
    assert any("test_z began and did not end" in problem for problem in facts.problems)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (session(line(), end=None), "no end line"),
        (session(line(), END), "follows after the end"),
        (session(start=SESSION | {"version": 2}), "version 2"),
        (session({"type": "test", "nodeid": "x", "outcome": "odd"}), "Line 2"),
        (session({"type": "test", "outcome": "passed"}), "Line 2"),
    ],
)
def test_what_does_not_keep_to_the_format_is_refused(text, reason):
    with pytest.raises(UnreadableReport, match=reason):
        read_all(text)


def test_lines_and_keys_that_are_not_known_are_passed_over():
    facts, rows = read_all(
        session({"type": "later"}, line(odd=1), {"type": "problem", "kind": "warning", "text": "t"})
    )

    assert len(rows) == 1
    assert facts.problems == ["warning: t"]
