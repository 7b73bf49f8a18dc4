"""Real suites at two versions: what changed between two runs is what an independent count says."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from executions.comparison import compare_results
from executions.ingest import ingest_report
from executions.models import Result, TestCase
from executions.recount import recount
from tests.factories import make_project
from tests.shared_data import shared_folder

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JUNIT, JSON, LOG = "junit.xml.gz", "pytest-json-report.json.gz", "reportlog.jsonl.gz"
PROJECTS = ["idna", "itsdangerous", "jinja2", "markupsafe"]


def ingested(project, folder, name=JUNIT, *, number=0):
    with (folder / name).open("rb") as file:
        return ingest_report(file, project=project, name=name, now=NOW + timedelta(minutes=number)).run


def plain(names):
    """The truths write a test without a class with the separator before its name."""
    return [name.removeprefix("::") for name in names]


@pytest.mark.parametrize("name", PROJECTS)
def test_the_difference_of_two_runs_is_the_one_counted_elsewhere(name):
    suites = shared_folder("suites")
    project = make_project(name)
    runs = {
        folder.name: ingested(project, folder, number=number)
        for number, folder in enumerate(sorted((suites / name).glob("r*")))
    }
    keys = dict(TestCase.objects.values_list("pk", "junit_key"))
    truths = sorted((suites / "diffs").glob(f"{name}__*.json.gz"))
    assert len(truths) == 8

    for path in truths:
        truth = json.loads(gzip.decompress(path.read_bytes()))
        found = compare_results(runs[truth["before"]], runs[truth["after"]])
        names = {
            "new_failures": found.newly_failing,
            "fixed": found.fixed,
            "added": found.added,
            "removed": found.removed,
            "added_failing": found.added_failing,
            "still_failing": found.still_failing,
        }
        told = {kind: sorted(keys[change.case] for change in changes) for kind, changes in names.items()}
        assert told == {kind: sorted(plain(truth[kind])) for kind in names}, path.name
        assert found.compared == truth["common"]
        assert {keys[change.case] for change in found.slower} <= set(plain(truth["slower_min_10ms"]))


@pytest.mark.parametrize("name", PROJECTS)
@pytest.mark.parametrize("formats", [(JSON, LOG, JUNIT), (JUNIT, JSON, LOG)], ids=["nodeids", "junit"])
def test_two_versions_through_three_formats_are_one_history(name, formats):
    suites = shared_folder("suites")
    project = make_project(name)
    folders = [suites / name / label for label in ("r1-old-old", "r4-new-new")]
    for number, (folder, form) in enumerate((folder, form) for folder in folders for form in formats):
        ingested(project, folder, form, number=number)

    nodeids = set()
    for folder in folders:
        content = json.loads(gzip.decompress((folder / JSON).read_bytes()))
        nodeids |= {test["nodeid"] for test in content["tests"]}
    assert set(TestCase.objects.filter(project=project).values_list("nodeid", flat=True)) == nodeids
    assert Result.objects.deciding().filter(set__project=project).count() == sum(
        3
        * len({test["nodeid"] for test in json.loads(gzip.decompress((folder / JSON).read_bytes()))["tests"]})
        for folder in folders
    )
    assert list(recount(project, repair=False)) == []
