"""Results of other tools, made by them or after their documentation, and what users might send instead."""

import copy
import csv
import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.imports import UnreadableResult, read_results

SAMPLES = Path(__file__).parent / "samples"


def read(name):
    return {(one.name, one.metric): one for one in read_results(io.BytesIO((SAMPLES / name).read_bytes()))}


@pytest.mark.parametrize("name", ["k6_points.json", "k6_points.csv"])
def test_k6_points_are_single_requests_with_their_failures(name):
    found = read(name)

    front, buy = found["http://127.0.0.1/", "latency"], found["http://127.0.0.1/buy", "latency"]
    assert list(front.values) == [0.1, 0.2]
    assert (front.tool, front.unit, front.less_is_better, front.n, front.errors) == ("k6", "s", True, 2, 0)
    assert (buy.n, buy.p50, buy.errors) == (1, 0.05, 1)
    assert front.started_at.replace(microsecond=0) == datetime(
        2026, 3, 4, 9, 0, front.started_at.second, tzinfo=UTC
    )
    assert found["http://127.0.0.1/", "throughput"].unit == "1/s"
    assert not found["http://127.0.0.1/", "throughput"].less_is_better


@pytest.mark.parametrize(
    ("name", "p99"), [("k6_summary_export.json", None), ("k6_handle_summary.json", 0.2905)]
)
def test_k6_summaries_have_percentiles_and_no_single_values(name, p99):
    found = read(name)

    latency = found["http_req_duration", "latency"]
    assert (latency.n, latency.errors, latency.values) == (200, 3, None)
    assert (latency.mean, latency.p50, latency.p90, latency.p95) == (0.1045, 0.1015, 0.1305, 0.15125)
    assert latency.p99 == p99
    assert found["http_reqs", "throughput"].mean == 20.5
    assert ("cart_size", "time") not in found


@pytest.mark.parametrize(("name", "gone"), [("jmeter.csv", 'gone, "really"'), ("jmeter.xml", "gone")])
def test_jmeter_counts_each_sample_once_and_its_failures(name, gone):
    found = read(name)

    front = found["front", "latency"]
    assert list(front.values) == pytest.approx([0.12, 0.08, 0.1])
    assert front.started_at == datetime(2026, 3, 4, 9, tzinfo=UTC)
    assert (found[gone, "latency"].n, found[gone, "latency"].errors) == (1, 1)
    assert found["front", "throughput"].mean == pytest.approx(3 / 2.0)
    assert not any(name.startswith("front-") for name, _ in found)


@pytest.mark.parametrize(
    ("name", "n", "failed"),
    [("locust_stats.csv", 139, 55), ("locust_stats_history.csv", 139, 55), ("locust.json", 166, 69)],
)
def test_locust_says_the_same_by_table_history_and_document(name, n, failed):
    found = read(name)

    front, gone = found["GET /", "latency"], found["GET /gone", "latency"]
    assert (front.n, front.errors, gone.errors) == (n, 0, failed)
    assert front.p50 == 0.006
    assert front.mean == pytest.approx(0.0097, abs=0.0006)
    assert found["GET /", "throughput"].mean == pytest.approx(34.5, abs=0.5)
    assert not any("Aggregated" in name for name, _ in found)


def test_percentiles_of_locusts_last_seconds_are_not_taken_for_those_of_the_run():
    assert read("locust_stats_history.csv")["GET /", "latency"].p95 is None
    assert read("locust_stats.csv")["GET /", "latency"].p95 == 0.022


def test_benchmarks_give_a_value_for_each_repetition():
    hyperfine = read("hyperfine.json")["sleep 0.02", "time"]
    rounds = read("pytest_benchmark_rounds.json")["t_bench.py::test_sum", "time"]
    google = read("google_benchmark.json")

    assert (len(hyperfine.values), hyperfine.n, hyperfine.errors) == (6, 6, 0)
    assert hyperfine.p50 == pytest.approx(0.0226, abs=0.001)
    assert len(rounds.values) == 5
    assert rounds.p50 == pytest.approx(1.2275e-05, abs=1e-9)
    assert read("pytest_benchmark.json")["t_bench.py::test_sum", "time"].values is None
    assert len(google["BM_Fill/8/repeats:3", "time"].values) == 3  # without its mean, median and deviation
    assert google["BM_Fill/8/repeats:3", "time"].p50 < 1e-6
    assert not google["BM_Fill/8/repeats:3", "throughput"].less_is_better


def test_the_same_comes_out_of_gzip():
    plain = (SAMPLES / "jmeter.csv").read_bytes()

    assert [one.n for one in read_results(io.BytesIO(gzip.compress(plain)))] == [
        one.n for one in read_results(io.BytesIO(plain))
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from(sorted(SAMPLES.iterdir())).flatmap(
        lambda path: st.integers(0, path.stat().st_size).map(lambda end: path.read_bytes()[:end])
    )
)
def test_whatever_is_sent_is_read_or_refused_never_worse(data):
    try:
        found = read_results(io.BytesIO(data))
    except UnreadableResult:
        return
    assert all(one.n >= 0 and one.tool for one in found)


DOCUMENTS = [
    json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json")) if "points" not in path.name
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(DOCUMENTS),
    st.randoms(use_true_random=False),
    st.sampled_from([None, -1, "x", [], {}, 1e308]),
)
def test_a_document_with_one_thing_wrong_is_read_or_refused(document, chance, wrong):
    document = copy.deepcopy(document)
    node = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = chance.choice(keys)
        if not isinstance(node[key], dict | list) or not node[key] or chance.random() < 0.2:
            break
        node = node[key]
    node[key] = wrong
    try:
        found = read_results(io.BytesIO(json.dumps(document).encode()))
    except UnreadableResult:
        return
    assert all(one.n >= 0 and one.tool for one in found)


LATENCIES = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8).filter(str.strip),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(LATENCIES, st.sampled_from(",;\t"))
def test_what_is_written_as_a_jmeter_table_is_read_back(requests, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["timeStamp", "elapsed", "label", "success"])
    for name, times in requests.items():
        writer.writerows([1772614800000 + place, time, name, "true"] for place, time in enumerate(times))

    found = read_results(io.BytesIO(text.getvalue().encode()))

    latencies = {one.name: one for one in found if one.metric == "latency"}
    assert {name: [round(v * 1000) for v in one.values] for name, one in latencies.items()} == requests
    for one in latencies.values():
        assert one.p90 == pytest.approx(np.quantile(one.values, 0.9))


@settings(max_examples=60, deadline=None)
@given(LATENCIES)
def test_what_is_written_as_k6_points_is_read_back(requests):
    lines = ['{"type":"Metric","data":{},"metric":"http_req_duration"}']
    for name, times in requests.items():
        for time in times:
            data = {"time": "2026-03-04T10:00:00Z", "value": time, "tags": {"name": name}}
            lines.append(json.dumps({"metric": "http_req_duration", "type": "Point", "data": data}))

    found = read_results(io.BytesIO("\n".join(lines).encode()))

    latencies = {one.name: one.values for one in found if one.metric == "latency"}
    assert {name: [round(v * 1000) for v in values] for name, values in latencies.items()} == requests


def test_memory_grows_by_a_few_bytes_a_request(tmp_path):
    path = tmp_path / "large.jtl"
    header = "timeStamp,elapsed,label,success\n"
    lines = [
        header,
        *(f"{1772614800000 + i},{i % 97},front {i % 5},true\n" for i in range(20_000)),
    ]
    path.write_text("".join(lines))
    del lines
    read("jmeter.csv")  # what is loaded once is no part of it
    tracemalloc.start()

    with path.open("rb") as stream:
        found = read_results(stream)

    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(one.n for one in found if one.metric == "latency") == 20_000
    assert most < 20_000 * 40


def test_a_run_without_http_is_told_by_its_iterations():
    point = {
        "metric": "iteration_duration",
        "type": "Point",
        "data": {"time": "2026-03-04T10:00:00Z", "value": 500},
    }

    (found,) = [
        one for one in read_results(io.BytesIO(json.dumps(point).encode())) if one.metric == "latency"
    ]

    assert (found.name, found.p50) == ("all", 0.5)


def test_a_google_benchmark_with_aggregates_only_and_one_that_failed():
    aggregate = {"run_name": "a", "run_type": "aggregate", "time_unit": "ms"}
    entries = [
        {**aggregate, "aggregate_name": "mean", "real_time": 3},
        {**aggregate, "aggregate_name": "median", "real_time": 2, "repetitions": 7},
        {"name": "b", "run_type": "iteration", "error_occurred": True, "error_message": "no such file"},
    ]
    document = {"context": {"date": "no date"}, "benchmarks": entries}

    a, b = read_results(io.BytesIO(json.dumps(document).encode()))

    assert (a.n, a.mean, a.p50, a.started_at) == (7, 0.003, 0.002, None)
    assert (b.n, b.errors) == (0, 1)


def test_hyperfine_without_single_times_still_has_its_summary():
    document = {"results": [{"command": "make", "mean": 2.0, "median": 1.5, "exit_codes": [0, 1]}]}

    (found,) = read_results(io.BytesIO(json.dumps(document).encode()))

    assert (found.mean, found.p50, found.values, found.errors) == (2.0, 1.5, None, 1)
