"""What a workload may say, and that every fault is told with its path."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.specification import FaultySpec, LoadSpec, read_spec

GOOD = {"requests": [{"path": "/"}], "users": 1, "duration": 10}


def faults_of(**changes):
    with pytest.raises(FaultySpec) as caught:
        read_spec({**GOOD, **changes})
    return caught.value.faults


def test_what_is_left_out_has_its_usual_value():
    spec = read_spec(GOOD)

    assert (spec.timeout, spec.connections, spec.warmup, spec.verify_tls) == (10.0, 64, 0.0, True)
    assert spec.requests[0].name == "GET /"
    assert spec.limits.error_share == 0.01
    assert spec.abort.error_share == 0.5


def test_a_whole_specification_is_read():
    spec = read_spec(
        {
            "requests": [
                {
                    "name": "order",
                    "method": "POST",
                    "path": "/orders/{{n}}",
                    "headers": {"X-Shop": "1"},
                    "body": {"user": "{{user}}"},
                    "weight": 3,
                    "checks": {"status": 201, "json": {"ok": True}, "max_latency": 0.5, "max_bytes": 1000},
                }
            ],
            "arrival": {"kind": "steps", "rates": [10, 20], "step_duration": 5, "spacing": "poisson"},
            "think_time": 0.5,
            "auth": {"kind": "header", "header": "X-Key", "secret": "key"},
            "data": {"rows": [{"user": "ada"}, {"user": "bob"}]},
            "abort": {"p95": 2.0, "after": 3},
            "limits": {"p95": 1.0},
            "workers": ["load-2"],
        }
    )

    assert spec.duration == 10.0
    assert spec.requests[0].body_is_json
    assert json.loads(spec.requests[0].body) == {"user": "{{user}}"}
    assert spec.requests[0].checks.status == (201,)
    assert spec.think_time == (0.5, 0.5)
    assert spec.abort.error_share is None
    assert spec.data.rows[1] == {"user": "bob"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"requests": []}, "requests: must have at least one request."),
        ({"requests": "x"}, "requests: must be a list, not 'x'."),
        ({"requests": ["x"]}, "requests[0]: must be a table of keys and values, not 'x'."),
        ({"requests": [{"path": "x"}]}, "requests[0].path: must begin with / "),
        ({"requests": [{"path": "/a b"}]}, "requests[0].path: must begin with / "),
        ({"requests": [{"path": "/a\r\nX: y"}]}, "requests[0].path: must begin with / "),
        ({"requests": [{"method": "TRACE"}]}, "requests[0].method: must be one of GET, HEAD"),
        ({"requests": [{"headers": {"Host": "evil"}}]}, "requests[0].headers.Host: can't be set"),
        ({"requests": [{"headers": {"hOST": "evil"}}]}, "requests[0].headers.hOST: can't be set"),
        ({"requests": [{"headers": {"A": "b\r\nHost: evil"}}]}, "requests[0].headers.A: must be plain ASCII"),
        ({"requests": [{"headers": {"Upgrade": "h2"}}]}, "requests[0].headers.Upgrade: can't be set"),
        ({"requests": [{"headers": {"A b": "c"}}]}, "requests[0].headers.A b: is no name of a header."),
        ({"requests": [{"weight": 0}]}, "requests[0].weight: must be a number from 0.0001"),
        ({"requests": [{"checks": {"status": ["200"]}}]}, "requests[0].checks.status: must be a list"),
        ({"requests": [{"checks": {"statuses": 200}}]}, "requests[0].checks.statuses: is not known here"),
        ({"requests": [{"name": "a"}, {"name": "a"}]}, "requests: has the name 'a' more than once."),
        ({"requests": [{"path": "/{{file}}"}]}, "requests[0]: uses {{file}}, but `data.files` makes"),
        ({"users": 0}, "Say `arrival`"),
        ({"users": True}, "users: must be a whole number from 0 to 100,000, not true."),
        ({"duration": None}, "duration: say how long the load lasts"),
        ({"duration": -1}, "duration: must be a number from 0.1"),
        ({"duration": float("nan")}, "duration: must be a number from 0.1"),
        ({"think_time": [2, 1]}, "think_time: must be two numbers of seconds, the lower first"),
        ({"arrival": {"kind": "constant"}}, "arrival.rate: is needed for constant"),
        ({"arrival": {"kind": "waves"}}, "arrival.kind: must be one of constant, ramp, steps, spikes"),
        ({"arrival": {"kind": "steps", "rates": [0]}}, "arrival.rates.0: must be a number from 0.001"),
        ({"arrival": {"kind": "steps", "rates": [5], "step_duration": 3}}, "duration: is 10, but the steps"),
        ({"arrival": {"kind": "spikes", "rate": 1, "spike_rate": 9, "spike_every": 1, "spike_duration": 2}},
         "arrival.spike_duration: must be shorter than spike_every."),
        ({"arrival": {"kind": "constant", "rate": 100_000}, "duration": 86_400}, "duration: plans more than"),
        ({"auth": {"kind": "bearer"}}, "auth.secret: is needed"),
        ({"auth": {"kind": "header", "secret": "a", "header": "Host"}}, "auth.header.Host: can't be set"),
        ({"data": {}}, "data: says neither `files` nor `rows`."),
        ({"data": {"rows": [{"a": 1}, {"b": 1}]}}, "data.rows: must be tables that all have the same keys."),
        ({"data": {"files": 9000, "size": 1 << 30}}, "data.size: makes more than 1 GB of files"),
        ({"workers": ["; rm"]}, "workers: must be names of machines"),
        ({"colour": 1}, "colour: is not known here; there are abort, arrival, auth"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_path(changes, fault):
    found = faults_of(**changes)

    assert [line for line in found if line.startswith(fault)], found


def test_all_faults_are_told_at_once():
    found = faults_of(timeout="x", requests=[{"path": "x"}, {"weight": -1}], abort={"p95": 0})

    paths = [line.split(":")[0] for line in found]
    assert paths == ["requests[0].path", "requests[1].weight", "timeout", "abort.p95"]


def test_with_a_locust_file_of_the_teams_own_requests_are_left_out():
    assert read_spec({"users": 5, "duration": 1}, own_locustfile=True).requests == ()
    with pytest.raises(FaultySpec, match="requests: must be left out"):
        read_spec(GOOD, own_locustfile=True)
    with pytest.raises(FaultySpec, match="arrival: must be left out"):
        read_spec({"arrival": {"kind": "constant", "rate": 5}, "duration": 1}, own_locustfile=True)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_keys = st.sampled_from(list(LoadSpec.__dataclass_fields__))


@settings(max_examples=60)
@given(st.dictionaries(_keys, _json, max_size=6) | _json)
def test_whatever_is_given_is_read_or_refused(data):
    with contextlib.suppress(FaultySpec):
        assert isinstance(read_spec(data), LoadSpec)


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "X-API-Key", "X-Auth-Token"])
def test_a_secret_is_never_written_into_a_load(name):
    def load(value):
        requests = [{"path": "/", "headers": {name: value}}]
        return {"requests": requests, "users": 1, "duration": 1}

    with pytest.raises(FaultySpec) as told:
        read_spec(load("Bearer s3cr3t"))

    assert f"headers.{name}: is a secret" in str(told.value)
    assert "s3cr3t" not in str(told.value)
    assert read_spec(load("Bearer {{token}}")).requests[0].headers == {name: "Bearer {{token}}"}
