"""`runtrail-client` as CI calls it."""

import subprocess
import sys

import pytest

from tests.client.receiver import ANSWER, hanging_up, with_status
from tests.client.sessions import PLUGIN, PYTHON, SOURCE, environment

JUNIT = '<testsuite name="a" tests="1"><testcase classname="a" name="b" time="0.1"/></testsuite>'


@pytest.fixture
def client(tmp_path, receiver):
    def run(*arguments, code=0, **variables):
        where = {"RUNTRAIL_URL": receiver.url, "RUNTRAIL_TOKEN": "rt_0123456789", **variables}
        done = subprocess.run(
            [PYTHON, "-m", "runtrail", *arguments],
            cwd=tmp_path,
            env=environment(tmp_path, **where),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    (tmp_path / "junit.xml").write_text(JUNIT)
    return run


def test_a_report_of_any_kind_is_sent_with_what_is_known_of_it(client, receiver):
    done = client(
        *("upload", "junit.xml", "--shard", "1/3", "--environment", "staging", "--branch", "main"),
        *("--commit", "a" * 40, "--test-run-id", "nightly_20260104_093000_abc123", "--format", "junit"),
        CI="true",
    )

    assert receiver.reports == [JUNIT.encode()]
    assert receiver.requests[0]["query"] == {
        "format": "junit",
        "shard": "1/3",
        "environment": "staging",
        "space": "ci",
        "branch": "main",
        "commit": "a" * 40,
        "testRunId": "nightly_20260104_093000_abc123",
    }
    assert done.stdout == f"junit.xml: stored, 1 passed: {receiver.url}/runs/{ANSWER['testRunId']}/\n"


def test_packed_files_are_sent_as_they_are(client, receiver, tmp_path):
    import gzip

    packed = gzip.compress(JUNIT.encode())
    (tmp_path / "junit.xml.gz").write_bytes(packed)

    client("upload", "junit.xml.gz", "junit.xml")

    assert receiver.reports == [packed, JUNIT.encode()]
    assert receiver.requests[0]["headers"]["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in receiver.requests[0]["headers"]


def test_a_file_of_the_plugin_says_itself_where_it_comes_from(client, receiver, project):
    project.write("test_a.py", "def test_a(): pass\n")
    report = project.base / "a.jsonl"
    project.run(*PLUGIN, f"--runtrail-report={report}", RUNTRAIL_ENVIRONMENT="desk")
    report.write_bytes(b"".join(report.read_bytes().splitlines(keepends=True)[:-1]))  # killed before its end

    client("upload", str(report), CI="true")

    assert receiver.requests[0]["query"] == {"format": "runtrail", "environment": "desk", "space": "local"}
    assert receiver.lines()[-1]["cut_off"] is True


def test_what_fails_for_a_moment_is_tried_again(client, receiver):
    faults = [hanging_up, with_status(503, Retry_After="1")]
    receiver.behave = lambda handler: bool(faults) and faults.pop(0)(handler)

    client("upload", "junit.xml")

    assert len(receiver.requests) == 3
    assert len(receiver.reports) == 1


def test_a_refused_file_is_1_and_the_others_are_sent(client, receiver, tmp_path):
    (tmp_path / "bad.xml").write_text("<")
    refuse = with_status(422, {"detail": "the file ends within a tag"})
    receiver.behave = lambda handler: len(receiver.requests) == 1 and refuse(handler)

    done = client("upload", "bad.xml", "junit.xml", code=1)

    assert "bad.xml: refused: 422" in done.stderr
    assert "the file ends within a tag" in done.stderr
    assert len(receiver.reports) == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "said"),
    [
        (["upload", "junit.xml"], {"RUNTRAIL_URL": ""}, 3, "RUNTRAIL_URL and RUNTRAIL_TOKEN"),
        (["upload", "junit.xml"], {"RUNTRAIL_URL": "nonsense"}, 3, "no address of a server"),
        (["upload", "nothing.xml"], {}, 2, "there is no file 'nothing.xml'"),
        (["upload"], {}, 2, "usage"),
        ([], {}, 2, "usage"),
        (["gate"], {}, 3, "which run?"),
    ],
)
def test_what_is_missing_is_said(client, arguments, variables, code, said):
    assert said in client(*arguments, code=code, **variables).stderr


def test_the_spool_is_listed_sent_and_cleared(client, receiver, project):
    project.write("test_a.py", "def test_a(): pass\n")
    where = {"RUNTRAIL_URL": receiver.url, "RUNTRAIL_TOKEN": "rt_0123456789"}
    for status in (503, 422):
        receiver.behave = with_status(status)
        project.run(*PLUGIN, "--runtrail", **where)

    listed = client("spool", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["waiting", "refused"]
    assert "422" in listed[1]

    receiver.behave = lambda handler: False
    assert client("spool", "send").stdout.endswith(": sent\n")
    assert len(receiver.reports) == 1
    client("spool", "send", "--refused")
    assert len(receiver.reports) == 2
    assert client("spool", "clear").stdout == "0 reports removed\n"
    assert client("spool", "list").stdout == ""


def test_what_waits_for_nobody_is_sent_where_it_is_told_to(client, receiver, project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.run(*PLUGIN, "--runtrail")

    client("spool", "send")

    assert len(receiver.reports) == 1
    assert not project.kept()


def test_the_client_needs_no_pytest(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import runtrail.cli, sys; sys.exit('pytest' in sys.modules)"],
        env={"PYTHONPATH": str(SOURCE)},
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 0


RUN = {
    "testRunId": "ci-2",
    "definition": "ci",
    "environment": "ci",
    "space": "ci",
    "startedAt": "2026-02-02T14:30:52Z",
}


def served(receiver, failing=(), flaky=(), runs=("ci-1",)):
    def test_runs(query):
        return {"results": [{"testRunId": run, "status": "passed"} for run in runs]}

    def page(query):
        if not flaky:
            return {"results": [], "next": None}
        number = int(query.get("cursor", 0))
        more = f"{receiver.url}/api/v1/flaky-tests/?cursor={number + 1}" if number + 1 < len(flaky) else None
        return {"results": [{"nodeid": flaky[number]}], "next": more}

    receiver.answers = {
        "test-runs/ci-2/": RUN,
        "test-runs/": test_runs,
        "comparisons/": {"newlyFailing": [{"nodeid": nodeid} for nodeid in failing]},
        "flaky-tests/": page,
        "reports/7/": {**ANSWER, "testRunId": "ci-2", "status": "stored"},
    }


@pytest.mark.parametrize(
    ("failing", "flaky", "code", "said"),
    [
        ([], [], 0, "ci-2 against ci-1: 0 newly failing\n"),
        (["a::b"], [], 1, "newly failing: a::b\nci-2 against ci-1: 1 newly failing\n"),
        (["a::b"], ["x::y", "a::b"], 0, "failing, but known as flaky: a::b\n"),
        (["a::b", "a::c"], ["a::b"], 1, "newly failing: a::c\nfailing, but known as flaky: a::b\n"),
    ],
)
def test_the_gate_opens_unless_something_new_fails(client, receiver, failing, flaky, code, said):
    served(receiver, failing, flaky)

    done = client("gate", "--test-run-id", "ci-2", code=code)

    assert said in done.stdout
    asked = next(request for request in receiver.requests if request["path"] == "/api/v1/test-runs/")
    assert asked["query"] == {
        "branch": "main",
        "definition": "ci",
        "environment": "ci",
        "space": "ci",
        "startedBefore": RUN["startedAt"],
        "status": "passed,failed",
    }


def test_the_gate_compares_with_no_run_that_was_left_out_of_the_statistics(client, receiver):
    served(receiver)
    runs = [{"testRunId": "ci-1c", "status": "passed", "excludedAt": "2026-02-02T09:00:00Z"}]
    runs += [{"testRunId": "ci-1b", "status": "failed", "excludedAt": None}]
    receiver.answers["test-runs/"] = {"results": runs}

    assert "ci-2 against ci-1b" in client("gate", "--test-run-id", "ci-2", code=0).stdout


def test_the_gate_asks_for_the_run_that_was_sent_last_and_waits_until_it_is_stored(client, receiver):
    served(receiver, ["a::b"])
    queued = with_status(202, {**ANSWER, "testRunId": "ci-2", "status": "queued"})
    receiver.behave = lambda handler: handler.command == "POST" and queued(handler)
    client("upload", "junit.xml")

    client("gate", "--base", "ci-0", code=1)

    paths = [request["path"] for request in receiver.requests]
    assert "/api/v1/reports/7/" in paths
    assert receiver.requests[-2]["query"] == {"base": "ci-0", "head": "ci-2"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda receiver: receiver.answers.pop("test-runs/ci-2/"), "the server shows no run ci-2"),
        (lambda receiver: receiver.answers.update({"test-runs/": {"results": []}}), "no earlier run on main"),
        (lambda receiver: receiver.answers.pop("comparisons/"), "404"),
        (lambda receiver: setattr(receiver, "behave", with_status(503)), "503"),
        (lambda receiver: receiver.answers.update({"comparisons/": {"other": 1}}), "newlyFailing"),
    ],
)
def test_a_gate_that_can_not_decide_is_3(client, receiver, change, said):
    served(receiver)
    change(receiver)

    assert said in client("gate", "--test-run-id", "ci-2", code=3).stderr
