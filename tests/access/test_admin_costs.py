"""The admin's screens cost the same number of queries however many rows they show, and tell no secret."""

import hashlib
import io

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from access import audit
from access.models import ApiToken, User
from executions.ingest import ingest_report
from executions.models import CaseArchive, CISync, IdempotencyKey, Report, Result, SyncedRun, TestCase
from tests.factories import make_definition, make_ended_run, make_environment, make_project, make_user
from tests.tracking.fakes import after
from tracking import rollups
from tracking.deliveries import keep_delivery
from tracking.models import (
    CallCount,
    CIRepository,
    LocalJob,
    RetentionPolicy,
    RunEvent,
    RunFile,
    RunTiming,
    Schedule,
    WebhookDelivery,
)

pytestmark = pytest.mark.django_db

APPS = ("access", "tracking", "executions")
OURS = [model for label in APPS for model in apps.get_app_config(label).get_models() if model is not Result]
DIGEST = hashlib.sha256(b"rt_secret").hexdigest()
SECRETS = ("ghp_very_secret", "hook_very_secret", DIGEST)


@pytest.fixture
def curator(client):
    client.force_login(User.objects.create_superuser("curator", password="x"))
    return client


def fill(first: int, last: int) -> None:
    """Rows of every model, each with parents of its own: a query per row shows."""
    for number in range(first, last):
        project = make_project(f"shop-{number}", github_token=SECRETS[0], webhook_secret=SECRETS[1])
        user = make_user(f"user-{number}", role="viewer", project=project)
        environment = make_environment("local", project=project)
        definition = make_definition(f"profile-{number}", project=project)
        run = make_ended_run(definition=definition, environment=environment)
        RunFile.objects.create(run=run, name=f"workloads/shop-{number}/load.npz")
        RunEvent.objects.create(run=run, at=after(0), kind="closed", text="passed")
        rollups.recount_day(run)
        ApiToken.objects.create(
            project=project,
            name="ci",
            prefix=f"rt_{number}",
            digest=DIGEST if number == 0 else f"{number:064}",
            created_by=user,
        )
        audit.record("run.cancel", actor=user, project=project, target=number)
        CIRepository.objects.create(service="github", repository_id=number, full_name=f"acme/shop-{number}")
        CallCount.objects.add(f"token-{number}", {"calls": 1}, 0.5, at=after(0))
        content = f'<testsuite><testcase name="t{number}"><failure message="no"/></testcase></testsuite>'
        ingest_report(io.BytesIO(content.encode()), project=project, commit="a" * 40, now=after(number))
        CaseArchive.objects.create(case=TestCase.objects.get(project=project), space="ci")
        RetentionPolicy.objects.create(project=project, environment=environment, days=30)
        Schedule.objects.create(
            project=project, definition=definition, environment=environment, cron="0 2 * * *", last_run=run
        )
        CISync.objects.create(project=project)
        SyncedRun.objects.create(project=project, github_run_id=number)
        IdempotencyKey.objects.create(project=project, key=f"key-{number}", digest="0")
        keep_delivery(f"guid-{number}", "ping", b"{}", project=project, now=after(0))
        LocalJob.objects.create(
            dispatch_id=f"job-{number}",
            name="build",
            command=["true"],
            folder="/",
            time_limit=9,
            created_at=after(number),
        )


def place(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def cost_of(client, url, **query):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, query)
    assert answer.status_code == 200, url
    return len(captured)


def test_there_are_rows_of_every_model():
    fill(0, 1)

    assert [model.__name__ for model in OURS if not model.objects.exists()] == []


def test_a_list_costs_the_same_with_three_rows_and_with_twelve(curator):
    def costs():
        pages = {model.__name__: place(model, "changelist") for model in OURS}
        return {name: (cost_of(curator, url), cost_of(curator, url, q="shop")) for name, url in pages.items()}

    fill(0, 3)
    costs()  # what is looked up once per process is looked up now
    few = costs()

    fill(3, 12)

    assert costs() == few


def test_a_list_reads_no_bodies_and_sketches_that_it_does_not_show(curator):
    fill(0, 1)

    with CaptureQueriesContext(connection) as captured:
        for model in (WebhookDelivery, RunTiming, Report):
            assert curator.get(place(model, "changelist")).status_code == 200

    read = " ".join(query["sql"] for query in captured)
    assert '"state"' in read
    assert not [column for column in ('"body"', '"queue_sketch"', '"problems"') if column in read]


def test_a_row_costs_the_same_in_a_small_and_in_a_large_house(curator):
    fill(0, 3)
    rows = {model.__name__: place(model, "change", model.objects.order_by("pk").first().pk) for model in OURS}
    for url in rows.values():
        cost_of(curator, url)
    few = {name: cost_of(curator, url) for name, url in rows.items()}

    fill(3, 12)

    assert {name: cost_of(curator, url) for name, url in rows.items()} == few


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_form_for_a_new_row_opens_where_rows_may_be_added(model, curator, rf):
    request = rf.get("/")
    request.user = User.objects.get(username="curator")
    may_add = admin.site._registry[model].has_add_permission(request)

    assert curator.get(place(model, "add")).status_code == (200 if may_add else 403)


def test_no_screen_tells_a_secret(curator):
    fill(0, 2)
    pages = [place(model, "changelist") for model in OURS]
    pages += [place(model, "change", model.objects.order_by("pk").first().pk) for model in OURS]

    for page in pages:
        html = curator.get(page).content.decode()
        assert not [secret for secret in SECRETS if secret in html], page


def test_no_secret_lies_in_the_database_in_clear():
    fill(0, 1)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_project")
        row = str(cursor.fetchone())

    assert not [secret for secret in SECRETS if secret in row]
