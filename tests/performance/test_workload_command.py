"""`workload` as a user has it: a file, a shell, and no server."""

from __future__ import annotations

import json
import signal
from types import SimpleNamespace

import psutil
import pytest

from tests.command_line import CommandLine, id_of, wait_until

SWEEP = """
from performance.models import WorkloadRun
from performance.tasks import run_workload
left = WorkloadRun.objects.running()
print(*(sum(run_workload(str(run.pk)) for run in left.all()) for _ in range(2)))
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory, target):
    """An installation with three workloads of one file, and what `workload load` said."""
    line = CommandLine(tmp_path_factory.mktemp("shell"))
    (line.folder / "load.toml").write_text(f"""
        target_hosts = ["127.0.0.1:{target.port}"]

        [workloads.short]
        target = "{target.url}"
        description = "Half a second."
        arrival = {{ kind = "constant", rate = 50 }}
        duration = 0.5
        requests = [{{ name = "cart", path = "/echo/{{{{user}}}}", checks = {{ status = [200] }} }}]
        data = {{ rows = [{{ user = "ada" }}, {{ user = "bob" }}] }}
        secrets = {{ token = "$SHOP_TOKEN" }}
        auth = {{ kind = "bearer", secret = "token" }}

        [workloads.short.components.two]
        headers = {{ X-Which = "two" }}

        [workloads.long]
        target = "{target.url}"
        arrival = {{ kind = "constant", rate = 50 }}
        duration = 600
        requests = [{{ path = "/echo" }}]

        [workloads.failing]
        target = "{target.url}"
        users = 2
        max_requests = 10
        requests = [{{ path = "/broken" }}]
    """)
    said = line.run("workload", "load", "load.toml", variables={"SHOP_TOKEN": "s3cr3t"}).stdout
    return SimpleNamespace(line=line, said=said)


def generators():
    return [
        one
        for one in psutil.process_iter(["cmdline"])
        if "workloads/long_" in " ".join(one.info["cmdline"] or [])
    ]


def begin_long(line, *arguments):
    """Start the long workload; return its process and its name once requests have been measured."""
    process = line.begin("workload", "run", "long", "--plain", *arguments)
    name = id_of(next(line for line in process.stdout if line.startswith("Test Run ID")))
    samples = line.data / "workloads" / name / "samples.bin"
    wait_until(lambda: samples.exists() and samples.stat().st_size > 1000)
    return process, name


def test_a_run_is_followed_and_told_in_numbers(shell):
    done = shell.line.run("workload", "run", "short", "--component", "two")
    shown = shell.line.run("workload", "show", id_of(done.stdout), "--format", "json").stdout

    assert "Status: passed" in done.stdout
    assert "Component: two" in done.stdout
    told = json.loads(shown)
    assert shell.said.splitlines()[1:4] == ["+ workload short", "+ component short/two", "+ workload long"]
    assert (told["requests"], told["errors"], told["status"]) == (25, 0, "passed")
    assert {"latency", "throughput", "error_share", "service_time"} <= {
        one["name"] for one in told["metrics"]
    }
    assert "s3cr3t" not in done.stdout + done.stderr + shown


def test_errors_beyond_the_limit_end_with_1(shell):
    done = shell.line.run("workload", "run", "failing", "--format", "json", code=1)

    told = json.loads(done.stdout)
    assert (told["status"], told["requests"], told["errors"]) == ("failed", 10, 10)
    assert "10 of 10 requests were errors" in told["reason"]


def test_ctrl_c_ends_the_load_at_once_and_keeps_what_was_measured(shell):
    process, name = begin_long(shell.line)

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "Status: cancelled" in rest
    assert json.loads(shell.line.run("workload", "show", name, "--format", "json").stdout)["requests"] > 10
    assert generators() == []


def test_when_the_driver_is_killed_its_generator_dies_and_the_sweep_keeps_what_was_measured(shell):
    process, name = begin_long(shell.line)

    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: generators() == [])
    assert shell.line.python(SWEEP).split() == ["1", "0"]

    told = json.loads(shell.line.run("workload", "show", name, "--format", "json").stdout)
    assert told["status"] == "error"
    assert "The process that drove it was ended" in told["reason"]
    assert told["requests"] > 10
    assert told["samples"]
