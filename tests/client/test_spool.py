"""What waits on this machine, and what is found after a kill."""

import os
import signal
import time

import pytest

from runtrail import spool as module
from tests.client.receiver import with_status
from tests.client.sessions import XDIST, outcomes, record_and_send, where

ONE = "def test_a(): pass\n"


def test_earlier_sessions_are_sent_the_oldest_first(project, receiver):
    project.write("test_a.py", ONE)
    receiver.behave = with_status(503)
    for number in range(3):
        record_and_send(project, "-k", f"test_a or x{number}", **where(receiver))
    receiver.behave = lambda handler: False

    _, line = record_and_send(project, **where(receiver))

    assert line.endswith("(and 3 earlier)")
    arguments = [receiver.lines(number)[0]["pytest_args"][-3:-1] for number in (1, 2, 3)]
    assert arguments == ["x0", "x1", "x2"]


@pytest.mark.parametrize("arguments", [[], XDIST], ids=["alone", "xdist"])
def test_a_killed_session_is_sent_by_the_next_one_as_cut_off(project, receiver, arguments):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("test_b.py", "import time\ndef test_b():\n    time.sleep(60)\n")
    killed = project.begin(*arguments, **where(receiver))
    until = time.monotonic() + 30
    while not any(b'"passed"' in path.read_bytes() for path in project.kept("running")):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.3)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    project.write("test_b.py", "")

    _, line = record_and_send(project, **where(receiver))

    assert line.endswith("(and 1 earlier)")
    lines = receiver.lines(1)
    assert outcomes(lines) == {"test_a": "passed"}
    end = lines[-1]
    assert (end["type"], end["cut_off"]) == ("end", True)
    assert "exit_code" not in end
    if not arguments:
        assert end["running"] == ["test_b.py::test_b"]
    assert end["totals"]["passed"] == 1


def test_a_living_session_is_left_alone_by_another(project, receiver):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("slow/test_b.py", "import time\ndef test_b():\n    time.sleep(3)\n")
    living = project.begin("slow", **where(receiver))
    until = time.monotonic() + 30
    while not project.kept("running"):
        assert time.monotonic() < until
        time.sleep(0.05)

    record_and_send(project, "test_a.py", **where(receiver))
    output, _ = living.communicate()

    assert b"1 test sent" in output
    assert len(receiver.reports) == 2
    assert "cut_off" not in receiver.lines(1)[-1]


def test_what_waits_for_another_server_or_token_stays(project, receiver):
    project.write("test_a.py", ONE)
    receiver.behave = with_status(503)
    record_and_send(project, **where(receiver))
    receiver.behave = lambda handler: False

    record_and_send(project, **where(receiver, RUNTRAIL_TOKEN="rt_of_another_project"))

    assert len(receiver.reports) == 1
    assert len(project.kept()) == 1


def test_the_spool_is_its_owners_alone(project):
    project.write("test_a.py", ONE)

    record_and_send(project)

    assert (project.spool.stat().st_mode & 0o777) == 0o700


def test_the_spool_is_bounded_in_number_and_age(tmp_path):
    spool = module.Spool(tmp_path)
    for number in range(module.COUNT + 5):
        path = spool.running_file(f"{number:032x}")
        path.write_text("{}\n")
        os.utime(path, (1000 + number, 1000 + number))
        spool.keep(path, "a")

    assert spool.prune(2000.0) == 5
    assert spool.waiting("a")[0].stem == f"{5:032x}"
    assert spool.prune(2000.0 + module.AGE) == module.COUNT


def test_the_spool_is_bounded_in_size(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SIZE", 250)
    spool = module.Spool(tmp_path)
    for number in range(4):
        path = spool.running_file(f"{number:032x}")
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + number, 1000 + number))
        spool.keep(path, "a")

    assert spool.prune(2000.0) == 2
    assert [path.stem[-1] for path in spool.waiting()] == ["2", "3"]


def test_what_tests_print_is_for_their_owner_and_a_shared_folder_stays_shared(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    for folder in (shared, tmp_path / "a" / "own"):
        module.Spool(folder).running_file("session")

    assert [oct(place.stat().st_mode)[-3:] for place in (shared, shared / "running")] == ["777", "700"]
    own = tmp_path / "a" / "own"
    assert [oct(place.stat().st_mode)[-3:] for place in (own, own / "running")] == ["700", "700"]
