"""A program that kills itself in the middle of each step, again and again, and looks at what is left.

python killed.py FOLDER PLUGIN: Django is set up once; every trial is a fork with a workspace of its own,
killed (kill -9) at one of the moments at which it touches a file or asks the database.
"""

import json
import os
import random
import signal
import sys
from functools import partial

import django

django.setup()

from django.db import connection  # noqa: E402

from batches.models import BatchRun, Edit, Rollback, Workspace  # noqa: E402
from batches.rollback import unfinished  # noqa: E402
from batches.store import TEMPORARY  # noqa: E402
from tests.batches.killed_trial import FILES, Trial  # noqa: E402

EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "subprocess.Popen",
    "os.symlink",
}
state = {"left": -1, "seen": 0}


def moment():
    state["seen"] += 1
    if state["seen"] == state["left"]:
        os.kill(os.getpid(), signal.SIGKILL)


def hear(event, arguments):
    if state["left"] != -1 and event in EVENTS:
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & os.O_CREAT):
            return
        moment()


def ask(execute, sql, parameters, many, context):
    moment()
    return execute(sql, parameters, many, context)


sys.addaudithook(hear)


def in_fork(work, left):
    """Do it in a fork that is killed at its moment `left` (0: never); return its status and moments."""
    connection.close()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            state.update(left=left, seen=0)
            with connection.execute_wrapper(ask):
                work()
            code = 0
        except BaseException as problem:
            os.write(writer, repr(problem).encode())
        finally:
            if code == 0:
                os.write(writer, str(state["seen"]).encode())
            os._exit(code)
    os.close(writer)
    said = b"".join(iter(lambda: os.read(reader, 65536), b"")).decode()
    os.close(reader)
    return os.waitpid(child, 0)[1], said


def prepare_changed(trial):
    trial.before = trial.tree()
    trial.change()
    trial.after = trial.tree()


def prepare_recorded(trial):
    prepare_changed(trial)
    trial.record_all()


def prepare_back(trial):
    prepare_recorded(trial)
    trial.back()


def recorded(trial):
    edits = Edit.objects.filter(batch__workspace=trial.desk.workspace).order_by("position")
    assert [edit.path for edit in edits] == ["a.py", "b.py", "deep/c.py", "gone.py", "new.py"]
    assert [edit.position for edit in edits] == [1, 2, 3, 4, 5]
    assert trial.batch().closed_at
    assert trial.tree() == trial.after
    trial.back()
    assert trial.tree() == trial.before


def is_back(trial):
    assert unfinished(trial.desk) is None
    assert trial.tree() == trial.before
    assert Rollback.objects.filter(batch=trial.batch()).count() == 1
    trial.forth()
    assert trial.tree() == trial.after


def is_forth(trial):
    assert unfinished(trial.desk) is None
    assert trial.tree() == trial.after


def is_backed_up(trial):
    folder = trial.root / "test_batch_logs/backups/batch_1"
    assert {name: (folder / name).read_text() for name in FILES} == FILES
    assert not (folder / "new.py").exists()


def is_tested(trial):
    runs = BatchRun.objects.filter(batch=trial.batch())
    assert runs.first().failed_tests == 1
    assert runs.first().suspicion["edits"] == [1]
    assert trial.tree() == trial.after
    (shown,) = json.loads((trial.root / "test_batch_logs/test_results.json").read_text())[-1:]
    assert shown["failed_tests"] == 1


def prepare_new(trial):
    Workspace.objects.filter(pk=trial.desk.workspace.pk).delete()
    trial.before = trial.tree()


def is_begun(trial):
    trial.change()
    trial.record_all()
    trial.back()
    assert trial.tree() == trial.before


STEPS = {
    "record and close": (prepare_changed, Trial.record_all, recorded),
    "stock": (prepare_new, Trial.begin, is_begun),
    "backup": (prepare_recorded, Trial.backup, is_backed_up),
    "rollback": (prepare_recorded, Trial.back, is_back),
    "undo": (prepare_back, Trial.forth, is_forth),
    "test and search": (prepare_recorded, Trial.test, is_tested),
}


def main(steps, trials, seed):
    chance, number, told = random.Random(seed), 0, {}
    for name in steps:
        prepare, work, holds = STEPS[name]
        trial = Trial(number := number + 1)
        prepare(trial)
        status, said = in_fork(partial(work, trial), 0)
        assert status == 0, f"{name}: {said}"
        moments = int(said)
        count = min(moments, 3 if name == "test and search" else trials)
        for left in sorted(chance.sample(range(1, moments + 1), count)):
            trial = Trial(number := number + 1)
            prepare(trial)
            status, said = in_fork(partial(work, trial), left)
            assert status == signal.SIGKILL or status == 0, f"{name} at {left}: {said}"
            trial.desk = trial.open()
            work(trial)
            try:
                holds(trial)
                assert not list(trial.root.glob(f"**/{TEMPORARY}*")), list(
                    trial.root.glob(f"**/{TEMPORARY}*")
                )
            except Exception as problem:
                raise AssertionError(
                    f"{name}, killed at moment {left} of {moments}: {problem!r}"
                ) from problem
        told[name] = f"{count} of {moments} moments"
    print(json.dumps(told))


main(sys.argv[3].split(","), int(sys.argv[4]), int(sys.argv[5]))
