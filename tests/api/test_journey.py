"""A run over HTTP: started, filled, completed, read; and reports of every packing."""

import gzip
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.models import Report
from tests.factories import make_definition, make_ended_run, make_environment, make_run, make_workflow
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
JUNIT = b"""<testsuite><testcase classname="m" name="a" time="0.5"/>
<testcase classname="m" name="b"><failure message="no"/></testcase></testsuite>"""


def test_a_run_is_started_filled_in_pieces_and_completed(api, shop):
    definition = make_definition("checkout", project=shop, steps=[])
    make_environment("staging", project=shop)

    begun = api.post(
        "/api/v1/test-runs/",
        {"testDefinitionId": str(definition.pk), "environment": "staging", "metadata": {"build_no": "7"}},
        format="json",
    )
    assert begun.status_code == 201, begun.content
    run = begun.json()
    assert (run["status"], run["environment"], run["triggeredBy"]) == (
        "running",
        "staging",
        "token report token",
    )
    assert run["metadata"] == {"build_no": "7"}
    assert run["startedAt"].endswith("Z")
    where = f"/api/v1/test-runs/{run['testRunId']}/"

    for name, outcome in [("test_a", "passed"), ("test_b", "FAILED")]:
        result = [{"nodeid": f"tests/test_x.py::{name}", "outcome": outcome, "duration": 0.25}]
        sent = api.post(f"{where}executions/", result, format="json", HTTP_IDEMPOTENCY_KEY=name)
        again = api.post(f"{where}executions/", result, format="json", HTTP_IDEMPOTENCY_KEY=name)
        assert (sent.status_code, again.status_code) == (201, 201)
        assert sent.json() == again.json()
    assert api.get(where).json()["status"] == "running"

    ended = api.post(f"{where}complete/").json()
    assert (ended["status"], ended["reason"]) == ("failed", "1 of 2 tests failed.")
    assert ended["completedAt"]
    rows = api.get(f"/api/v1/test-runs/{run['id']}/executions/").json()["results"]
    assert [(row["nodeid"], row["outcome"]) for row in rows] == [
        ("tests/test_x.py::test_a", "passed"),
        ("tests/test_x.py::test_b", "failed"),
    ]


def test_a_run_without_results_that_is_completed_is_an_error(api, shop):
    definition = make_definition("checkout", project=shop, steps=[])
    make_environment("staging", project=shop)
    wanted = {"testDefinitionId": str(definition.pk), "environment": "staging"}
    run = api.post("/api/v1/test-runs/", [wanted, wanted], format="json").json()

    ended = api.post(f"/api/v1/test-runs/{run[0]['testRunId']}/complete/").json()

    assert (ended["status"], ended["reason"]) == ("error", "No test was reported.")
    assert len(run) == 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_report_is_stored_once_however_it_is_packed(api, pack):
    where = "/api/v1/reports/?branch=main&commit=" + "a" * 40
    first = api.generic("POST", where, pack(JUNIT), "application/octet-stream")
    again = api.generic("POST", where, JUNIT, "application/xml")

    assert (first.status_code, again.status_code) == (201, 200), first.content
    assert first.json()["id"] == again.json()["id"]
    told = first.json()
    assert {
        key: told[key] for key in ("format", "status", "total", "passed", "failed", "attempts", "unplaced")
    } == {
        "format": "junit",
        "status": "stored",
        "total": 2,
        "passed": 1,
        "failed": 1,
        "attempts": 2,
        "unplaced": 0,
    }
    assert told["duration"] == 0.5
    assert api.get(f"/api/v1/test-runs/{told['testRunId']}/").json()["status"] == "failed"
    assert api.get(f"/api/v1/reports/{told['id']}/").json() == told


def test_shards_add_up_and_the_last_one_closes_the_run(api):
    for number in (2, 1):
        content = JUNIT.replace(b'"m"', f'"m{number}"'.encode())
        where = f"/api/v1/reports/?testRunId=ci-77-1&shard={number}/2"
        told = api.generic("POST", where, content, "application/xml").json()
        status = TestRun.objects.get(test_run_id="ci-77-1").status
        assert status == ("failed" if number == 1 else "running"), told
    assert TestRun.objects.get(test_run_id="ci-77-1").result_set.total == 4


def test_shards_that_say_the_same_are_two_and_each_of_them_once(api):
    empty = b"<testsuite name='nothing fell to this shard'/>"
    for shard, content, status in [
        ("1/3", JUNIT, 201),
        ("2/3", empty, 201),
        ("2/3", empty, 200),
        ("3/3", empty, 201),
    ]:
        assert TestRun.objects.filter(test_run_id="ci-77-2").exclude(status="running").count() == 0
        where = f"/api/v1/reports/?testRunId=ci-77-2&shard={shard}"
        assert api.generic("POST", where, content, "application/xml").status_code == status

    run = TestRun.objects.get(test_run_id="ci-77-2")
    assert (run.status, run.reason) == ("failed", "1 of 2 tests failed.")


def test_a_report_may_name_its_run_by_the_uuid(api, shop):
    run = make_run(definition=make_definition("checkout", project=shop, steps=[]))

    told = api.generic("POST", f"/api/v1/reports/?testRunId={run.pk}", JUNIT, "application/xml").json()
    again = api.generic("POST", f"/api/v1/reports/?testRunId={run}", JUNIT, "application/xml")

    assert (told["testRunId"], again.status_code) == (str(run), 200)
    assert TestRun.objects.count() == 1


def test_of_two_files_in_one_request_none_is_left_out_in_silence(api):
    files = {name: SimpleUploadedFile(f"{name}.xml", JUNIT) for name in ("first", "second")}

    answer = api.post("/api/v1/reports/", files)

    assert (answer.status_code, answer.json()) == (400, {"file": ["Send one file; several go into a zip."]})
    assert TestRun.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "query", "status", "text"),
    [
        (b"hello", "", 415, "The format is unknown"),
        (JUNIT[:100], "", 422, ""),
        (JUNIT, "?format=nonsense", 415, "The format 'nonsense' is unknown"),
        (JUNIT, "?shard=5/4", 400, "i/n"),
        (JUNIT, "?space=moon", 400, "There is no space 'moon'"),
    ],
)
def test_what_can_not_be_taken_is_refused_with_a_reason(api, content, query, status, text):
    answer = api.generic("POST", f"/api/v1/reports/{query}", content, "application/octet-stream")

    assert answer.status_code == status, answer.content
    assert text in json.dumps(answer.json())
    assert TestRun.objects.count() == 0
    assert Report.objects.exclude(status="refused").count() == 0


def test_metrics_and_workflows_have_the_shapes_that_programs_rely_on(api, shop):
    run = make_run(definition=make_definition(project=shop))
    make_workflow(run, "success", queue=20, execution=100)
    make_workflow(run, "success", queue=40, execution=100, position=2)

    metrics = api.get(f"/api/v1/test-runs/{run}/metrics/").json()
    rows = api.get(f"/api/v1/test-runs/{run}/workflow-runs/").json()["results"]

    assert metrics["workflows"] == {"total": 2, "completed": 2}
    assert (metrics["queue"]["n"], metrics["queue"]["mean"], metrics["queue"]["unit"]) == (2, 30, "s")
    assert 0 < metrics["queueShare"] < 1
    assert rows[0]["queue"] == 20
    assert {"githubRunId", "attempt", "workflowFile", "conclusion", "reason", "jobs"} <= rows[0].keys()


def test_the_tracking_file_is_sent_as_it_is(api, shop):
    run = make_ended_run(definition=make_definition(project=shop))

    sent = api.get(f"/api/v1/test-runs/{run}/tracking/")

    assert json.loads(sent.content)["test_run_id"] == run.test_run_id
    assert b'    "test_run_id"' in sent.content


def test_statistics_of_a_test_and_the_flaky_ones(api):
    for number, body in enumerate(["", "<failure/>", "", "<failure/>", ""]):
        content = (
            f'<testsuite><testcase classname="m" name="a" time="0.{number + 1}">{body}</testcase></testsuite>'
        )
        api.generic(
            "POST",
            f"/api/v1/reports/?commit={'a' * 40}&testRunId=ci-{number}-1",
            content.encode(),
            "text/xml",
        )

    (case,) = api.get("/api/v1/test-cases/?search=m A").json()["results"]
    told = api.get(f"/api/v1/test-cases/{case['id']}/statistics/").json()
    flaky = api.get("/api/v1/flaky-tests/?threshold=10&window=50").json()["results"]
    history = api.get(f"/api/v1/test-cases/{case['id']}/history/").json()["results"]

    assert (told["ci"]["runs"], told["all"]["failed"], told["all"]["failureRate"]) == (5, 2, 0.4)
    assert sorted(told["ci"]["recent"]) == ["failed"] * 2 + ["passed"] * 3
    assert [(row["nodeid"], row["kind"], row["space"]) for row in flaky] == [("m::a", "flaky", "ci")]
    assert "same code" in flaky[0]["evidence"][0]
    assert len(history) == 5


@pytest.mark.parametrize(
    "path", ["test-runs/", "environments/", "test-definitions/", "reports/", "test-cases/"]
)
def test_a_list_makes_a_fixed_number_of_queries(api, shop, path):
    counts = []
    for number in range(2):
        for turn in range(1 + number * 3):
            make_environment(f"e{number}-{turn}", project=shop)
            definition = make_definition(f"d{number}-{turn}", project=shop)
            make_ended_run(definition=definition)
            content = JUNIT.replace(b'"m"', f'"m{number}{turn}"'.encode())
            api.generic("POST", "/api/v1/reports/", content, "text/xml")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert api.get(f"/api/v1/{path}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
