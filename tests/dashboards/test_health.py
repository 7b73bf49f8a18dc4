import pytest
from django.db import DatabaseError

from dashboards.views import health


def test_a_living_process_says_ok_without_the_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_a_process_is_ready_when_database_and_broker_answer(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True, "database": "ok", "broker": "ok"})


@pytest.mark.django_db
def test_without_its_broker_a_process_is_not_ready(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["database"] == "ok"
    assert answer.json()["broker"].startswith("no answer")


def test_without_its_database_a_process_is_not_ready(client, monkeypatch):
    class Gone:
        def cursor(self):
            raise DatabaseError

    monkeypatch.setattr(health, "connection", Gone())

    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_comes_by_an_address_and_without_tls(client, settings, path):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["runtrail.example.com"], True

    assert client.get(path, headers={"host": "10.0.0.5:8000"}).status_code == 200
    assert client.get("/login/", headers={"host": "10.0.0.5:8000"}).status_code == 400
