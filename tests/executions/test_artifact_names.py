"""Which job an artifact is of, by nothing but names."""

import pytest

from executions.artifact_names import is_wanted, job_of, python_version
from executions.models.synced import PATTERNS

UBUNTU, MAC = "test (ubuntu-latest, 3.11)", "test (macos-latest, 3.11)"
NEWER = "test (ubuntu-latest, 3.12)"


@pytest.mark.parametrize(
    ("name", "jobs", "patterns", "expected"),
    [
        ("whatever", ["build"], [], "build"),
        ("test-results-ubuntu-latest-3.11", [UBUNTU, MAC, NEWER], [], UBUNTU),
        ("results_3.12_ubuntu-latest", [UBUNTU, MAC, NEWER], [], NEWER),
        ("junit-py311-macos-latest", [UBUNTU, MAC, NEWER], [], MAC),
        ("junit-python-3.11-macos-latest.xml", [UBUNTU, MAC, NEWER], [], MAC),
        ("results-3.1", ["test (3.1)", "test (3.11)"], [], "test (3.1)"),
        ("results-3.11", ["test (3.1)", "test (3.11)"], [], "test (3.11)"),
        ("results-3.11", ["test (3.11)", "lint (3.11)"], [], None),
        ("lint-results-3.11", ["test (3.11)", "lint (3.11)"], [], "lint (3.11)"),
        ("unit-results", ["unit", "browser"], [], "unit"),
        ("unit-tests-report", ["unit tests", "unit"], [], "unit tests"),
        ("results", ["unit", "browser"], [], None),
        ("results-3.11", [UBUNTU, MAC], [], None),
        ("out-browser", ["out", "browser"], ["out-{job}"], "browser"),
        ("unit-junit", ["ci / unit", "ci / lint"], [], "ci / unit"),
        ("results", [], [], None),
    ],
)
def test_a_name_tells_its_job_or_none(name, jobs, patterns, expected):
    found = job_of(name, jobs, patterns)

    assert (None if found is None else jobs[found]) == expected


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("test-results-linux", PATTERNS, True),
        ("JUnit", PATTERNS, True),
        ("docker-image", PATTERNS, False),
        ("a[1]", ["a[1]"], True),
        ("a1", ["a[1]"], False),
        ("out-x", ["out-{job}"], True),
        ("out-", ["out-{job}"], False),
        ("x", [], False),
    ],
)
def test_names_with_reports_are_told_by_patterns(name, patterns, expected):
    assert is_wanted(name, patterns) is expected


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (UBUNTU, "3.11"),
        ("py313 on windows", "3.13"),
        ("build", ""),
        ("tests (node 20)", ""),
        ("x (3.12.1)", "3.12.1"),
    ],
)
def test_a_job_s_name_may_tell_its_python(job, expected):
    assert python_version(job) == expected
