"""The open-loop generator against a real server, in every way that one may answer or not."""

import json
import signal
import time
import urllib.request

import numpy as np
import pytest

from performance.samples import CHECK_FAILED, NOT_CONNECTED, TIMED_OUT, WARM_UP, read_folder
from tests.command_line import wait_until
from tests.performance.conftest import Load

PATHS = ["/echo", "/chunked", "/closes", "/moved", "/broken", "/drops", "/hangs", "/head"]


def by_request(samples, name):
    return samples.rows[samples.rows["request"] == samples.requests.index(name)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory, target):
    """One load with every kind of answer; (samples, end)."""
    requests = [{"name": path, "path": path} for path in PATHS]
    requests[-1]["method"] = "HEAD"
    requests[1]["checks"] = {"contains": "hello world", "status": 200}
    requests.append({"name": "wrong", "path": "/chunked", "checks": {"contains": "moon"}})
    spec = {
        "requests": requests,
        "arrival": {"kind": "constant", "rate": 150},
        "duration": 1.5,
        "warmup": 0.5,
        "timeout": 0.6,
        "connections": 256,
        "abort": {"error_share": 1.0},
    }
    plan = {"target": target.url, "spec": spec, "seed": 3}
    load = Load(tmp_path_factory.mktemp("load") / "load", plan, {}, "performance.generators.open_loop")
    try:
        return load.wait()
    finally:
        load.kill()


def test_every_intended_request_is_kept_once_whatever_became_of_it(answers):
    samples, end = answers

    assert len(samples.rows) == 300 == end["facts"]["sent"]
    assert np.allclose(np.sort(samples.rows["intended"]), np.arange(300) / 150, atol=1e-5)
    assert samples.measured.sum() == 225
    assert ((samples.rows["flags"] & WARM_UP) != 0).sum() == 75
    assert end["reason"] == "done"
    assert (samples.rows["latency"] >= samples.rows["service"] - 1e-5).all()


@pytest.mark.parametrize(
    ("name", "status", "size", "flag"),
    [
        ("/chunked", 200, 11, 0),
        ("/closes", 200, 13, 0),
        ("/moved", 302, 0, 0),
        ("/head", 200, 0, 0),
        ("/broken", 500, 2, CHECK_FAILED),
        ("wrong", 200, 11, CHECK_FAILED),
        ("/drops", 0, 0, NOT_CONNECTED),
        ("/hangs", 0, 0, TIMED_OUT),
    ],
)
def test_each_kind_of_answer_is_told_apart(answers, name, status, size, flag):
    rows = by_request(answers[0], name)

    assert len(rows) > 5
    assert set(rows["status"]) == {status}
    assert set(rows["bytes"]) == {size}
    assert set(rows["flags"] & ~np.uint8(WARM_UP)) == {flag}


def test_a_request_that_ran_into_its_limit_waited_that_long(answers):
    assert by_request(answers[0], "/hangs")["service"].min() >= 0.59


def test_components_belong_to_their_requests(answers):
    samples, _ = answers

    assert samples.components == ["db", "cache"]
    owners = samples.rows["request"][samples.parts["sample"]]
    assert {samples.requests[number] for number in owners} == {"/echo"}
    assert set(samples.parts["duration"].round(5)) == {np.float32(0.0045), np.float32(0.0005)}


def test_the_facts_tell_how_it_was_measured(answers):
    facts = answers[1]["facts"]

    assert facts["loop"] == "open"
    assert facts["coordinated_omission"].startswith("avoided")
    assert facts["address"] == "127.0.0.1"
    assert facts["ended_at"] - facts["started_at"] > 2.0
    assert set(facts["late"]) == {"p50", "p95", "p99", "max"}


def test_one_connection_makes_requests_wait_and_their_waiting_counts(mortal_target, put_load, tmp_path):
    """The target needs nothing; what is slow is that one at a time is let in, and that is told."""
    spec = {
        "requests": [{"path": "/hangs"}],
        "arrival": {"kind": "constant", "rate": 20},
        "duration": 1,
        "timeout": 0.5,
        "connections": 1,
        "abort": {"error_share": None},
    }

    samples, end = put_load(mortal_target.url, spec).wait()

    assert len(samples.rows) == 20
    assert ((samples.rows["flags"] & TIMED_OUT) != 0).all()
    assert end["facts"]["waited_for_connection"] >= 15


def test_users_of_a_closed_loop_wait_for_their_answers(target, put_load):
    spec = {
        "requests": [{"name": "a", "path": "/echo/{{user}}"}, {"name": "b", "path": "/echo"}],
        "scenario": True,
        "users": 3,
        "max_requests": 60,
        "data": {"rows": [{"user": "ada"}, {"user": "bob"}, {"user": "cyd"}]},
    }

    samples, end = put_load(target.url, spec).wait()

    assert len(samples.rows) == 60
    assert end["facts"]["loop"] == "closed"
    assert end["facts"]["coordinated_omission"].startswith("not avoided")
    assert abs(len(by_request(samples, "a")) - len(by_request(samples, "b"))) <= 3
    begins, ends = samples.rows["sent"], samples.rows["sent"] + samples.rows["service"]
    assert max(((begins <= at) & (ends > at)).sum() for at in begins) <= 3


def test_in_an_open_scenario_each_arrival_is_a_user_who_goes_through_it(target, put_load):
    spec = {
        "requests": [{"name": "a", "path": "/echo"}, {"name": "b", "path": "/echo"}],
        "scenario": True,
        "arrival": {"kind": "constant", "rate": 40},
        "think_time": 0.1,
        "duration": 0.5,
    }

    samples, _ = put_load(target.url, spec).wait()

    first, second = by_request(samples, "a"), by_request(samples, "b")
    assert (len(first), len(second)) == (20, 20)
    assert second["intended"].min() >= 0.1


def test_a_load_that_is_told_to_stop_does_and_keeps_all(target, put_load):
    load = put_load(target.url, {"requests": [{"path": "/echo"}], "users": 2, "duration": 600})
    wait_until(lambda: (load.folder / "progress.json").exists())

    load.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    samples, end = load.wait()

    assert end["reason"] == "stopped"
    assert len(samples.rows) > 10
    assert time.monotonic() - told < 30  # not six hundred
    assert set(json.loads((load.folder / "names.json").read_text())) == {"requests", "components"}


def test_after_a_kill_only_whole_records_are_read(target, put_load):
    load = put_load(target.url, {"requests": [{"path": "/echo"}], "users": 2, "duration": 600})
    wait_until(lambda: (load.folder / "progress.json").exists())

    load.process.kill()
    load.process.wait()

    samples = read_folder(load.folder)
    assert len(samples.rows) > 10
    assert set(samples.rows["status"]) == {200}
    assert samples.parts["sample"].max() < len(samples.rows)


def test_requests_and_secrets_arrive_as_they_were_meant(mortal_target, put_load):
    spec = {
        "requests": [{"method": "POST", "path": "/echo/{{file}}", "body": "{{file_content}}"}],
        "users": 1,
        "max_requests": 2,
        "auth": {"kind": "bearer", "secret": "token"},
        "data": {"files": 1, "size": 300},
    }

    samples, _ = put_load(mortal_target.url, spec, secrets={"token": "s3cr3t"}, run="run-1").wait()
    seen = json.loads(urllib.request.urlopen(f"{mortal_target.url}/seen").read())

    assert samples.requests == ["POST /echo/{{file}}"]
    assert [one["line"].split()[1] for one in seen] == [
        "/echo/run-1-0-file-0.bin",
        "/echo/run-1-1-file-0.bin",
    ]
    assert all("Authorization: Bearer s3cr3t" in one["head"] for one in seen)
    assert all(len(one["body"]) == 300 for one in seen)
