import pytest


@pytest.fixture
def data(tmp_path, settings):
    """A data folder of the test's own, for local jobs and tracking files."""
    settings.DATA = tmp_path
    settings.CI_SERVICES = {
        "local": {
            "BACKEND": "tracking.ci.local.LocalProcesses",
            "OPTIONS": {"folder": tmp_path / "local_jobs"},
        }
    }
    return tmp_path
