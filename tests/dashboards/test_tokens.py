"""Tokens on a page: shown once, seen in use, closed for ever."""

import re

import pytest
from rest_framework.test import APIClient

from access.models import ApiToken, AuditEntry

pytestmark = pytest.mark.django_db
PLACE = "/settings/demo/tokens/"


def opens(text):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client.get("/api/v1/test-runs/").status_code == 200


def test_a_token_is_shown_once_and_opens_the_door_until_it_is_revoked(client, administrator, project):
    made = client.post(PLACE, {"name": "ci", "scope": "report", "days": "90"})
    (text,) = re.findall(r"rt_[\w-]{40,}", made.content.decode())
    token = ApiToken.objects.get(name="ci")

    assert "no-store" in made["Cache-Control"]  # no disk keeps it
    assert opens(text)
    assert text not in client.get(PLACE).content.decode()
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert text not in token.digest

    client.post(f"{PLACE}{token.pk}/revoke/")

    assert not opens(text)
    assert "revoked" in client.get(PLACE).content.decode()
    assert {"token.create", "token.revoke"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_a_name_that_is_taken_is_said(client, administrator, project):
    client.post(PLACE, {"name": "ci", "scope": "read", "days": "0"})

    again = client.post(PLACE, {"name": "ci", "scope": "read", "days": "0"})

    assert again.status_code == 400
    assert "revoke it or choose another name" in again.content.decode()
    client.post(f"{PLACE}{ApiToken.objects.get().pk}/revoke/")
    assert client.post(PLACE, {"name": "ci", "scope": "read", "days": "0"}).status_code == 200
    assert ApiToken.objects.filter(name="ci", revoked_at=None).count() == 1


def test_metrics_are_for_this_machine_or_for_the_token(client, settings, project):
    assert b"runtrail_runs_running 0.0" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 404

    settings.METRICS_TOKEN = "secret"

    far = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/metrics", headers={"Authorization": "Bearer secret"}, **far).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}, **far).status_code == 404


def test_a_badge_tells_nothing_unless_it_may(client, settings, project):
    from tests.factories import make_ended_run

    make_ended_run("failed")
    assert b"unknown" in client.get("/badges/demo.svg").content

    settings.SHOW_BADGES = True

    assert b"tests: failed" in client.get("/badges/demo.svg").content
    assert b"unknown" in client.get("/badges/nothing.svg").content
