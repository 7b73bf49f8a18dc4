"""Real reports of many runners: what is counted agrees with what their producers say."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from executions.reports.base import UnreadableReport
from executions.reports.reading import open_reports
from tests.shared_data import shared_folder

READ = {"junit", "ctrf", "trx", "xunit.net", "nunit2", "nunit3", "go-test-json"}
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def samples(area, wanted):
    index = SHARED / "index.csv"
    if not index.exists():
        return [pytest.param(None, id="no real inputs")]
    with index.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["area"] == area and wanted(row)]
    return [pytest.param(row, id=row["file"][-60:]) for row in rows]


def read_sample(sample):
    shared_folder("results")
    path = SHARED / sample["file"]
    with path.open("rb") as stream:
        reports = [(facts, list(rows)) for facts, rows in open_reports(stream, name=path.name)]
    return reports[0]


def counts_of(facts):
    seen = facts.elements
    return seen.total(), seen["failed"], seen["error"], seen["skipped"] + seen["xfailed"]


@pytest.mark.parametrize("sample", samples("results", lambda row: row["format"] in READ))
def test_counts_of_a_sample_are_its_producers(sample):
    facts, rows = read_sample(sample)

    stated = ("n_cases", "n_failures", "n_errors", "n_skipped")
    assert counts_of(facts) == tuple(int(sample[name] or 0) for name in stated)
    assert facts.total + facts.duplicates == len([row for row in rows if row.is_final])
    if sample["seconds"] and float(sample["seconds"]) >= 0:
        seconds = sum(row.duration or 0 for row in rows if row.is_final)
        assert seconds == pytest.approx(float(sample["seconds"]), abs=1e-3)


@pytest.mark.parametrize("sample", samples("suites", lambda row: row["format"] == "junit"))
def test_counts_of_a_real_suites_junit_are_its_producers(sample):
    facts, _ = read_sample(sample)

    stated = ("n_cases", "n_failures", "n_errors", "n_skipped")
    assert counts_of(facts) == tuple(int(sample[name] or 0) for name in stated)


@pytest.mark.parametrize(
    "sample", samples("results", lambda row: row["format"] not in READ | {"tap", "allure-results (zip)"})
)
def test_what_is_no_known_report_is_refused_in_words(sample):
    with pytest.raises(UnreadableReport, match=r"\w{3}.* .*\."):
        read_sample(sample)


def runs():
    found = sorted(SHARED.glob("suites/*/*/truth.json"))
    pytest_runs = [path.parent for path in found if (path.parent / "reportlog.jsonl.gz").exists()]
    return [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in pytest_runs] or [None]


def read_suite(folder, name):
    with gzip.open(folder / f"{name}.gz") as stream:
        ((facts, rows),) = [(facts, list(rows)) for facts, rows in open_reports(stream, name=name)]
    return facts, rows


@pytest.mark.parametrize("folder", runs())
@pytest.mark.parametrize("name", ["junit.xml", "pytest-json-report.json", "reportlog.jsonl"])
def test_counts_of_a_real_run_are_those_of_pytests_last_line(folder, name):
    shared_folder("suites")
    said = json.loads((folder / "truth.json").read_text())["counts"]

    facts, _ = read_suite(folder, name)

    wanted = {"passed": said.get("passed", 0), "failed": said.get("failed", 0)}
    wanted |= {"error": said.get("error", said.get("errors", 0)), "skipped": said.get("skipped", 0)}
    assert facts.cases == Counter({word: count for word, count in wanted.items() if count})
    assert (facts.unplaced, facts.duplicates) == (0, 0)


@pytest.mark.parametrize("folder", runs())
def test_a_run_has_the_same_tests_whoever_reports_it(folder):
    shared_folder("suites")
    wanted = {(row.nodeid, row.junit_key): row.outcome for row in read_suite(folder, "reportlog.jsonl")[1]}

    for name in ("junit.xml", "pytest-json-report.json"):
        rows = read_suite(folder, name)[1]
        assert {(row.nodeid, row.junit_key): row.outcome for row in rows} == wanted


@pytest.mark.parametrize("folder", runs())
def test_ctrf_of_a_run_has_what_its_producer_put_in(folder):
    shared_folder("suites")
    if not (folder / "ctrf.json.gz").exists():
        return
    truth = json.loads((folder / "truth.json").read_text())["ctrf"]
    known = {row.nodeid for row in read_suite(folder, "reportlog.jsonl")[1]}

    facts, rows = read_suite(folder, "ctrf.json")

    assert facts.cases == Counter(truth["by"])
    assert {row.nodeid for row in rows} <= known
