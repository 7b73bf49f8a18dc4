"""Samples packed and unpacked, windows that NumPy would compute, requests that stand out."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.latency import NO_ANSWER, Samples, pack, unpack
from analysis.windows import outliers, over_time

ROWS = st.lists(
    st.tuples(st.floats(0, 1e5), st.floats(0, 4000), st.integers(0, 65535), st.integers(0, 255)), max_size=60
)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_packed_samples_come_back_to_the_microsecond_in_the_order_of_sending(rows):
    samples = Samples.of(*map(list, zip(*rows, strict=True))) if rows else Samples.of([], [])

    again = unpack(pack(samples))

    order = np.argsort(samples.sent, kind="stable")
    assert again.sent == pytest.approx(samples.sent[order], abs=6e-7)
    assert again.latency == pytest.approx(samples.latency[order], abs=6e-7)
    assert list(again.request) == list(samples.request[order])
    assert list(again.status) == list(samples.status[order])


def test_a_request_takes_a_handful_of_bytes():
    chance = np.random.default_rng(1)
    n = 50_000
    samples = Samples.of(
        np.sort(chance.uniform(0, 60, n)),
        chance.lognormal(-4, 0.5, n),
        chance.integers(0, 5, n),
        np.full(n, 2),
    )

    assert len(pack(samples)) / n < 6


SOUND = pack(Samples.of([0.1, 0.2], [1.0, 2.0]))
BOMB = b"RTL1" + struct.pack("<Q", 1) + zlib.compress(b"\0" * 10**7)


@pytest.mark.parametrize(
    "data",
    [b"", b"RTL1", b"PK\x03\x04" * 9, SOUND[:-6], SOUND[:12] + b"x" * 20, BOMB, SOUND[:4] + b"\xff" * 8],
)
def test_bytes_that_are_no_samples_are_refused(data):
    with pytest.raises(ValueError, match=r"samples"):
        unpack(data)


@pytest.mark.parametrize(
    "columns",
    [
        ([0.0], [1.0, 2.0]),
        ([-1.0], [1.0]),
        ([0.0], [5000.0]),
        ([0.0], [float("nan")]),
        ([0.0], [1.0], [70_000]),
        ([0.0], [1.0], [0], [300]),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns):
    with pytest.raises(ValueError, match=r"same length|must lie|lies between"):
        Samples.of(*columns)


@settings(max_examples=80, deadline=None)
@given(ROWS, st.floats(0.5, 5000))
def test_windows_are_what_numpy_computes_for_each(rows, width):
    samples = Samples.of(*map(list, zip(*rows, strict=True))) if rows else Samples.of([], [])

    found = over_time(samples, width=width, quantiles=(0.5, 0.95))

    assert found.n.sum() == len(samples)
    for place in np.flatnonzero(found.n)[:10]:
        inside = samples.latency[(samples.sent / width).astype(int) == place]
        assert found.quantiles[place] == pytest.approx(np.quantile(inside, [0.5, 0.95]))
        assert found.mean[place] == pytest.approx(inside.mean())
    assert np.isnan(found.quantiles[found.n == 0]).all()


def test_a_run_that_ends_in_silence_has_its_empty_windows_and_failures_are_counted():
    samples = Samples.of([0.5, 0.6, 2.5], [0.1, 0.2, 0.3], [0, 0, 0], [2, 5, NO_ANSWER])

    found = over_time(samples, width=1, length=5)

    assert list(found.start) == [0, 1, 2, 3, 4]
    assert list(found.n) == [2, 0, 1, 0, 0]
    assert list(found.failed) == [1, 0, 1, 0, 0]
    assert list(over_time(Samples.of([], []), width=1, length=2).n) == [0, 0]
    with pytest.raises(ValueError, match="window"):
        over_time(samples, width=0)


def test_slow_outliers_are_named_by_request_and_ordinary_spread_is_not():
    chance = np.random.default_rng(2)
    n = 4000
    latency, request = chance.lognormal(-4, 0.6, n), np.arange(n) % 4
    latency[request == 3] = 0.001
    latency[2::400] = 3.0  # request 2
    samples = Samples.of(np.arange(n) / 100, latency, request)

    (found,) = outliers(samples)

    assert (found.request, found.n, found.count) == (2, 1000, 10)
    assert found.worst == 3.0
    assert found.worst_at == pytest.approx(0.02)
    assert found.share_of_time > 0.5
    assert found.typical == pytest.approx(np.exp(-4), rel=0.1)
    assert outliers(samples.chosen(samples.request != 2)) == []
    assert outliers(Samples.of([0.0] * 5, [1.0, 1.0, 1.0, 1.0, 99.0])) == []
