"""Fixtures of the performance track's tests.

Time limits are fixtures: a slow machine overrides them in one place, or by the environment.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from tests.integration import recorded
from tests.integration.live import SHOPS, Api, given, live_server, open_shop, workload_of


@pytest.hookimpl(tryfirst=True)  # before -k leaves some out
def pytest_collection_modifyitems(items):
    recorded.note_collected(items)
    items.sort(
        key=lambda item: "test_overall_performance_track" in item.nodeid
    )  # it takes what the others did


def pytest_runtest_logreport(report):
    recorded.note_result(report)


@pytest.fixture(scope="session")
def request_timeout():
    """Seconds for one answer of the API."""
    return float(os.environ.get("PERFORMANCE_REQUEST_TIMEOUT", "30"))


@pytest.fixture(scope="session")
def workload_time_limit():
    """Seconds for one run of a few seconds' load, on a busy machine too."""
    return float(os.environ.get("PERFORMANCE_TIME_LIMIT", "120"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address and token of the server under test: `API_BASE_URL`, or a live one."""
    if named := given():
        yield named
    else:
        with live_server(tmp_path_factory.mktemp("live")) as found:
            yield found


@pytest.fixture(scope="session")
def api_base_url(server):
    return server[0]


@pytest.fixture(scope="session")
def auth_token(server):
    return server[1]


@pytest.fixture(scope="session")
def api(api_base_url, auth_token, request_timeout, workload_time_limit):
    return Api(api_base_url, auth_token, request_timeout, workload_time_limit)


@pytest.fixture(scope="session")
def shops():
    """The same shop twice: with an index, and without."""
    with ExitStack() as held:
        yield {name: held.enter_context(open_shop(*words)) for name, words in SHOPS.items()}


@pytest.fixture(scope="session")
def workload(api, shops):
    return workload_of(api, shops, "track-tests")


@pytest.fixture(scope="session")
def baseline_workload_run(api, workload):
    return api.measured(workload["id"], component="indexed")


@pytest.fixture(scope="session")
def performance_workload_run(api, workload):
    return api.measured(workload["id"], component="unindexed")


@pytest.fixture(scope="session")
def baseline_workload_run_id(baseline_workload_run):
    return baseline_workload_run["testRunId"]


@pytest.fixture(scope="session")
def performance_workload_run_id(performance_workload_run):
    return performance_workload_run["testRunId"]
