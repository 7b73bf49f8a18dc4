"""Two servers whose waiting times theory tells: what is measured agrees with it."""

import numpy as np
import pytest

from analysis.blocks import quantile_interval
from performance.figures import figures_of
from performance.specification import read_spec
from tests.analysis.queueing import MD1, MM1
from tests.performance.conftest import Load, TargetProcess
from tests.performance.intended import intended_times

pytestmark = pytest.mark.slow

# Of intervals at 95 % one in twenty misses.  With this seed all six hold by 9 % of the value or more, even
# where the machine adds 2.5 ms to a request; in shorter runs the upper bound of p90 comes and goes.
RATE, SERVICE, SECONDS, SEED = 60.0, 0.01, 12.0, 151
SPEC = {
    "requests": [{"name": "served", "path": "/{{n}}"}],
    "arrival": {"kind": "constant", "rate": RATE, "spacing": "poisson"},
    "duration": SECONDS,
    "warmup": 1,
}
KINDS = {"M/M/1": (MM1, "exponential"), "M/D/1": (MD1, "fixed")}


def service_times(kind: str) -> np.ndarray:
    draw = np.random.default_rng(SEED)
    return draw.exponential(SERVICE, 1000) if kind == "exponential" else np.full(1000, SERVICE)


def response_times(arrivals: np.ndarray, services: np.ndarray) -> np.ndarray:
    """What one server makes of these very arrivals (Lindley's recursion)."""
    free_at, found = 0.0, []
    for arrived, service in zip(arrivals, services, strict=False):
        free_at = max(free_at, arrived) + service
        found.append(free_at - arrived)
    return np.array(found)


@pytest.fixture
def measured(tmp_path_factory):
    """Both servers under load at the same time; (samples, services) of each."""
    folders = {name: tmp_path_factory.mktemp("truth") for name in KINDS}
    services = {name: service_times(kind) for name, (_, kind) in KINDS.items()}
    servers = {name: TargetProcess(folders[name], services[name].tolist()) for name in KINDS}
    loads = {
        name: Load(
            folders[name] / "load",
            {"target": server.url, "spec": SPEC, "seed": SEED},
            {},
            "performance.generators.open_loop",
        )
        for name, server in servers.items()
    }
    try:
        yield {name: (load.wait()[0], services[name]) for name, load in loads.items()}
    finally:
        for process in (*servers.values(), *loads.values()):
            process.kill()


def test_response_times_agree_with_theory_and_none_is_quicker_than_its_queue_lets_it(measured):
    for name, (samples, services) in measured.items():
        agrees_with_theory(samples, KINDS[name][0](RATE, SERVICE))
        counts_from_the_intended_time(samples, services)


def agrees_with_theory(samples, truth):
    """Its percentiles lie within the measured intervals."""
    (latency, *_) = figures_of(samples, begin=1.0, end=1.0 + SECONDS)

    order = np.argsort(samples.rows["intended"][samples.measured])
    low, high = latency.intervals["mean"]
    assert low < truth.mean_response < high, truth
    for key, q in (("p75", 0.75), ("p90", 0.9)):
        found = quantile_interval(samples.rows["latency"][samples.measured][order].tolist(), q)
        assert found.low < truth.response_quantile(q) < found.high, (truth, key)


def counts_from_the_intended_time(samples, services):
    """Counting from the send instead would hide most of the waiting, and fail here."""
    arrivals = intended_times(read_spec(SPEC), SEED)
    by_order = np.sort(samples.rows["intended"])

    exact = np.sort(response_times(arrivals, services))
    found = np.sort(samples.rows["latency"])

    assert np.allclose(by_order, arrivals, atol=1e-6)
    assert (found >= exact - 0.002).mean() > 0.99
