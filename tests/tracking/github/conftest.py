import pytest

from tests.tracking.github.github_run import Desk


@pytest.fixture
def desk():
    made = Desk()
    with made.server:
        yield made
    assert made.server.violations == []
