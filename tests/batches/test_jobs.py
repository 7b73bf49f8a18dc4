"""What is asked for elsewhere is done on the workspace's host, once, by whoever is alive to do it."""

import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest
from django.utils import timezone

from access.models import AuditEntry
from batches import jobs, tasks
from batches.baselines import NONE_YET
from batches.models import BatchJob, BatchRun
from batches.processes import Cancelled, run_bounded
from tests.batches.workspaces import edit, make_desk
from tests.journeys.product import ROOT
from tracking.drive import driver_name

pytestmark = pytest.mark.django_db
CHILDREN = (
    "import subprocess, sys, time\n"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)\n"
    "time.sleep(60)\n"
)
GONE = f"worker@{socket.gethostname()}:1:0"  # process 1 began at another time


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch):
    monkeypatch.setattr(tasks, "_send", lambda *_, **__: True)


@pytest.fixture
def desk(tmp_path, settings):
    settings.DATA = tmp_path / "data"
    files = {"a_py": "ONE = 1\n", "pytest_ini": "[pytest]\n"}
    made = make_desk(tmp_path, host=socket.gethostname(), store=settings.DATA / "batch_files", **files)
    made.workspace.python = sys.executable
    made.workspace.save()
    (made.root / "test_a.py").write_text("import a\ndef test_one(): assert a.ONE == 1\n")
    return made


def ask(desk, kind="test", batch=None, **options):
    now = timezone.now()
    return jobs.request_job(desk.workspace, kind, batch=batch, options=options, actor="ada", now=now)


def done(job):
    tasks.do_job(job.pk)
    job.refresh_from_db()
    return job


def test_a_test_and_a_rollback_are_done_and_tell_what_came_of_them(desk, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for the tests")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    edit(desk, "a.py", "ONE = 1  # one\n")
    batch = edit(desk, "a.py", "ONE = 2\nimport os\nassert 'SECRET_KEY' not in os.environ\n", size=2)

    tested = done(ask(desk, batch=batch))

    assert (tested.status, tested.exit_code, tested.message) == ("failed", 1, "1 test, 1 failed.")
    assert "test_one" in tested.output
    assert tested.batch_run.run.triggered_by == "ada"
    assert tested.batch_run.suspicion["edits"] == [2]
    assert tasks.do_job(tested.pk) is False, "sent twice, it is done once"

    back = done(ask(desk, "rollback", batch))
    assert (back.status, back.message) == ("passed", "Rolled back batch 1: 1 file. 1 test, 0 failed.")
    assert (desk.root / "a.py").read_text() == "ONE = 1\n"
    assert (desk.root / "test_batch_logs/batch_tracker.json").exists()


def test_work_that_would_be_lost_is_refused_from_afar_too(desk):
    batch = edit(desk, "a.py", "ONE = 2\n", size=1)
    (desk.root / "a.py").write_text("precious")

    back = done(ask(desk, "rollback", batch))

    assert (back.status, back.exit_code) == ("error", 3)
    assert "Not recorded and would be lost: a.py" in back.message
    assert (desk.root / "a.py").read_text() == "precious"


def test_baseline_and_comparison_are_done_from_afar_with_the_exit_codes_of_the_command(desk):
    set_here = done(ask(desk, isolated=True, set_baseline=True))
    assert (set_here.exit_code, set_here.status) == (0, "passed")
    assert set_here.message == "1 test, 0 failed. They are the baseline now."
    assert "[1/1] test_a.py: 1 test, 0 failed" in set_here.output
    assert (desk.root / "test_batch_logs/baseline_results.json").exists()
    assert AuditEntry.objects.get(action="batch.baseline").actor_name == "ada"

    (desk.root / "a.py").write_text("ONE = 2\n")
    worse = done(ask(desk, isolated=True, compare=True))
    assert (worse.exit_code, worse.status) == (2, "failed")
    assert worse.message == "1 test, 1 failed. Against the baseline: 1 regression."

    lost = done(ask(desk, isolated=True, compare=True, name="other"))
    assert (lost.exit_code, lost.message) == (3, NONE_YET)


def test_a_pattern_that_names_nothing_and_a_rollback_without_tests_leave_the_results_alone(desk):
    batch = edit(desk, "a.py", "ONE = 2\n", size=1)

    nothing = done(ask(desk, batch=batch, pattern="nothing*.py"))
    assert (nothing.exit_code, nothing.batch_run) == (3, None)
    assert "Nothing was collected: no file here is called 'nothing*.py'" in nothing.message
    back = done(ask(desk, "rollback", batch, no_test=True))
    assert (back.exit_code, back.message) == (0, "Rolled back batch 1: 1 file.")

    assert not BatchRun.objects.exists()
    assert not (desk.root / "test_batch_logs/test_results.json").exists()


def test_a_job_whose_worker_was_killed_is_claimed_anew_and_one_that_lives_is_not(desk):
    job = ask(desk)

    def claim(pk=job.pk):
        return jobs.claim(pk, driver_name("worker"), is_gone=tasks.is_gone, now=timezone.now())

    BatchJob.objects.filter(pk=job.pk).update(claimed_by=GONE)
    assert claim() is not None
    assert claim() is None, "its claimant lives"
    other = ask(desk, "rollback", edit(desk, "a.py", "2"))
    assert claim(other.pk) is None, "one thing at a time in a workspace"


def test_what_was_lost_on_its_way_is_sent_again(desk, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "_send", lambda pk, host, **_: sent.append((pk, host)) or True)
    job = ask(desk)
    assert tasks.sweep_jobs() == 0
    BatchJob.objects.update(requested_at=timezone.now() - 2 * jobs.FORGOTTEN)

    assert tasks.sweep_jobs() == 1
    assert sent == [(job.pk, socket.gethostname())]


def test_the_same_is_not_asked_for_twice(desk):
    ask(desk)

    with pytest.raises(jobs.Busy, match="waiting already"):
        ask(desk)


@pytest.mark.parametrize("where", ["folder", "host"])
def test_a_folder_that_is_gone_or_elsewhere_is_an_error_that_says_so(desk, where):
    job = ask(desk)
    if where == "host":
        type(desk.workspace).objects.update(host="elsewhere")
    else:
        desk.root.rename(desk.root.parent / "moved")

    assert done(job).exit_code == 3
    assert job.message


def test_a_cancelled_run_takes_its_processes_with_it(tmp_path):
    (tmp_path / "children.py").write_text(CHILDREN)
    said, cancelled = [], threading.Event()
    command = [sys.executable, "children.py"]

    def show(text):
        said.append(text)
        cancelled.set()

    with pytest.raises(Cancelled):
        run_bounded(command, tmp_path, {}, timeout=60, show=show, is_cancelled=cancelled.is_set)

    assert is_over(int("".join(said))), "the child of the tests lives on"


def test_what_tests_started_ends_too_when_runtrail_itself_is_killed(tmp_path):
    (tmp_path / "children.py").write_text(CHILDREN)
    program = "import sys; sys.path.insert(0, sys.argv[1]); from batches.processes import run_bounded\n"
    program += "from pathlib import Path; show = lambda text: print(text, flush=True)\n"
    program += "run_bounded([sys.executable, 'children.py'], Path(sys.argv[2]), {}, timeout=60, show=show)"
    words = [sys.executable, "-c", program, str(ROOT), str(tmp_path)]

    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as killed:
        child = int(killed.stdout.readline())
        killed.kill()

    assert is_over(child), "the child of the tests lives on"


def is_over(pid):
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_no_worker_is_found_where_none_listens():
    assert tasks.is_served("nobody-listens-here", seconds=0.3) is False
