"""What several files of one upload, and what stands beside the tests, make of a run."""

import io
import zipfile

import pytest

from executions.staging import TooManyCases
from tests.executions.test_reports_come_in import FAILED, counts, junit, send

pytestmark = pytest.mark.django_db


def test_a_test_that_two_files_of_a_zip_name_is_one_test_with_the_worst_outcome():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("till/test.xml", junit("a", "b", "c"))
        archive.writestr("till/test_attempts/attempt_1.xml", junit(("a", FAILED), "b"))

    report = send(packed.getvalue())

    assert counts(report) == {"total": 3, "passed": 2, "failed": 1, "error": 0, "skipped": 0}
    assert report.attempts == 5
    assert report.run.reason == "1 of 3 tests failed."


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
