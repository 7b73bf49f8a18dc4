import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from access.models import ApiToken, AuditEntry, Project, User
from access.tokens import new_token, token_of
from tests.tracking.fakes import FakeCI, after, begin
from tracking import drive
from tracking.models import TestDefinition, TestRun

pytestmark = pytest.mark.django_db

OURS = [model for label in ("access", "tracking") for model in apps.get_app_config(label).get_models()]


@pytest.fixture
def curator(client):
    client.force_login(User.objects.create_superuser("curator", password="x"))
    return client


@pytest.fixture
def finished_run():
    run, service = begin(), FakeCI()
    drive.advance(run, ci=service, now=after(0))
    service.finish_all()
    drive.advance(TestRun.objects.get(), ci=service, now=after(50))
    return run


def place(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_has_a_screen_with_search_and_filters(model, curator, finished_run):
    screen = admin.site._registry[model]

    assert screen.search_fields
    assert screen.list_filter
    assert curator.get(place(model, "changelist"), {"q": "performance"}).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_row_can_be_opened(model, curator, finished_run):
    row = model.objects.first()

    if row:
        assert curator.get(place(model, "change", row.pk)).status_code == 200


def test_history_can_be_read_and_not_rewritten(curator, finished_run):
    row = TestRun.objects.get()

    assert curator.post(place(TestRun, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert curator.post(place(TestRun, "change", row.pk), {"status": "passed"}).status_code == 403
    assert curator.get(place(TestRun, "add")).status_code == 403


def form_of(project, **changes):
    inline = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")}
    values = {"slug": project.slug, "name": project.name, "repository": "", "default_branch": "main"}
    return {**values, "github_token": "", "webhook_secret": "", **inline, **changes}


def test_a_secret_goes_in_encrypted_and_never_comes_out(curator):
    project = Project.objects.create(slug="shop", name="Shop")
    where = place(Project, "change", project.pk)

    assert curator.post(where, form_of(project, github_token="ghp_very_secret")).status_code == 302

    project.refresh_from_db()
    assert project.github_token == "ghp_very_secret"
    with connection.cursor() as cursor:
        cursor.execute("SELECT github_token FROM access_project")
        assert "ghp_very_secret" not in cursor.fetchone()[0]
    page = curator.get(where).content.decode()
    assert "ghp_very_secret" not in page
    assert "One is stored." in page


@pytest.mark.parametrize(("typed", "kept"), [("", "ghp_old"), ("-", None), ("ghp_new", "ghp_new")])
def test_an_empty_secret_field_keeps_what_is_stored_and_a_dash_removes_it(curator, typed, kept):
    project = Project.objects.create(slug="shop", name="Shop", github_token="ghp_old")

    curator.post(place(Project, "change", project.pk), form_of(project, github_token=typed))

    project.refresh_from_db()
    assert project.github_token == kept


def test_a_project_keeps_its_slug(curator):
    project = Project.objects.create(slug="shop", name="Shop")
    changes = form_of(project, slug="store", name="Store")

    assert curator.post(place(Project, "change", project.pk), changes).status_code == 302

    project.refresh_from_db()
    assert (project.slug, project.name) == ("shop", "Store")


def test_a_token_that_was_revoked_is_not_opened_again(curator):
    token, text = new_token(Project.objects.create(slug="shop", name="Shop"), "ci", "read", by="a test")
    chosen = {"action": "revoke", "_selected_action": [token.pk]}

    assert "1 revoked." in curator.post(place(ApiToken, "changelist"), chosen, follow=True).content.decode()
    cleared = {"revoked_at_0": "", "revoked_at_1": "", "expires_at_0": "", "expires_at_1": ""}
    assert curator.post(place(ApiToken, "change", token.pk), cleared).status_code == 302

    assert token_of(text, now=timezone.now()) is None
    assert AuditEntry.objects.get(action="token.revoke").actor_name == "curator"


def test_a_new_project_has_its_five_environments(curator):
    project = Project(slug="shop", name="Shop")

    assert curator.post(place(Project, "add"), form_of(project)).status_code == 302

    names = Project.objects.get().environments.values_list("name", flat=True)
    assert set(names) == {"dev", "staging", "prod", "local", "ci"}


def test_commands_typed_into_a_page_are_not_trusted_like_those_from_a_shell(curator, finished_run):
    definition = TestDefinition.objects.get()
    step = definition.steps.get()
    form = {
        "project": definition.project_id,
        "name": definition.name,
        "test_type": "performance",
        "kind": "workflows",
        "timeout": 60,
        "description": "",
        "steps-TOTAL_FORMS": 1,
        "steps-INITIAL_FORMS": 1,
        "steps-0-id": step.pk,
        "steps-0-definition": definition.pk,
        "steps-0-position": 1,
        "steps-0-workflow": "build_job.yml",
        "steps-0-command": '["rm", "-rf", "/"]',
        "steps-0-count": 1,
        "steps-0-inputs": "{}",
        "steps-0-start_after": 0,
        "steps-0-spacing": 0,
        "steps-0-at_most": 0,
        "steps-0-timeout": "",
    }

    assert curator.post(place(TestDefinition, "change", definition.pk), form).status_code == 302

    definition.refresh_from_db()
    assert not definition.is_from_shell
    assert definition.version == 2
