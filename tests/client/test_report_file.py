"""A report that was cut anywhere is ended so that every whole line of it counts."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtrail.masking import Mask
from runtrail.recording import Recorder
from runtrail.report_file import ReportFile, Totals, close_orphan, read_header


class Report:
    """A phase as pytest reports it."""

    def __init__(self, nodeid, when, outcome="passed"):
        self.nodeid, self.when, self.outcome = nodeid, when, outcome
        self.location, self.duration, self.longrepr, self.sections = ("test_a.py", 1, "x"), 0.25, None, []


def written(path, tests=3):
    """A file of a session in which `tests` ended and one more runs."""
    file = ReportFile(path)
    file.write({"type": "session", "format": "runtrail-report", "version": 1})
    recorder = Recorder(file, Mask({}), lambda nodeid: [])
    for number in range(tests + 1):
        nodeid = f"test_a.py::test_{number}[ü]"
        recorder.begin(nodeid, ("test_a.py", 1, "x"), 1000.0)
        if number < tests:
            for when in ("setup", "call", "teardown"):
                recorder.add(Report(nodeid, when, "failed" if (number, when) == (1, "call") else "passed"))
    file.close()
    return path


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_the_test_that_ran_is_named_at_the_end(tmp_path):
    path = written(tmp_path / "a.jsonl")

    assert close_orphan(path)

    found = lines(path)
    assert [line["type"] for line in found] == ["session", "test", "test", "test", "end"]
    assert found[-1]["cut_off"] is True
    assert found[-1]["running"] == ["test_a.py::test_3[ü]"]
    assert (found[-1]["totals"]["passed"], found[-1]["totals"]["failed"]) == (2, 1)


def test_ending_it_twice_changes_nothing(tmp_path):
    path = written(tmp_path / "a.jsonl")
    close_orphan(path)
    before = path.read_bytes()

    assert close_orphan(path)
    assert path.read_bytes() == before


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_cut_at_any_byte_every_whole_line_stays(tmp_path_factory, data):
    whole = written(tmp_path_factory.mktemp("cut") / "a.jsonl").read_bytes()
    kept = whole[: data.draw(st.integers(0, len(whole)))]
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    path.write_bytes(kept)

    ended = close_orphan(path)

    whole_lines = kept[: kept.rfind(b"\n") + 1]
    assert ended == bool(whole_lines)
    if ended:
        assert path.read_bytes().startswith(whole_lines)
        assert lines(path)[-1]["type"] == "end"
        assert lines(path)[-1]["totals"]["attempts"] == whole_lines.count(b'"outcome"')


def test_a_file_that_is_being_written_is_left_alone(tmp_path):
    file = ReportFile(tmp_path / "a.jsonl")
    file.write({"type": "session"})

    assert not close_orphan(file.path)

    file.close()
    assert close_orphan(file.path)


def test_another_line_within_a_begun_one_breaks_neither(tmp_path):
    file = ReportFile(tmp_path / "a.jsonl")
    file.write({"type": "session"})
    recorder = Recorder(file, Mask({}), lambda nodeid: [])
    recorder.begin("test_a.py::test_a", ("test_a.py", 0, "x"), 1.0)
    recorder.problem("warning", "something else")
    for when in ("setup", "call", "teardown"):
        recorder.add(Report("test_a.py::test_a", when))
    file.close()

    assert [line["type"] for line in lines(file.path)] == ["session", "problem", "test"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("a", "failed", False), ("a", "passed", True)], "passed"),
        ([("a", "passed", True), ("a", "failed", True)], "failed"),
        ([("a", "failed", True), ("a", "passed", True)], "failed"),
        ([("a", "error", False), ("a", "failed", False), ("a", "skipped", True)], "skipped"),
        ([("a", "failed", True), ("a", "error", True)], "error"),
    ],
)
def test_tries_count_by_the_last_and_duplicates_by_the_worst(told, expected):
    totals = Totals()
    for line in told:
        totals.add(*line)

    assert totals.as_dict()[expected] == totals.as_dict()["cases"] == 1
    assert totals.attempts == len(told)


@pytest.mark.parametrize("text", ["", "<testsuites/>", "[]", '{"format": "other"}', "\x00\xff"])
def test_other_files_have_no_header(tmp_path, text):
    path = tmp_path / "a"
    path.write_text(text)

    assert read_header(path) == {}
