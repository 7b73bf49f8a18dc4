"""What several files of one upload, and what stands beside the tests, make of a run."""

import io
import zipfile

import pytest

from executions.models import CaseStatistics, Outcome, Result, SameCode
from executions.models.results import Flag
from executions.recount import recount
from executions.staging import TooManyCases
from tests.executions.test_reports_come_in import FAILED, counts, junit, send

pytestmark = pytest.mark.django_db


def test_a_test_that_two_files_of_a_zip_name_is_one_test_with_the_worst_outcome():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("till/two.xml", junit("a", "b", "c"))
        archive.writestr("till/one.xml", junit(("a", FAILED), "b"))

    report = send(packed.getvalue())

    assert counts(report) == {"total": 3, "passed": 2, "failed": 1, "error": 0, "skipped": 0}
    assert report.attempts == 5
    assert report.run.reason == "1 of 3 tests failed."


def bazel(**targets):
    """A zip of Bazel's folder: of each target its tries, the last one in `test.xml`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for target, (*earlier, last) in targets.items():
            archive.writestr(f"{target}/test.xml", last)
            for number, content in reversed(list(enumerate(earlier, 1))):
                archive.writestr(f"{target}/test_attempts/attempt_{number}.xml", content)
    return packed.getvalue()


def test_the_last_try_of_a_bazel_target_decides_and_does_not_hide_those_before():
    report = send(
        bazel(
            till=[junit(("a", FAILED), "b"), junit(("a", "<error/>"), "b"), junit("a", "b", "c")],
            shop=[junit("x"), junit(("x", FAILED))],
            bank=[junit(("only", FAILED))],
        ),
        tree_hash="a" * 40,
    )

    assert counts(report) == {"total": 5, "passed": 3, "failed": 2, "error": 0, "skipped": 0}
    assert report.attempts == 10
    assert report.run.reason == "2 of 5 tests failed."
    rows = Result.objects.filter(case__nodeid="m::a").order_by("attempt")
    assert [Outcome(row.outcome).word for row in rows] == ["failed", "error", "passed"]
    assert [bool(row.flags & Flag.DECIDES) for row in rows] == [False, False, True]
    figures = {row.case.nodeid: (row.runs, row.passed) for row in CaseStatistics.objects.all()}
    assert figures["m::a"] == (1, 1)
    assert figures["m::x"] == (1, 0)
    proof = SameCode.objects.get(case__nodeid="m::a")
    assert (proof.failures, proof.passes) == (1, 1), "failed and passed on one code"
    assert list(recount(report.project)) == []


@pytest.mark.parametrize(("inside", "status"), [("", "error"), ("<error/>", "failed"), (FAILED, "failed")])
def test_an_error_outside_of_any_test_ends_a_run_only_where_no_test_says_more(inside, status):
    report = send(junit(("a", inside)).replace(b"</testsuite>", b"<error message='crash'/></testsuite>"))

    assert report.run.status == status


def test_the_limit_of_cases_holds_for_all_files_of_a_zip_together():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("one", "two"):
            archive.writestr(f"{name}.xml", junit(f"{name}a", f"{name}b"))

    with pytest.raises(TooManyCases):
        send(packed.getvalue(), most_cases=3)
