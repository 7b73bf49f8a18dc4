"""What samples amount to: against closed forms and against NumPy, and with little memory."""

import subprocess
import sys

import numpy as np
import pytest

from analysis import sketches
from performance.figures import figure_of_values, figures_of, series_of
from performance.samples import TIMED_OUT
from tests.performance.conftest import ROOT
from tests.performance.factories import make_samples


def named(figures, name, request=""):
    (found,) = (one for one in figures if (one.name, one.request) == (name, request))
    return found


def test_times_are_those_of_numpy_with_an_interval_around_them():
    values = np.random.default_rng(3).lognormal(-4, 0.5, 5000)

    figures = figures_of(make_samples(values, services=values / 2), begin=0.0, end=100.0)

    latency = named(figures, "latency")
    for key, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
        assert getattr(latency, key) == pytest.approx(np.quantile(values, q), rel=1e-5)
    for key in ("p50", "p90", "p95", "p99", "mean"):
        low, high = latency.intervals[key]
        assert low < getattr(latency, key) < high
    assert latency.value == latency.p50
    assert sketches.quantile_of(latency.sketch, 0.95) == pytest.approx(latency.p95, rel=0.011)
    assert sketches.count_of(latency.sketch) == 5000
    assert named(figures, "service_time").p50 == pytest.approx(latency.p50 / 2)


def test_a_percentile_that_too_few_requests_lie_beyond_is_left_empty():
    latency = named(figures_of(make_samples([0.01] * 100), begin=0, end=2), "latency")

    assert latency.p95 is not None
    assert latency.p99 is None
    assert latency.p999 is None


def test_throughput_counts_good_answers_and_errors_have_their_share():
    samples = make_samples([0.001] * 1000, rate=100, failed=[True, False, False, False] * 250)

    figures = figures_of(samples, begin=0.0, end=10.0)

    rate, share = named(figures, "throughput"), named(figures, "error_share")
    assert rate.value == pytest.approx(75.0)
    assert rate.low < 75 < rate.high
    assert not rate.less_is_better
    assert share.value == 0.25
    assert 0.22 < share.low < 0.25 < share.high < 0.28


def test_each_request_has_figures_of_its_own():
    samples = make_samples([0.01, 0.05] * 200, names=["a", "b"], requests=[0, 1] * 200)

    figures = figures_of(samples, begin=0.0, end=8.0)

    assert named(figures, "latency", "a").p50 == pytest.approx(0.01)
    assert named(figures, "latency", "b").p50 == pytest.approx(0.05)
    assert named(figures, "throughput", "a").n == 200
    assert named(figures, "latency").n == 400


def test_a_refused_connection_flatters_no_time_and_a_time_limit_counts():
    latencies, statuses = [0.2] * 50 + [0.0001] * 50, [200] * 50 + [0] * 50
    refused = make_samples(latencies, statuses=statuses)
    timed_out = make_samples([0.2] * 50 + [10.0] * 50)
    timed_out.rows["flags"][50:] = TIMED_OUT

    assert named(figures_of(refused, begin=0, end=2), "latency").p50 == pytest.approx(0.2)
    assert named(figures_of(refused, begin=0, end=2), "error_share").value == 0.5
    assert named(figures_of(timed_out, begin=0, end=2), "latency").p90 == pytest.approx(10.0)


def test_the_warm_up_counts_in_no_figure_and_shows_in_the_series():
    samples = make_samples([1.0] * 50 + [0.01] * 500, warmup=1.0, components={"db": 0.005})

    figures, series = figures_of(samples, begin=1.0, end=11.0), series_of(samples)

    assert named(figures, "latency").n == 500
    assert named(figures, "latency").mean == pytest.approx(0.01)
    assert named(figures, "component_share:db").value == pytest.approx(0.5)
    assert named(figures, "component:db").n == 500
    p95 = next(one for one in series if one.name == "p95")
    assert p95.values[0] == pytest.approx(1.0)
    assert p95.values[5] == pytest.approx(0.01)


def test_the_order_in_which_answers_came_makes_no_difference():
    values = np.random.default_rng(3).lognormal(-4, 0.5, 2000)
    samples, shuffled = make_samples(values), make_samples(values)
    np.random.default_rng(1).shuffle(shuffled.rows)

    assert figures_of(samples, begin=0, end=40) == figures_of(shuffled, begin=0, end=40)


@pytest.mark.parametrize(("key", "n"), [("p50", 6), ("p90", 30), ("p95", 60), ("p99", 300), ("p999", 3000)])
def test_a_percentile_is_told_from_three_values_beyond_it_on(key, n):
    enough, too_few = (figure_of_values("latency", "s", np.linspace(1, 2, many)) for many in (n, n - 1))

    assert getattr(enough, key) is not None
    assert getattr(too_few, key) is None


def test_series_count_what_ended_and_what_was_in_flight():
    samples = make_samples([2.0] * 100, rate=10)

    series = {one.name: one for one in series_of(samples)}

    assert series["arrivals"].values[:9] == pytest.approx(10.0)
    assert series["throughput"].values[:2] == pytest.approx(0.0)
    assert series["throughput"].values[4] == pytest.approx(10.0)
    assert series["in_flight"].values[5] == pytest.approx(20.0, abs=1)
    assert np.isnan(series["error_share"].values[0])
    assert all(len(one.times) <= 601 for one in series_of(make_samples([0.1] * 5000, rate=1)))


def test_a_million_requests_are_counted_in_little_memory():
    code = """
import numpy as np, re, sys
from performance.figures import figures_of, series_of
from performance.samples import SAMPLE, Samples, COMPONENT
n = int(sys.argv[1])
rows = np.zeros(n, SAMPLE)
rows["intended"] = np.arange(n) / 5000
rows["latency"] = np.random.default_rng(1).lognormal(-5, 0.5, n)
rows["service"] = rows["latency"]
rows["request"] = np.arange(n) % 3
rows["status"] = 200
samples = Samples(["a", "b", "c"], [], rows, np.zeros(0, COMPONENT))
assert len(figures_of(samples, begin=0.0, end=n / 5000)) == 20
assert series_of(samples)
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
    peaks = [
        int(subprocess.check_output([sys.executable, "-c", code, str(n)], cwd=ROOT, text=True))
        for n in (1000, 1_000_000)
    ]

    assert peaks[1] < 200_000  # kilobytes, all of Python and NumPy included
    assert peaks[1] > peaks[0]
