"""Pages of the history of tests: what they say, what they link, and that they never cost more."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.exclusion import settle_exclusions
from executions.ingest import ingest_report
from executions.models import TestCase
from tests.factories import make_project
from tracking.curation import exclude
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 4, 9, 30, tzinfo=UTC)
BAD = '<failure message="assert 1 == 2 &lt;script&gt;">Traceback</failure>'


def report(project, bodies, *, minutes=0, space="ci", **told):
    cases = "".join(
        f'<testcase classname="shop.cart" name="{name}" time="0.25">{body}</testcase>'
        for name, body in bodies.items()
    )
    at = AT + timedelta(minutes=minutes)
    content = f'<testsuite timestamp="{at:%Y-%m-%dT%H:%M:%S}">{cases}</testsuite>'
    return ingest_report(
        io.BytesIO(content.encode()),
        project=project,
        now=at + timedelta(minutes=1),
        space=space,
        name="junit.xml",
        test_run_id=f"{space}-{minutes}-1",
        **told,
    )


@pytest.fixture
def history(project):
    for minutes, body in enumerate(["", BAD, "", BAD, ""]):
        report(project, {"total": body, "empty": ""}, minutes=minutes, commit="a" * 40)
    report(project, {"total": "", "broken": BAD}, minutes=50, space="local")
    return project


def text_of(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_test_is_found_by_any_part_of_its_name(client, viewer, history):
    found = text_of(client.get("/tests/?q=CART tot"))

    assert "shop.cart::total" in found
    assert "shop.cart::empty" not in found
    assert "No test has “nothing”" in text_of(client.get("/tests/?q=nothing"))


def test_one_test_shows_each_run_of_it_with_what_failed(client, viewer, history):
    case = TestCase.objects.get(nodeid="shop.cart::total")

    shown = text_of(client.get(f"/tests/{case.pk}/"))

    assert "passed and failed on the same code" in shown
    assert "assert 1 == 2 &lt;script&gt;" in shown
    assert "<script>assert" not in shown
    for run in ("ci-0-1", "ci-4-1", "local-50-1"):
        assert f"/runs/{run}/" in shown


def test_a_run_that_was_left_out_is_shown_as_not_counted(client, viewer, history):
    case = TestCase.objects.get(nodeid="shop.cart::broken")
    run = TestRun.objects.get(test_run_id="local-50-1")
    exclude(run, "the disk was full", by="ada", now=AT)
    assert len(list(settle_exclusions())) == 1

    shown = text_of(client.get(f"/tests/{case.pk}/"))
    statistics = client.get(f"/api/v1/test-cases/{case.pk}/statistics/").json()

    assert "not counted" in shown
    assert "the disk was full" in shown
    assert statistics["all"]["runs"] == 0
    assert "shop.cart::broken" not in text_of(client.get("/tests/flaky/"))


def test_flaky_and_broken_tests_are_told_apart(client, viewer, history):
    shown = text_of(client.get("/tests/flaky/"))
    flaky, broken = shown.split("fail run after run")

    assert "shop.cart::total" in flaky
    assert "2 " in flaky
    assert "shop.cart::broken" in broken
    assert "shop.cart::total" not in broken


def test_a_desk_is_put_beside_ci(client, viewer, history):
    shown = text_of(client.get("/spaces/"))

    assert "shop.cart::total" in shown
    assert "40 %" in shown
    assert "not enough data" in shown


def test_a_run_shows_its_failed_tests_first(client, viewer, history):
    shown = text_of(client.get("/runs/ci-1-1/"))

    assert shown.index("shop.cart::total") < shown.index("shop.cart::empty")
    assert "1 passed, 1 failed" in shown


def test_what_was_refused_is_listed_with_the_reason(client, viewer, project):
    with pytest.raises(Exception, match="format is unknown"):
        ingest_report(io.BytesIO(b"hello"), project=project, now=AT, name="a.txt", triggered_by="ada")

    shown = text_of(client.get("/uploads/"))

    assert "refused" in shown
    assert "The format is unknown" in shown
    assert "ada" in shown


@pytest.mark.parametrize("path", ["/tests/", "/tests/flaky/", "/spaces/", "/uploads/"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_table_can_be_downloaded(client, viewer, history, path, form):
    answer = client.get(path, {"format": form})

    content = b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    assert "shop.cart::total" in content or "junit.xml" in content


@pytest.mark.parametrize(
    "path", ["/tests/", "/tests/flaky/", "/spaces/", "/uploads/", "/tests/{case}/", "/runs/ci-1-1/"]
)
def test_pages_ask_as_often_for_many_tests_as_for_few(client, viewer, history, path):
    path = path.format(case=TestCase.objects.get(nodeid="shop.cart::total").pk)
    counts = []
    for turn in range(2):
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        counts.append(len(queries))
        bodies = {f"t{turn}-{number}": BAD if number % 3 else "" for number in range(40)}
        for space in ("ci", "local"):
            report(history, bodies, minutes=100 + turn, space=space)
            report(history, dict.fromkeys(bodies, ""), minutes=200 + turn, space=space)

    assert counts[0] == counts[1]


def test_tests_of_another_project_do_not_exist(client, viewer):
    report(make_project("other"), {"secret": ""})

    assert client.get(f"/tests/{TestCase.objects.get().pk}/").status_code == 404
    assert "secret" not in text_of(client.get("/tests/"))
