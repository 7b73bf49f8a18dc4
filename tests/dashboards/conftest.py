from pathlib import Path

import pytest
from django.conf import settings

from tests.factories import make_project, make_user


@pytest.fixture(autouse=True, scope="session")
def static_files():
    """WhiteNoise warns where nothing was collected, and here warnings are errors."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def viewer(client, project):
    user = make_user("vera", role="viewer")
    client.force_login(user)
    return user


@pytest.fixture
def reporter(client, project):
    user = make_user("rosa", role="reporter")
    client.force_login(user)
    return user


@pytest.fixture
def administrator(client, project):
    user = make_user("anna", role="administrator")
    client.force_login(user)
    return user
