"""200 gates over identical runs of a real load: how many alarm, against the promise.

Every gate makes one new run of the demo's shop, unchanged, and holds it against the same baseline; what
looks worse is run again, as `workload run --compare` does.  AA_GATES=20 makes fewer.  Runs are identical
only while the machine does nothing else, so each waits until it is quiet; the seconds waited are told.
"""

import os
import shutil
import sys
import tempfile
import time

FOLDER = tempfile.mkdtemp(prefix="runtrail-aa-")
os.environ["RUNTRAIL_DATA"] = FOLDER
os.environ.pop("DATABASE_URL", None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
import psutil

django.setup()

from django.core.management import call_command
from django.utils import timezone

from config.first_start import make_project
from performance.baselines import set_baseline
from performance.gate import BUDGET, confirm_gate, judge_gate, note_alarm
from performance.management.driving import drive_here
from performance.models import WorkloadRun
from performance.readings import measured
from performance.saving import name_host, save_workload
from performance.trigger import start_workload_run
from tests.integration.live import REQUESTS, open_shop
from tracking.models import Environment

GATES = int(os.environ.get("AA_GATES", "200"))
BASE = 12  # runs of the baseline
MOST_TRIES = 20  # at a run on a machine that is too busy to measure anything
QUIET, PATIENCE = 40.0, 120.0  # percent of the CPUs in use by others; seconds until it is run all the same
waited = []


def wait_for_quiet():
    begun = time.monotonic()
    while psutil.cpu_percent(0.3) > QUIET and time.monotonic() - begun < PATIENCE:
        pass
    waited.append(max(time.monotonic() - begun - 0.3, 0.0))


def a_run(workload, **metadata):
    for _ in range(MOST_TRIES):
        wait_for_quiet()
        started = start_workload_run(
            workload, triggered_by="benchmark", now=timezone.now(), metadata=metadata
        )
        drive_here(started.pk)
        run = WorkloadRun.objects.for_driving().get(pk=started.pk)
        if measured(run):
            return run
    raise SystemExit(f"The machine is too busy: {run.generator_limit or run.run.reason}")


def a_gate(workload):
    """Whether a gate alarms at its first look, and after what looked worse was run again."""
    gate = judge_gate([a_run(workload)])
    if gate.status != "regressed":
        return False, False
    again = [a_run(workload) for _ in range(gate.runs_to_confirm)]
    found = confirm_gate(gate, again)
    note_alarm(found, timezone.now())
    return True, found.status == "regressed"


def main():
    begun = time.monotonic()
    call_command("migrate", verbosity=0)
    project = make_project("aa", "A/A")
    with open_shop("--slow", "rendering=0.02") as address:
        name_host(project, address.removeprefix("http://"), by="benchmark", note="")
        load = {"kind": "constant", "rate": 80}
        workload, _ = save_workload(
            project,
            "identical",
            target=address,
            spec={"requests": REQUESTS, "arrival": load, "duration": 1.0, "warmup": 0.2},
            environment=Environment.objects.get(project=project, name="local"),
            generators=["open_loop"],
            now=timezone.now(),
        )
        base = [a_run(workload, calibration="one") for _ in range(BASE)]
        set_baseline(base[-1], by="benchmark", now=timezone.now())
        seen = [a_gate(workload) for _ in range(GATES)]
    first, last = (sum(column) for column in zip(*seen, strict=True))
    print("| gates over identical runs | looked worse once | alarms | promised at most | seconds | waiting |")
    print("| --- | --- | --- | --- | --- | --- |")
    spent = f"{time.monotonic() - begun:.0f} | {sum(waited):.0f}"
    print(f"| {GATES} | {first} | {last} | {BUDGET * GATES:g} | {spent} |")
    return int(last > BUDGET * GATES)


if __name__ == "__main__":
    try:
        code = main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    sys.exit(code)
