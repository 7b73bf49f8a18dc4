"""Parameters of addresses: those that the description names, spelt as there, and none is overlooked."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator

from access.api.queries import OF_EVERY_ADDRESS, known_parameters
from executions.models import Report
from tests.factories import NINE, make_definition, make_ended_run, make_environment
from tracking.models import TestRun

JUNIT = b'<testsuite><testcase classname="m" name="t"/></testsuite>'


def test_every_operation_takes_the_parameters_of_its_description_and_no_others():
    described = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    generator = SchemaGenerator()
    generator._initialise_endpoints()
    looked_at = 0
    for path, _, method, view in generator._get_paths_and_endpoints():
        operation = described.get(path, {}).get(method.lower())
        if operation and path.startswith("/api/v1/"):
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert known_parameters(view, method) - OF_EVERY_ADDRESS == named, (method, path)
            looked_at += 1
    assert looked_at > 80


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "name", "advice"),
    [
        ("reports/?commit=zz", "commit", "There are: cursor, ordering, pageSize, status, testRunId."),
        ("test-runs/?page=2", "page", "cursor"),
        ("test-runs/?startedafter=2026-01-01", "startedafter", "Write it as startedAfter."),
        ("environments/?kind=ci", "kind", "There are: page, pageSize."),
        ("projects/?limit=5", "limit", "There are: page, pageSize."),
        ("flaky-tests/?treshold=10", "treshold", "space, threshold, window"),
        ("test-cases/?ordering=zz", "ordering", "There are nodeid, -nodeid."),
        ("schedules/?a_b=1", "a_b", "Write it as aB."),
    ],
)
def test_a_parameter_that_is_none_is_named_with_those_that_there_are(api, path, name, advice):
    answer = api.get(f"/api/v1/{path}")

    assert (answer.status_code, list(answer.json())) == (400, [name])
    assert advice in answer.json()[name][0]


@pytest.mark.django_db
def test_json_may_be_asked_for_where_it_is_answered_anyway(api):
    assert api.get("/api/v1/environments/?format=json").status_code == 200
    assert api.get("/api/v1/environments/?format=xml").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["treehash=x", "shards=1/2", "colour=red"])
def test_a_report_is_not_stored_under_half_of_what_was_told(client_of, query):
    answer = client_of().post(
        f"/api/v1/reports/?{query}", JUNIT, content_type="application/xml", HTTP_ACCEPT="application/json"
    )

    assert answer.status_code == 400
    assert not TestRun.objects.exists()


@pytest.mark.django_db
def test_what_a_form_tells_beside_the_file_counts_as_in_the_address(client_of):
    file = SimpleUploadedFile("r.xml", JUNIT)
    told = {"branch": "topic", "commit": "a" * 40, "shard": "1/2", "testRunId": "ci-1-1"}

    made = client_of().post("/api/v1/reports/?branch=main", {"file": file, **told}, format="multipart")

    run = TestRun.objects.get()
    assert made.status_code == 201
    assert (run.branch, run.commit_sha, run.test_run_id, run.status) == (
        "main",
        "a" * 40,
        "ci-1-1",
        "running",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("field", [{"colour": "red"}, {"branch": "a\0b"}, {"shard": "5/2"}])
def test_a_field_of_a_form_that_makes_no_sense_is_named(client_of, field):
    file = SimpleUploadedFile("r.xml", JUNIT)

    answer = client_of().post("/api/v1/reports/", {"file": file, **field}, format="multipart")

    assert (answer.status_code, list(answer.json())) == (400, list(field))
    assert not Report.objects.stored().exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("order", "first"), [("", 4), ("?ordering=-startedAt", 4), ("?ordering=startedAt", 0)]
)
def test_runs_come_in_the_order_that_is_asked_for_also_over_pages(api, shop, order, first):
    suite, staging = make_definition("suite", project=shop), make_environment("staging", project=shop)
    at = [NINE + timedelta(hours=hour) for hour in (0, 1, 1, 1, 2)]
    for moment in at:
        make_ended_run(definition=suite, environment=staging, started_at=moment, workflows=0)

    url, seen = f"/api/v1/test-runs/{order}{'&' if order else '?'}pageSize=2", []
    while url:
        page = api.get(url).json()
        seen += [(row["startedAt"], row["testRunId"]) for row in page["results"]]
        url = page["next"]

    assert len(set(seen)) == 5
    assert seen == sorted(seen, reverse=first == 4)
    assert seen[0][0].startswith(f"{at[first]:%Y-%m-%dT%H}")


@pytest.mark.django_db
def test_a_script_may_call_its_run_by_a_uuid_of_its_own(client_of, shop):
    own = "3f7e4567-e89b-12d3-a456-426614174000"
    client = client_of()
    made = client.post(f"/api/v1/reports/?testRunId={own}", JUNIT, content_type="application/xml").json()
    run = TestRun.objects.get(test_run_id=own)

    for name in (own, str(run.pk)):
        assert client.get(f"/api/v1/test-runs/{name}/").json()["testRunId"] == own
        assert [one["id"] for one in client.get(f"/api/v1/reports/?testRunId={name}").json()["results"]] == [
            made["id"]
        ]
        assert client.get(f"/api/v1/comparisons/?base={name}&head={name}").status_code == 200
