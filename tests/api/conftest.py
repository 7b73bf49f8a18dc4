import pytest
from rest_framework.test import APIClient

from access.tokens import new_token
from tests.factories import make_project


@pytest.fixture
def shop():
    return make_project("shop")


@pytest.fixture
def client_of(shop):
    """Make a client with a token of a scope."""

    def make(scope="report", project=None):
        _, text = new_token(project or shop, f"{scope} token", scope, by="a test")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return make


@pytest.fixture
def api(client_of):
    return client_of("report")


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch):
    monkeypatch.setattr("tracking.tasks.wake", lambda run_pk: None)
