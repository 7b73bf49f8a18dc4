import pytest

from tests.client.receiver import receiving
from tests.client.sessions import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found
