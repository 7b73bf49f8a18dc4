"""Curation in the admin: files out and in, versions, and runs that are pinned or do not count."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from access.models import AuditEntry, Project, User
from tests.factories import make_definition, make_ended_run, make_environment, make_project, make_user
from tracking.admin.resources import DefinitionResource, EnvironmentResource
from tracking.models import Environment, Schedule, TestDefinition, TestRun
from tracking.steps import replace_steps

pytestmark = pytest.mark.django_db
RUNS = "/admin/tracking/testrun/"


@pytest.fixture
def curator(client):
    client.force_login(User.objects.create_superuser("curator", password="x"))
    return client


def act(client, action, run, **fields):
    return client.post(RUNS, {"action": action, "_selected_action": [str(run.pk)], **fields}, follow=True)


def test_runs_are_left_out_with_a_reason_and_taken_back(curator):
    run = make_ended_run()

    assert b"Say why" in act(curator, "leave_out", run).content
    act(curator, "leave_out", run, reason="the network was down")
    run.refresh_from_db()
    assert (run.excluded_by, run.excluded_reason) == ("curator", "the network was down")
    assert b"the network was down" in curator.get(RUNS).content

    act(curator, "take_back", run)
    act(curator, "pin", run)
    run.refresh_from_db()
    assert (run.excluded_at, run.pinned) == (None, True)
    assert AuditEntry.objects.filter(target=str(run)).count() == 3


def test_staff_who_may_only_look_curate_nothing(client):
    run, reader = make_ended_run(), make_user("reader", is_staff=True)
    reader.user_permissions.add(*_permission("view_testrun"))
    client.force_login(reader)

    act(client, "pin", run)

    assert not TestRun.objects.get().pinned


def _permission(codename):
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=codename)


def test_definitions_go_out_and_come_in_elsewhere_as_they_were():
    steps = [{"workflow": "build_job.yml", "count": 34, "inputs": {"size": "big"}, "spacing": 1.5}]
    make_definition(steps=steps, description="nightly")
    out = DefinitionResource().export()
    TestDefinition.objects.all().delete()

    done = DefinitionResource().import_data(out, raise_errors=True)

    assert done.totals["new"] == 1
    assert DefinitionResource().export().csv == out.csv
    assert not TestDefinition.objects.get().is_from_shell


def test_the_same_file_again_changes_no_step_and_takes_no_trust():
    make_definition()
    before = list(TestDefinition.objects.get().steps.values())

    DefinitionResource().import_data(DefinitionResource().export(), raise_errors=True)

    definition = TestDefinition.objects.get()
    assert (definition.version, definition.is_from_shell) == (1, True)
    assert list(definition.steps.values()) == before


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ('[{"workflow": "a.yml", "count": -1}]', "count"),
        ('[{"workflow": "a.yml", "count": 1000000000}]', "less than or equal to 10000"),
        ('[{"workflow": "a.yml", "start_after": 1e300}]', "less than or equal to 31536000"),
        ('[{"flow": "a.yml"}]', "no flow"),
        ('{"workflow": "a.yml"}', "JSON list"),
        ("[{", "Expecting"),
    ],
)
def test_wrong_steps_are_refused_with_their_reason_and_nothing_is_changed(curator, steps, said):
    make_definition()
    row = {"project": "demo", "name": "performance", "test_type": "performance", "steps": steps}
    file = SimpleUploadedFile("definitions.json", json.dumps([row]).encode())

    shown = curator.post(
        reverse("admin:tracking_testdefinition_import"), {"format": "1", "import_file": file, "resource": ""}
    )

    assert said in shown.content.decode()
    assert TestDefinition.objects.get().steps.get().count == 34


def test_environments_are_known_by_project_and_name():
    make_environment("staging", ref="main", inputs={"region": "eu"})
    make_project("other")
    table = EnvironmentResource().export()
    Environment.objects.update(ref="release", inputs={})

    EnvironmentResource().import_data(table, raise_errors=True)

    found = Environment.objects.get()
    assert (found.ref, found.inputs) == ("main", {"region": "eu"})


def test_an_environment_with_a_wrong_kind_is_refused():
    table = EnvironmentResource().export()
    make_project()
    table.append(["demo", "mine", "moon", "local", "", "{}"])

    done = EnvironmentResource().import_data(table)

    assert done.has_validation_errors() or done.has_errors()
    assert not Environment.objects.exists()


def test_runs_are_handed_out_as_text_that_no_spreadsheet_calculates(curator):
    run = make_ended_run(branch="=1+1")

    answer = curator.post(f"{RUNS}export/", {"format": "0", "resource": "", **_every_field()})

    text = answer.content.decode()
    assert run.test_run_id in text
    assert "1+1" in text
    assert ",=1+1" not in text


def _every_field():
    from tracking.admin.resources import RunResource

    return {f"runresource_{name}": "on" for name in RunResource._meta.fields}


def test_every_version_of_an_environment_is_shown_with_who_wrote_it(curator):
    environment = make_environment("staging", ref="main")
    change = reverse("admin:tracking_environment_change", args=[environment.pk])
    form = {"project": environment.project_id, "name": "staging", "kind": "staging", "service": "local"}

    answer = curator.post(change, {**form, "ref": "release", "inputs": "{}"})

    assert answer.status_code == 302
    page = curator.get(reverse("admin:tracking_environment_history", args=[environment.pk])).content.decode()
    assert "curator" in page
    assert "release" in page


def test_a_schedule_made_in_the_admin_waits_for_its_first_time(curator):
    definition, environment = make_definition(), make_environment()
    form = {"project": definition.project_id, "definition": definition.pk, "environment": environment.pk}
    place = reverse("admin:tracking_schedule_add")

    assert b"five fields" in curator.post(place, {**form, "cron": "daily", "time_zone": "UTC"}).content
    answer = curator.post(place, {**form, "cron": "0 2 * * *", "time_zone": "Asia/Tokyo", "enabled": "on"})

    assert answer.status_code == 302
    made = Schedule.objects.get()
    assert (made.next_at.hour, made.next_at.minute, made.created_by) == (17, 0, "curator")


def test_staff_without_rights_bring_no_file_in_and_take_none_out(client):
    definition, run = make_definition(), make_ended_run()
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(*_permission("view_testdefinition"))
    client.force_login(looker)
    row = {"project": "demo", "name": "mine", "test_type": "mine", "steps": "[]"}
    file = SimpleUploadedFile("definitions.json", json.dumps([row]).encode())

    brought = client.post(
        reverse("admin:tracking_testdefinition_import"), {"format": "1", "import_file": file, "resource": ""}
    )
    taken = client.post(f"{RUNS}export/", {"format": "0", "resource": "", **_every_field()})

    assert (brought.status_code, taken.status_code) == (403, 403)
    assert run.test_run_id not in taken.content.decode()
    assert client.get(reverse("admin:tracking_testdefinition_export")).status_code == 200
    assert list(TestDefinition.objects.all()) == [definition]


def test_an_old_version_is_looked_at_and_not_written_back(curator):
    definition = make_definition(description="as loaded from a shell")
    project = definition.project
    project.github_token = "ghp_kept"
    project.save()
    replace_steps(definition, [{"command": ["somebody", "elses"]}])
    trusted = TestDefinition.history.filter(is_from_shell=True).latest()
    pages = [
        reverse("admin:tracking_testdefinition_simple_history", args=[definition.pk, trusted.pk]),
        reverse("admin:access_project_simple_history", args=[project.pk, Project.history.latest().pk]),
    ]

    shown = [curator.get(page) for page in pages]
    answers = [curator.post(page, {"name": "performance", "test_type": "performance"}) for page in pages]

    assert [answer.status_code for answer in shown] == [200, 200]
    assert "Revert" not in shown[0].content.decode()
    assert [answer.status_code for answer in answers] == [403, 403]
    definition.refresh_from_db()
    project.refresh_from_db()
    assert (definition.is_from_shell, project.github_token) == (False, "ghp_kept")


@pytest.mark.strict
def test_a_row_that_is_being_changed_is_read_under_a_lock(curator):
    definition = make_definition()

    with CaptureQueriesContext(connection) as asked:
        curator.post(reverse("admin:tracking_testdefinition_change", args=[definition.pk]), {})

    locked = any("FOR NO KEY UPDATE" in one["sql"] for one in asked)
    assert locked or connection.vendor == "sqlite"  # whose transactions come one after the other
