"""Once a second a generator looks whether its target, or itself, gives way."""

import json

import numpy as np
import pytest

from performance.generators.watching import Lags, Watch
from performance.samples import CHECK_FAILED, NOT_CONNECTED
from performance.specification import read_spec
from tests.performance.factories import make_samples


def watch_of(tmp_path, **more):
    spec = read_spec({"requests": [{}], "arrival": {"kind": "constant", "rate": 10}, "duration": 60, **more})
    return Watch(spec, tmp_path)


def second(latency=0.01, *, n=20, flags=0, status=200):
    rows = make_samples([latency] * n, statuses=status).rows
    rows["flags"] |= flags
    return rows


def look(watch, seconds, rows, *, begin=10, lags=(), ages=()):
    """Let the same second pass again and again; return how it ended, if it did."""
    for number in range(seconds):
        if end := watch.tick(begin + number, rows, list(lags), list(ages)):
            return end
    return None


def test_a_load_that_goes_well_goes_on_and_says_how(tmp_path):
    watch = watch_of(tmp_path)

    assert look(watch, 20, second(), lags=[0.0001] * 20, ages=[0.1]) is None

    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["requests"], told["errors"], told["in_flight"]) == (400, 0, 1)
    assert told["p95"] == pytest.approx(0.01)
    assert watch.limit() == ""


def test_errors_end_it_but_not_before_its_time(tmp_path):
    watch = watch_of(tmp_path, warmup=5, abort={"error_share": 0.3, "after": 5})

    assert look(watch, 5, second(flags=CHECK_FAILED), begin=5) is None
    end = look(watch, 5, second(flags=CHECK_FAILED), begin=10)

    assert end.reason == "aborted"
    assert "100% of the requests" in end.text


def test_a_slow_target_ends_it_and_who_still_waits_counts(tmp_path):
    slow = look(watch_of(tmp_path, abort={"p95": 0.5}), 5, second(0.6))
    hanging = look(watch_of(tmp_path, abort={"p95": 0.5}), 5, second(0.01, n=3), ages=[2.0] * 20)
    quick = look(watch_of(tmp_path, abort={"p95": 0.5}), 5, second(0.01), ages=[0.01] * 20)

    assert slow.reason == hanging.reason == "aborted"
    assert "95th percentile" in hanging.text
    assert quick is None


def test_a_target_that_is_gone_is_an_error_whatever_the_limits_say(tmp_path):
    watch = watch_of(tmp_path, abort={"p95": 100})
    gone = second(0.0, status=0)

    assert look(watch, 2, gone) is None
    assert look(watch, 1, second()) is None  # it was back
    end = look(watch, 3, gone)

    assert end.reason == "error"
    assert gone["flags"][0] == NOT_CONNECTED


def test_the_generator_says_when_it_was_the_limit(tmp_path):
    behind = watch_of(tmp_path)
    look(behind, 5, second(0.02), lags=[0.012] * 20)
    steady = watch_of(tmp_path)
    look(steady, 5, second(2.0), lags=[0.012] * 20)
    busy = watch_of(tmp_path)
    for number in range(5):
        busy.tick(number, second(0.01), [0.002] * 20, [], cpu=0.99)

    assert "was behind: one request in twenty was sent 12" in behind.limit()
    assert steady.limit() == ""  # 12 ms are nothing beside two seconds
    assert "used 99% of a core" in busy.limit()
    assert "could not send 500" in watch_of(tmp_path).limit(left_unsent=500)


def test_lags_are_counted_within_five_percent():
    lags = Lags()
    values = np.random.default_rng(1).lognormal(-7, 1, 20_000)
    for piece in np.split(values, 20):
        lags.add(piece.tolist())

    for q in (0.5, 0.95, 0.99):
        assert lags.quantile(q) == pytest.approx(np.quantile(values, q), rel=0.06)
    assert lags.mean == pytest.approx(values.mean())
    assert lags.as_facts()["max"] == pytest.approx(values.max(), rel=0.01)
    assert Lags().quantile(0.5) == Lags().mean == 0.0
