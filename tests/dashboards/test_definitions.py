import pytest

from access.models import AuditEntry
from tests.factories import make_definition, make_ended_run, make_environment, make_project
from tracking.models import TestRun


@pytest.fixture
def performance(project):
    make_environment("local")
    return make_definition()


def test_a_reporter_starts_a_run(client, reporter, performance):
    form = {"environment": "local", "branch": "topic", "commit": "A1B2C3D"}

    answer = client.post("/definitions/performance/start/", form)

    run = TestRun.objects.get()
    assert answer["Location"] == f"/runs/{run}/"
    assert (run.branch, run.commit_sha, run.triggered_by) == ("topic", "a1b2c3d", "rosa")
    assert run.workflow_runs.count() == 34
    assert AuditEntry.objects.get().action == "run.start"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"environment": "nowhere"}, "There is no such environment."),
        ({"environment": "local", "commit": "no commit"}, "A commit is 7 to 40 digits"),
        ({}, "This field is required."),
    ],
)
def test_a_bad_form_starts_nothing_and_says_why(client, reporter, performance, form, message):
    answer = client.post("/definitions/performance/start/", form)

    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert not TestRun.objects.exists()


def test_what_may_not_run_here_is_refused_with_the_reason(client, reporter, project):
    make_environment("local")
    make_definition("foreign", is_from_shell=False)

    answer = client.post("/definitions/foreign/start/", {"environment": "local"})

    assert answer.status_code == 400
    assert "RUNTRAIL_LOCAL_COMMANDS=1" in answer.content.decode()


def test_the_trend_has_its_numbers_in_a_table(client, viewer, performance):
    from django.utils import timezone

    make_ended_run("passed", started_at=timezone.now())
    make_ended_run("failed", started_at=timezone.now())

    page = client.get("/definitions/performance/")

    (point,) = page.context["pass_rate"]["data"][0]["y"]
    assert point == 50
    assert "9 % to 91 %" in page.content.decode()


def test_definitions_of_other_projects_are_not_there(client, viewer):
    make_definition("secret", project=make_project("other"))

    assert client.get("/definitions/secret/").status_code == 404
    assert b"secret" not in client.get("/definitions/").content
