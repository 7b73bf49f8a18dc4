"""Every method of every path with every role, and with the objects of another project."""

import io
import tempfile
from pathlib import Path

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from access.models import Role
from access.tokens import new_token
from batches.baselines import set_baseline
from batches.models import Regression
from dashboards.roles import endpoints
from executions.ingest import ingest_report
from executions.models import Report, TestCase
from performance.models import ChangePoint, Comparison, Optimization, TrackRun
from tests.batches.workspaces import edit, make_desk, make_run
from tests.factories import make_definition, make_environment, make_project, make_user
from tests.performance.factories import make_workload, make_workload_run
from tracking.models import Schedule

pytestmark = pytest.mark.django_db
ENDPOINTS = sorted(endpoints(), key=lambda one: one.method == "DELETE")  # what is gone can't be asked for
SCOPES = {"read": Role.VIEWER, "report": Role.REPORTER, "admin": Role.ADMINISTRATOR}
WHO = [*Role.values, *SCOPES, "stranger", "anonymous"]
JUNIT = b'<testsuite><testcase classname="m" name="t"/></testsuite>'
WELL = {200, 201, 204, 400, 409, 415, 422}


def fill(project):
    """Make one of everything; return what can be named in a path, by the name of its route."""
    definition = make_definition(project=project, name="suite", steps=[])
    environment = make_environment("aws-ecs", project=project)
    schedule = Schedule.objects.create(
        project=project, definition=definition, environment=environment, cron="0 2 * * *"
    )
    with tempfile.TemporaryDirectory() as folder:
        desk = make_desk(Path(folder), project=project, a_py="1")
        run = make_run(edit(desk, "a.py", "2"))
    regression = Regression.objects.create(batch_run=run, kind="slower", name="t")
    report = ingest_report(io.BytesIO(JUNIT), project=project, now=timezone.now())
    load = make_workload_run(make_workload(project=project), keep=False)
    return {
        "project": project.slug,
        "environment": environment.pk,
        "schedule": schedule.pk,
        "test-definition": definition.pk,
        "test-run": report.run.test_run_id,
        "report": Report.objects.get(project=project).pk,
        "batch": 1,
        "workspace": desk.workspace.pk,
        "baseline": set_baseline(desk, run.result, actor="ada", now=timezone.now()).pk,
        "regression": regression.pk,
        "test-case": TestCase.objects.get(project=project).pk,
        "workload-run": load.run.test_run_id,
        "workload": load.workload.pk,
        "optimization": Optimization.objects.create(workload=load.workload, name="index").pk,
        "component-comparison": Comparison.objects.create(workload=load.workload, status="done").pk,
        "change": a_change(load).pk,
        "track": TrackRun.objects.create(project=project, workload=load.workload).pk,
        "target-host": load.workload.project.target_hosts.first().pk,
    }


def a_change(run):
    level = {"before": 1, "after": 2, "is_worse": True, "p": 0}
    return ChangePoint.objects.create(workload=run.workload, first_run=run, metric="latency.p95", **level)


def address(endpoint, things):
    key = next((things[name] for name in things if endpoint.name.startswith(name)), "")
    return "/" + endpoint.path.replace("{pk}", str(key)).replace("{slug}", str(key))


def client_for(who, project):
    client = APIClient()
    if who in SCOPES:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {new_token(project, who, who, by='a test')[1]}")
    elif who == "stranger":
        client.force_login(make_user("stranger", role=None))
    elif who != "anonymous":
        client.force_login(make_user("somebody", role=who, project=project))
    return client


def ask(client, endpoint, things):
    where = address(endpoint, things)
    return client.generic(endpoint.method, where, "[]", "application/json").status_code


@pytest.mark.parametrize("who", WHO)
def test_the_role_of_a_method_holds(who):
    project = make_project("shop")
    things = fill(project)
    client = client_for(who, project)

    wrong = []
    for endpoint in ENDPOINTS:
        status = ask(client, endpoint, things)
        if status not in expected(endpoint, who):
            wrong.append((endpoint.method, endpoint.path, status))

    assert wrong == []


def expected(endpoint, who):
    if who == "anonymous":
        return {401}
    if who == "stranger":
        return {200, 403, 404} if endpoint.name.startswith("project") else {404}
    own = SCOPES.get(who) or Role(who)
    if endpoint.name == "project-list" and endpoint.method == "POST":
        return (
            {400, 403} if who in {*SCOPES, *Role.values} else {401}
        )  # for the administrators of the installation
    return WELL if own.includes(endpoint.role) else {403}


@pytest.mark.parametrize("who", ["administrator", "admin"])
def test_objects_of_another_project_do_not_exist(who):
    project = make_project("shop")
    things = fill(make_project("other"))
    client = client_for(who, project)

    found = [(one.path, ask(client, one, things)) for one in ENDPOINTS if "{" in one.path]
    seen = [(path, status) for path, status in found if status != 404]

    assert seen == []


def test_a_token_names_no_other_project():
    project = make_project("shop")
    make_project("other")

    assert client_for("admin", project).get("/api/v1/test-runs/?project=other").status_code == 404


def test_there_are_many_endpoints():
    assert len(ENDPOINTS) > 30
