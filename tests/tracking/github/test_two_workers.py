"""Two workers follow twenty runs at once: nothing is done twice, one of them is killed, all runs end."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from django.conf import settings

from tests.command_line import CommandLine
from tests.github_double import Behaviour, Server, World
from tests.github_double.server import TOKEN
from tests.journeys.product import ROOT

pytestmark = pytest.mark.timeout(240)
RUNS, EACH = 20, 3

BEGIN = """
import django; django.setup()
from django.utils import timezone
from access.models import Project
from tracking.models import Environment, Step, TestDefinition
from tracking.tracker import start_run
project = Project.objects.create(slug="shop", name="Shop", repository="acme/shop")
place = Environment.objects.create(project=project, name="aws-ecs", kind="staging", service="github")
definition = TestDefinition.objects.create(project=project, name="performance", test_type="performance")
Step.objects.create(definition=definition, position=1, workflow="build_job.yml", count={each})
for _ in range({runs}):
    start_run(definition, place, triggered_by="a test", now=timezone.now())
"""
WORK = """
import django; django.setup()
import json, sys, time, requests
from django.utils import timezone
from tracking import ci, deliveries, tasks
from tracking.models import TestRun
tasks.drive_run.apply_async = lambda *a, **k: None
read = ci.message_reader("github")
while TestRun.objects.running().exists():
    for guid, event, payload in requests.get(sys.argv[1] + "/_double/messages", timeout=20).json():
        body = json.dumps(payload).encode()
        told, _ = deliveries.keep_delivery(guid, event, body, project=None, now=timezone.now())
        deliveries.apply_delivery(told, read=read, now=timezone.now())
    for pk in TestRun.objects.running().values_list("pk", flat=True):
        tasks.drive_run(str(pk))
    time.sleep(0.05)
"""
TELL = """
import django; django.setup()
import json
from tracking.models import TestRun, WorkflowRun
runs = list(TestRun.objects.values_list("status", "reason"))
rows = list(WorkflowRun.objects.values_list("github_run_id", "attempts__queue", "attempts__execution"))
print(json.dumps([runs, rows]))
"""


@pytest.fixture
def shell(tmp_path):
    made = CommandLine(tmp_path)
    made.run("migrate")
    return made


def test_two_workers_follow_twenty_runs_without_double_work(shell):
    world = World(now=datetime.now(UTC).replace(microsecond=0))
    world.behaviour = lambda run: Behaviour(queue=2, execution=3)
    world.add_file(world.add_repository())
    with Server(world, check=False) as double:
        shell.environment |= {
            "GITHUB_API_URL": double.url,
            "GITHUB_TOKEN": f"{TOKEN}",
            "GITHUB_WRITE_PAUSE": "0",
            "GITHUB_WRITES_PER_MINUTE": "9999",
            "GITHUB_WRITES_PER_HOUR": "9999",
            "REDIS_URL": settings.REDIS_URL,
        }
        shell.python(BEGIN.format(runs=RUNS, each=EACH))
        workers = [work(shell, double.url), work(shell, double.url)]
        killed = False
        end = time.monotonic() + 200
        while any(worker.poll() is None for worker in workers):
            world.advance(max((datetime.now(UTC) - world.now).total_seconds(), 0))
            if not killed and len(world.runs) > 10:
                workers[0].kill()
                workers.append(work(shell, double.url))
                killed = True
            assert time.monotonic() < end, [call.path for call in double.log[-20:]]
            time.sleep(0.1)
        assert [worker.returncode for worker in workers[1:]] == [0, 0]

    runs, rows = json.loads(shell.python(TELL))
    assert [status for status, _ in runs] == ["passed"] * RUNS, runs
    assert {row[0] for row in rows} == set(world.runs)
    assert len(world.runs) == len(rows) == RUNS * EACH
    asked = Counter(call.path for call in double.calls("GET", r"/jobs$"))
    assert max(asked.values()) == 1, "the jobs of an attempt are asked for once"
    assert len(double.calls("GET", r"/actions/runs$")) <= RUNS + 10


def work(shell, url):
    return subprocess.Popen(
        [sys.executable, "-c", WORK, url], env={**shell.environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT
    )
