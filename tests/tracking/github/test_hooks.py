"""Messages of GitHub come in by one door: signed, kept, worked on once."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_project, make_run, make_workflow
from tracking import ci, tasks
from tracking.deliveries import signers
from tracking.models import WebhookDelivery, WorkflowRun

pytestmark = pytest.mark.django_db
SECRET = "It's a Secret to Everybody"
PAYLOAD = {
    "action": "in_progress",
    "repository": {"id": 5, "full_name": "acme/shop"},
    "workflow_run": {"id": 77, "status": "in_progress", "run_attempt": 1, "path": "build_job.yml"},
}


@pytest.fixture
def worked_on(monkeypatch):
    """What the workers were asked to work on."""
    found = []
    monkeypatch.setattr(tasks.apply_delivery, "delay", found.append)
    return found


@pytest.fixture
def secret(settings):
    settings.GITHUB_WEBHOOK_SECRET = SECRET


def sign(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(client, body, *, signature=None, guid="g-1", event="workflow_run"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": sign(body) if signature is None else signature}
    headers |= {"X-GitHub-Delivery": guid, "X-GitHub-Event": event}
    return client.post(reverse("hook_github"), body, content_type="application/json", headers=headers)


def workflow(**fields):
    row = make_workflow(make_run(), "", position=1)
    WorkflowRun.objects.filter(pk=row.pk).update(
        service="github", repository_id=5, github_run_id=77, conclusion="", **fields
    )
    row.attempts.all().delete()
    return row


def test_githubs_own_example_of_a_signature_fits():
    fits = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    assert signers(b"Hello, World!", fits, [(SECRET, None)]) == [None]
    assert signers(b"Hello, World", fits, [(SECRET, None)]) == []
    assert signers(b"Hello, World!", fits.replace("sha256=", ""), [(SECRET, None)]) == []


def test_a_signed_message_is_kept_before_anything_is_made_of_it(
    client, secret, worked_on, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert send(client, PAYLOAD).status_code == 202

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, json.loads(delivery.raw), worked_on) == ("received", PAYLOAD, [delivery.pk])


def test_the_same_message_twice_is_worked_on_once(client, secret):
    workflow()

    send(client, PAYLOAD)
    tasks.apply_delivery(WebhookDelivery.objects.get().pk)
    again = send(client, PAYLOAD)

    assert (again.status_code, WebhookDelivery.objects.get().times) == (200, 2)
    assert WorkflowRun.objects.get().attempts.get().status == "in_progress"


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=aa", "sha256=" + "0" * 64, "sha256=ä"])
def test_what_is_not_signed_is_refused_and_not_kept(client, secret, signature):
    answer = send(client, PAYLOAD, signature=signature.encode().decode("latin-1"))

    assert (answer.status_code, WebhookDelivery.objects.count()) == (401, 0)


def test_without_any_secret_nothing_is_taken(client):
    assert send(client, PAYLOAD).status_code == 503


def test_a_message_without_its_headers_says_which(client, secret):
    assert "X-GitHub-Delivery" in send(client, PAYLOAD, guid="").json()["detail"]


def test_a_body_that_can_not_be_read_is_kept_as_failed_with_the_reason(client, secret):
    send(client, b"{")
    tasks.apply_delivery(WebhookDelivery.objects.get().pk)

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.problem) == ("failed", "The body is no JSON.")


@pytest.mark.parametrize("event", ["ping", "push", "check_run"])
def test_other_events_are_kept_and_ignored(client, secret, event):
    send(client, {"zen": "Keep it simple."}, event=event)
    tasks.apply_delivery(WebhookDelivery.objects.get().pk)

    assert WebhookDelivery.objects.get().state == "ignored"


def test_a_project_s_secret_speaks_for_that_project_only(client):
    make_project("demo", webhook_secret="")
    other = make_project("other", webhook_secret="theirs")
    workflow()
    body = json.dumps(PAYLOAD).encode()

    assert send(client, body, signature=sign(body, "theirs")).status_code == 202
    delivery = WebhookDelivery.objects.get()
    tasks.apply_delivery(delivery.pk)

    assert delivery.project == other
    assert WebhookDelivery.objects.get().state == "stranger"
    assert not WorkflowRun.objects.get().attempts.exists()


@pytest.mark.parametrize("repository", ["Acme/Shop", "acme/the-name-before"])
def test_projects_that_share_a_secret_each_get_the_messages_of_their_repository(client, repository):
    make_project("demo", webhook_secret="shared", repository=repository)
    make_project("other", webhook_secret="shared", repository="acme/other")
    row = workflow()
    body = json.dumps(PAYLOAD).encode()

    assert send(client, body, signature=sign(body, "shared")).status_code == 202
    for delivery in WebhookDelivery.objects.all():
        tasks.apply_delivery(delivery.pk)

    states = dict(WebhookDelivery.objects.values_list("project__slug", "state"))
    assert states.pop("demo") == "applied"
    # A repository that was renamed is recognized by its run's number, so each project has to look.
    assert states == ({} if repository == "Acme/Shop" else {"other": "stranger"})
    assert row.attempts.get().status == "in_progress"


def test_what_names_no_workflow_is_for_all_who_share_the_secret(client):
    make_project("demo", webhook_secret="shared", repository="acme/shop")
    make_project("other", webhook_secret="shared", repository="")

    for body, event in ((b'{"zen": "Keep it simple."}', "ping"), (b"{", "workflow_run")):
        assert send(client, body, signature=sign(body, "shared"), event=event, guid=event).status_code == 202

    assert sorted(WebhookDelivery.objects.values_list("guid", "project__slug")) == [
        *(("ping", "demo"), ("ping", "other")),
        *(("workflow_run", "demo"), ("workflow_run", "other")),
    ]


def test_a_message_that_overtook_the_answer_is_taken_up_when_the_number_is_known(client, secret):
    row = workflow(dispatch_state="accepted")
    WorkflowRun.objects.filter(pk=row.pk).update(github_run_id=None)
    send(client, PAYLOAD)
    tasks.apply_delivery(WebhookDelivery.objects.get().pk)
    assert WebhookDelivery.objects.get().state == "stranger"

    WorkflowRun.objects.filter(pk=row.pk).update(github_run_id=77)
    from tracking.deliveries import take_up_strangers

    assert take_up_strangers(WorkflowRun.objects.all()) == 1
    WebhookDelivery.objects.update(received_at="2026-01-04T09:00:00Z")
    assert tasks.sweep_deliveries() == 1
    assert WorkflowRun.objects.get().attempts.get().status == "in_progress"


def test_a_message_that_breaks_its_worker_keeps_no_other_from_being_worked_on(client, secret, monkeypatch):
    row = workflow(dispatch_state="accepted")
    send(client, {**PAYLOAD, "action": "broken"}, guid="g-0")
    send(client, PAYLOAD, guid="g-1")
    WebhookDelivery.objects.update(received_at="2026-01-04T09:00:00Z")
    real = ci.message_reader("github")

    def read(event, body):
        return {}["gone"] if b"broken" in body else real(event, body)

    monkeypatch.setattr(ci, "message_reader", lambda _: read)

    assert tasks.sweep_deliveries() == 2

    states = dict(WebhookDelivery.objects.values_list("guid", "state"))
    assert states == {"g-0": "failed", "g-1": "applied"}
    assert "KeyError" in WebhookDelivery.objects.get(guid="g-0").problem
    assert row.attempts.get().status == "in_progress"


def test_a_body_larger_than_githubs_limit_is_refused(client, secret):
    body = b"x" * 10
    headers = {"CONTENT_LENGTH": str(26 * 1024 * 1024), "HTTP_X_HUB_SIGNATURE_256": sign(body)}

    answer = client.generic("POST", reverse("hook_github"), body, **headers)

    assert answer.status_code == 413


def test_only_posts_are_taken(client, secret):
    assert client.get(reverse("hook_github")).status_code == 405


def test_messages_are_dropped_a_week_after_they_were_worked_on(client, secret, worked_on):
    for guid in ("old", "to do", "new"):
        send(client, PAYLOAD, guid=guid)
    WebhookDelivery.objects.exclude(guid="to do").update(state="applied")
    WebhookDelivery.objects.exclude(guid="new").update(received_at=timezone.now() - timedelta(days=8))

    assert tasks.prune_deliveries() == 1

    assert set(WebhookDelivery.objects.values_list("guid", flat=True)) == {"to do", "new"}
