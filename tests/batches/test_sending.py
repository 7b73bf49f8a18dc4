"""With a server named, what the tests said goes there; the edits stay here."""

import json
import sys

import pytest

from tests.client.receiver import receiving
from tests.command_line import CommandLine

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    line = CommandLine(tmp_path_factory.mktemp("installed"))
    line.environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    line.folder = tmp_path_factory.mktemp("work")
    (line.folder / "pytest.ini").write_text("[pytest]\n")
    for name in ("one", "two"):
        (line.folder / f"test_{name}.py").write_text(f"def test_{name}(): pass\n")
    return line


def stored(line):
    return json.loads(line.run("analyze_run", "--list", "--format", "json").stdout)


def test_results_go_to_the_server_that_is_named_and_the_edits_stay_here(line):
    with receiving() as receiver:
        where = {
            "RUNTRAIL_URL": receiver.url,
            "RUNTRAIL_TOKEN": "rt_0123456789",
            "RUNTRAIL_PROJECT": "theirs",
        }
        done = line.run("ci_batch_tests", "--python", sys.executable, variables=where)
        recorded = line.run("batch", "record", "test_one.py", variables=where)

    queries = [request["query"] for request in receiver.requests]
    assert [query["shard"] for query in queries] == ["1/2", "2/2"]
    (test_run_id,) = {query["testRunId"] for query in queries}
    assert f"Test Run ID: {test_run_id} (sent to {receiver.url})" in done.stdout
    assert {query["space"] for query in queries} == {"local"}
    assert [line["outcome"] for line in receiver.lines(0) if "outcome" in line] or receiver.reports
    assert "rt_0123456789" not in done.stdout + done.stderr
    assert "edit 1/5 of batch 1" in recorded.stdout
    assert (line.folder / "test_batch_logs/ci_test_results.xml").exists()
    assert test_run_id not in json.dumps(stored(line))


def test_what_can_not_be_sent_is_kept_here_and_the_exit_code_is_that_of_the_tests(line):
    where = {"RUNTRAIL_URL": "http://127.0.0.1:9", "RUNTRAIL_TOKEN": "rt_0123456789"}

    done = line.run("batch", "test", "--python", sys.executable, variables=where)

    assert "Not sent, kept here instead" in done.stderr
    assert "Test Run ID: batch_" in done.stdout
    assert "batch_" in json.dumps(stored(line))
