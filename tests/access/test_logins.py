"""Guessing a password has an end, for who guesses and for nobody else."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache

from access.tasks import forget_sessions
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture(autouse=True)
def nobody_has_tried():
    cache.clear()
    make_user("vera", is_staff=True)
    make_user("ada")


def attempt(client, password, *, name="vera", address=HERE, page="/login/", **headers):
    form = {"username": name, "password": password}
    return client.post(page, form, REMOTE_ADDR=address, headers=headers)


def guess(client, **where):
    for _ in range(10):
        assert b"Too many" not in attempt(client, "wrong", **where).content


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_after_ten_wrong_passwords_the_right_one_does_not_help_for_a_while(client, page):
    guess(client, page=page)

    refused = attempt(client, "secret", page=page)

    assert "Too many attempts. Wait 15 minutes" in refused.content.decode()
    assert "_auth_user_id" not in client.session
    if page == "/login/":
        assert (refused.status_code, refused["Retry-After"]) == (429, "900")


@pytest.mark.parametrize("other", [{"address": THERE}, {"name": "ada"}])
def test_who_guesses_keeps_nobody_else_out(client, other):
    guess(client)

    assert attempt(client, "secret", **other).status_code == 302


def test_a_right_password_begins_the_count_anew(client):
    for _ in range(3):
        for _ in range(9):
            attempt(client, "wrong")
        assert attempt(client, "secret").status_code == 302
        client.logout()


def test_only_a_proxy_is_believed_who_it_speaks_for(client, settings):
    guess(client)
    assert attempt(client, "secret", **{"X-Forwarded-For": THERE}).status_code == 429

    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    made_up = {"X-Forwarded-For": f"{HERE}, {THERE}"}
    assert attempt(client, "secret", **made_up).status_code == 302


def test_sessions_that_have_ended_are_forgotten(client):
    client.force_login(make_user("ada"))
    client.get("/settings/")
    ended = SessionStore()
    ended.set_expiry(-1)
    ended.save()

    forget_sessions()

    assert [row.pk for row in Session.objects.all()] == [client.session.session_key]
