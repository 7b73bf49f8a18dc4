"""Results as other versions and options of the tools write them: each figure is known from making it."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from performance.imports import UnreadableResult, read_results

BEGIN = datetime(2026, 3, 4, 9, tzinfo=UTC)
SECONDS = int(BEGIN.timestamp())


def read(data):
    text = data if isinstance(data, str) else json.dumps(data)
    return read_results(io.BytesIO(text.encode()))


def by_name(data):
    return {(one.name, one.metric): one for one in read(data)}


def k6_points(times):
    """An answer a second that took 500 ms, the second one failed."""
    lines = ["metric_name,timestamp,metric_value,name"]
    for place, time in enumerate(times):
        lines += [f"http_req_duration,{time},500,front", f"http_req_failed,{time},{int(place == 1)},front"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda seconds: str(seconds * 10**3),
        lambda seconds: str(seconds * 10**6),
        lambda seconds: str(seconds * 10**9),
        lambda seconds: (BEGIN + timedelta(seconds=seconds - SECONDS)).isoformat(),
        lambda seconds: f"2026-03-04T09:00:{seconds - SECONDS:02}.123456789Z",
    ],
    ids=["unix", "unix_milli", "unix_micro", "unix_nano", "rfc3339", "rfc3339_nano"],
)
def test_k6_tables_say_the_same_in_every_format_of_their_times(written):
    found = by_name(k6_points([written(SECONDS + place) for place in range(11)]))

    assert found["front", "throughput"].mean == pytest.approx(11 / 10.5)
    assert found["front", "latency"].errors == 1
    assert abs(found["front", "latency"].started_at - BEGIN) < timedelta(seconds=1)


K6_SUMMARY = {
    "metrics": {
        "http_req_duration": {"avg": 100, "med": 90, "p(95)": 200, "p(99.9)": 280},
        "http_req_duration{name:cart}": {"avg": 120, "med": 110, "p(95)": 210},
        "http_req_blocked": {"avg": 1, "med": 0.5, "p(95)": 2},
        "http_req_failed": {"value": 0.1, "passes": 10, "fails": 90},
        "http_reqs": {"count": 100, "rate": 10},
        "iterations": {"count": 50, "rate": 5},
        "iteration_duration": {"avg": 1000, "med": 900},
    }
}


def test_a_k6_summary_has_one_latency_of_all_requests_and_its_parts_beside_it():
    found = by_name(K6_SUMMARY)

    whole = {name for (name, _), one in found.items() if one.is_whole}
    assert whole == {"http_req_duration", "http_reqs"}
    assert found["http_req_duration", "latency"].p999 == pytest.approx(0.28)
    assert found["http_req_blocked", "time"].p95 == 0.002
    assert found["http_req_duration{name:cart}", "latency"].n == 0  # k6 does not say how many


@pytest.mark.parametrize(
    ("stats", "p50", "p95"),
    [({"avg": 100, "p(95)": 200}, None, 0.2), ({"avg": 100, "p(50)": 90, "count": 7}, 0.09, None)],
)
def test_a_k6_summary_keeps_whatever_statistics_were_asked_for(stats, p50, p95):
    (found,) = read({"metrics": {"http_req_duration": stats}})

    assert (found.mean, found.p50, found.p95) == (0.1, p50, p95)


JMETER = "timeStamp,elapsed,label,responseMessage,success\n"
TRANSACTION = '"Number of samples in transaction : 2, number of failing samples : 0"'


def test_a_jmeter_transaction_is_no_request_of_its_own():
    rows = f"1000,100,cart,OK,true\n1100,200,pay,OK,false\n1000,300,checkout,{TRANSACTION},false\n"
    found = by_name(JMETER + rows)

    assert sum(one.n for one in found.values() if one.metric == "latency") == 2
    assert (found["checkout", "time"].p50, found["checkout", "time"].errors) == (0.3, 1)
    assert ("checkout", "throughput") not in found


def test_a_jmeter_table_of_transactions_alone_is_told_by_them():
    (latency, rate) = read(JMETER + f"1000,300,checkout,{TRANSACTION},true\n")

    assert (latency.metric, latency.n, rate.metric) == ("latency", 1, "throughput")


def test_a_table_that_was_cut_off_is_refused_instead_of_counting_an_error():
    with pytest.raises(UnreadableResult, match=r"line 3 .* cut off"):
        read(JMETER + "1000,100,cart,OK,true\n1100,20")


LOCUST = "Type,Name,Request Count,Failure Count,Average Response Time,Requests/s,50%,90%,95%,99%\n"


def test_what_locust_says_of_all_requests_is_kept_as_such():
    rows = "GET,/,100,10,100,10,90,150,200,300\nPOST,/,50,0,1000,5,900,1500,2000,2200\n"
    found = read(LOCUST + rows + ",Aggregated,150,10,400,15,100,1400,1800,2100\n")

    whole = {one.metric: one for one in found if one.is_whole}
    assert (whole["latency"].n, whole["latency"].errors, whole["latency"].p95) == (150, 10, 1.8)
    assert whole["throughput"].mean == 15
    assert len([one for one in found if not one.is_whole]) == 4


def test_locusts_histograms_together_are_that_of_all_requests():
    kinds = [("/", {"10": 90}, 0), ("/pay", {"10": 5, "1000": 5}, 2)]
    found = read(
        [
            {
                "name": name,
                "method": "GET",
                "num_requests": sum(times.values()),
                "num_failures": failed,
                "start_time": SECONDS,
                "last_request_timestamp": SECONDS + 10,
                "total_response_time": sum(int(time) * many for time, many in times.items()),
                "response_times": times,
            }
            for name, times, failed in kinds
        ]
    )

    (latency, rate) = [one for one in found if one.is_whole]
    assert (latency.n, latency.errors, latency.p50, latency.p99) == (100, 2, 0.01, 1.0)
    assert latency.mean == pytest.approx((95 * 0.01 + 5 * 1.0) / 100)
    assert rate.mean == 10


def test_a_history_of_locust_without_a_median_is_read_without_one():
    header = (
        "Timestamp,Type,Name,Total Request Count,Total Median Response Time,Total Average Response Time\n"
    )
    found = by_name(header + "1000,,Aggregated,0,N/A,0\n1010,,Aggregated,50,N/A,20\n")

    assert (found["", "latency"].p50, found["", "latency"].mean) == (None, 0.02)


def repetition(name, time, **more):
    return {"name": name, "iterations": 10, "real_time": time, "cpu_time": time, "time_unit": "us", **more}


def test_google_benchmark_before_1_5_names_its_aggregates_only_by_their_ends():
    own = [repetition("BM_a", time) for time in (10, 20, 60)]
    sums = [repetition(f"BM_a_{kind}", 30) for kind in ("mean", "median", "stddev")]

    (both,) = read({"context": {}, "benchmarks": own + sums})
    (alone,) = read({"context": {}, "benchmarks": sums})

    assert (both.name, both.n, both.mean) == ("BM_a", 3, pytest.approx(30e-6))
    assert (alone.name, alone.p50, alone.values) == ("BM_a", pytest.approx(30e-6), None)


def test_a_google_benchmark_that_ends_like_an_aggregate_is_none():
    (found,) = read({"context": {}, "benchmarks": [repetition("BM_mean", 10)]})

    assert (found.name, found.n) == ("BM_mean", 1)


def test_google_benchmark_with_a_mean_alone_and_one_that_was_skipped():
    mean = repetition("a_mean", 3, run_name="a", run_type="aggregate", aggregate_name="mean", repetitions=4)
    skipped = {"name": "b", "run_type": "iteration", "skipped": True, "skip_message": "no GPU"}

    (found,) = read({"context": {}, "benchmarks": [mean, skipped]})

    assert (found.n, found.mean, found.p50) == (4, pytest.approx(3e-6), None)


def hyperfine(*results):
    return {"results": [{"command": "make", "mean": 1.5, "median": 1.5, **one} for one in results]}


def test_two_commands_of_one_name_are_two_results():
    threads = [{"times": [time], "parameters": {"threads": str(time)}} for time in (1, 2)]
    plain = [{"times": [3]}, {"times": [4]}]

    found = read(hyperfine(*threads, *plain))

    assert [(one.name, one.p50) for one in found] == [
        ("make (threads=1)", 1),
        ("make (threads=2)", 2),
        ("make", 3),
        ("make (2)", 4),
    ]


def test_a_command_that_a_signal_ended_has_failed():
    (found,) = read(hyperfine({"times": [1, 2, 3], "exit_codes": [0, None, 2]}))

    assert found.errors == 2


@pytest.mark.parametrize(
    "result",
    [
        {"times": [1.0, float("nan")]},
        {"times": [float("inf")]},
        {"times": [1.0, None]},
        {"times": [], "mean": float("nan")},
        {"times": [], "mean": None},
    ],
)
def test_what_hyperfine_could_not_measure_is_told_in_words(result):
    with pytest.raises(UnreadableResult) as told:
        read(hyperfine(result))

    assert "hyperfine" in str(told.value)
    assert "make" in str(told.value)
    assert "measure it again" in str(told.value)
    assert "edited" not in str(told.value)
    assert not {"None", "nan", "inf"} & set(str(told.value).replace(",", "").replace(";", "").split())
