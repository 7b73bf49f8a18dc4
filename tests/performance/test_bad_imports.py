"""What can't be read as a result: each gets an error that says what to do."""

import gzip
import io
import json

import pytest

from performance.imports import UnreadableResult, read_results

GOOGLE = {
    "context": {},
    "benchmarks": [{"name": "a", "run_type": "iteration", "real_time": 1, "time_unit": "eons"}],
}
HEADER = b"timeStamp,elapsed,label,success\n"
BAD = {
    "nothing": (b"", "empty"),
    "white space": (b" \n\t", "empty"),
    "prose": (b"all was well\n", "no known tool"),
    "JSON of something else": (b'{"hello": 1}', "no known tool"),
    "a list": (b"[1, 2]", "no known tool"),
    "cut off JSON": (b'{"metrics": {"http_req_duration": {"avg": 1', "cut off"),
    "cut off gzip": (gzip.compress(b'{"metrics": {}}')[:12], "gzip"),
    "not UTF-8": (b'{"metrics": "\xff\xfe"}', "UTF-8"),
    "no request at all": (HEADER, "no measurement"),
    "no metric at all": (b'{"metrics": {}}', "no measurement"),
    "a metric that is none": (b'{"metrics": {"http_reqs": 3}}', "no object"),
    "a word for a number": (HEADER + b"1772614800000,quick,front,true\n", "not a number"),
    "a name for each request": (
        HEADER + b"".join(b"1772614800000,20,/item/%d,true\n" % number for number in range(1001)),
        "one name without ids",
    ),
    "a time stamp in words": (HEADER + b"2026/03/04 10:00,20,front,true\n", "milliseconds"),
    "a negative latency": (HEADER + b"1772614800000,-5,front,true\n", "negative"),
    "no header": (b"1772614800000,20,front,200\n", "print_field_names"),
    "a damaged line": (
        b'{"type":"Metric","data":{},"metric":"x"}\n{"metric":"http_req_duration","type":"Poi\n',
        "line 2",
    ),
    "a line without end": (
        b'{"type":"Metric","data":{},"metric":"x"}\n"http_req_duration' + b"x" * 2**21,
        "longer",
    ),
    "another XML": (b"<jmeterTestPlan/>", "not the test plan"),
    "cut off XML": (b'<testResults><sample t="1" ts="1" s="true" lb="a"/>', "cut off"),
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><testResults>&b;</testResults>', "DTD"),
    "a deep hole": (b"[" * 100_000, "too deep|cut off"),
    "an unknown unit": (json.dumps(GOOGLE).encode(), "eons"),
    "a benchmark without stats": (b'{"machine_info": {}, "benchmarks": [{"name": "a"}]}', "no stats"),
    "a time that is none": (
        b'{"results": [{"command": "make", "mean": 1, "median": 1, "times": [0.1, NaN, 0.2]}]}',
        "a time of make is NaN .not a number., which is no measurement; measure it again",
    ),
    "a time without end": (
        b'{"results": [{"command": "make", "median": 1e999, "mean": 1}]}',
        "the median of make is infinite, which is no measurement",
    ),
    "a mean that is left out": (
        b'{"results": [{"command": "make", "median": 1, "mean": null}]}',
        "the mean of make is missing",
    ),
    "no histogram": (
        b'[{"name": "/", "response_times": 5, "num_requests": 1, "start_time": 1}]',
        "no histogram",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_an_error_that_says_what_to_do(what):
    data, said = BAD[what]

    with pytest.raises(UnreadableResult, match=said):
        read_results(io.BytesIO(data))
