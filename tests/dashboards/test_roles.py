"""Every route has a rule, and every rule holds for everybody."""

import re
from pathlib import Path

import pytest

from access.models import ApiToken, Membership, Role
from access.permissions import EVERYBODY, SIGNED_IN
from batches.models import Batch, BatchJob, Workspace
from dashboards.roles import routes, table
from executions.models import TestCase
from performance.models import ChangePoint, TrackRun, Workload, WorkloadRun
from tests.factories import (
    NINE,
    make_definition,
    make_ended_run,
    make_project,
    make_run,
    make_user,
    make_workflow,
)
from tracking.models import Schedule

ROUTES = routes()
ROLES = [*Role.values, "stranger", "anonymous"]
ACTIONS = {
    "run_cancel",
    "run_rerun",
    "definition_start",
    "time_zone",
    "add_member",
    "change_member",
    "check_connection",
    "choose_project",
    "logout",
    "revoke_token",
    *("run_note", "run_pin", "run_exclude", "run_include"),
    *("batch_test", "batch_rollback", "batch_undo", "batch_cancel", "batch_job_cancel"),
    *("stop_workload", "make_baseline", "start_workload", "decide_change"),
    *("add_schedule", "pause_schedule", "remove_schedule", "run_schedule"),
}
FORMS = {"choose_project": {"project": "demo"}, "time_zone": {"time_zone": "UTC"}}


def names(route):
    return set(re.findall(r"<(?:\w+:)?(\w+)>", route.path))


def address(route, values):
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route.path)


def place(project):
    """Return what can be named in the addresses of a project, with everything that they need."""
    run = make_ended_run(definition=make_definition(project=project))
    track = make_load(run)
    member = make_user(f"member-of-{project}", role="viewer", project=project)
    return {
        "test_run_id": run.test_run_id,
        "position": 1,
        "number": make_batch(project).number,
        "name": "performance",
        "slug": project.slug,
        "track_id": track.pk,
        "job": make_job(project).pk,
        "pk": same_number(Membership.objects.get(user=member)),
    }


def make_batch(project):
    """A batch of a workspace on a machine that is not there."""
    workspace = Workspace.objects.create(project=project, host="gone", root="/gone", created_at=NINE)
    return Batch.objects.create(workspace=workspace, number=1, opened_at=NINE)


def make_job(project):
    workspace = Workspace.objects.get(project=project)
    return BatchJob.objects.create(workspace=workspace, kind="test", requested_by="ada", requested_at=NINE)


def make_load(run):
    """Make the run one of a workload, and return a track of the same project."""
    workload = Workload.objects.create(
        project=run.project,
        definition=run.definition,
        name="performance",
        environment=run.environment,
        target="http://127.0.0.1:9",
    )
    WorkloadRun.objects.create(run=run, workload=workload, started_at=run.started_at)
    return TrackRun.objects.create(project=run.project, workload=workload)


def same_number(membership):
    """Make a test, a token, a change and a schedule with the membership's number: one `pk` for all."""
    number, project = membership.pk, membership.project
    ApiToken.objects.create(pk=number, project=project, name="ci", prefix="rt_", digest=f"{number}")
    load = WorkloadRun.objects.get(run__project=project)
    ChangePoint.objects.create(
        pk=number,
        workload=load.workload,
        metric="latency.p95",
        first_run=load,
        before=1,
        after=2,
        is_worse=True,
        p=0.001,
    )
    Schedule.objects.create(
        pk=number,
        project=project,
        definition=project.definitions.get(),
        environment=project.environments.first(),
        cron="0 2 * * *",
    )
    return TestCase.objects.create(pk=number, project=project, nodeid=f"tests/{project}").pk


def expected(route, role):
    """Return which answers are right: a set of status codes."""
    if route.rule == EVERYBODY:
        return {401, 405, 503} if route.name == "hook_github" else {200, 302, 503}
    if role == "anonymous":
        return {302}
    if route.rule == SIGNED_IN:
        return {200, 302, 404} if role == "stranger" else {200, 302}
    if role == "stranger":
        # Without an object in the address there is no project to be a stranger to: the page says what to do.
        return {404} if names(route) & {"test_run_id", "slug", "pk", "track_id"} else {403}
    return {200, 302, 400, 404} if Role(role).includes(route.rule) else {403}


def test_every_route_has_a_rule():
    assert [route.path for route in ROUTES if route.rule not in {*Role, SIGNED_IN, EVERYBODY}] == []
    assert len(ROUTES) >= 20


def test_the_documented_table_is_the_one_of_the_routes():
    documented = Path(__file__).resolve().parents[2] / "docs" / "roles.md"

    assert documented.read_text() == table(), "run: python -m tests.roles_table > docs/roles.md"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_rule_of_a_route_holds_for_everybody(client, project, route, role):
    values = place(project)
    if role != "anonymous":
        client.force_login(make_user("somebody", role=None if role == "stranger" else role))

    act = client.post if route.name in ACTIONS else client.get
    answer = act(address(route, values), FORMS.get(route.name, {}))

    assert answer.status_code in expected(route, role)
    if role == "anonymous" and route.rule != EVERYBODY:
        assert answer["Location"].startswith("/login/?next=/")


NAMED = [route for route in ROUTES if names(route) and route.rule != EVERYBODY]


@pytest.mark.parametrize("route", NAMED, ids=lambda route: route.name)
def test_objects_of_another_project_do_not_exist(client, administrator, route):
    values = place(make_project("other"))

    act = client.post if route.name in ACTIONS else client.get
    assert act(address(route, values)).status_code == 404


def test_a_workflow_is_found_only_in_its_own_run(client, viewer):
    run = make_run()
    make_workflow(make_run(), position=7)

    assert client.get(f"/runs/{run}/workflows/7/").status_code == 404
