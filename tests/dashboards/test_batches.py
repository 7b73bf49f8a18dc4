"""The pages about batches."""

import csv
import json
import socket

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import AuditEntry
from batches import tasks
from batches.models import BatchJob
from batches.rollback import roll_back
from tests.batches.workspaces import NOW, edit, make_desk, make_run
from tests.factories import make_definition, make_ended_run, make_user


@pytest.fixture
def desk(project, tmp_path):
    return make_desk(tmp_path, project=project, host=socket.gethostname(), a_py="1", b_py="1")


def text_of(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_batches_the_page_says_what_to_do(client, viewer):
    text = text_of(client.get("/batches/"))

    assert "No edit was recorded yet." in text
    assert "batch record FILE" in text


def test_the_line_goes_from_green_to_red_and_names_who_is_to_blame(client, viewer, desk):
    make_run(edit(desk, "a.py", "2", size=1), one="passed")
    blamed = {"edits": [1], "suspicion": [0.998], "is_sure": True, "reruns": 4, "tests": {}}
    make_run(edit(desk, "b.py", "2", size=1), one="failed", suspicion=blamed)
    edit(desk, "a.py", "3")

    text = text_of(client.get("/batches/"))

    assert "Red since batch 2: edit 1 (b.py) is to blame." in text
    assert [text.index(f"batch {n} {word}") for n, word in ((1, "passed"), (2, "failed"), (3, "open"))]
    rows = json.loads(b"".join(client.get("/batches/?format=json").streaming_content))
    assert [(row["batch"], row["status"], row["suspected"]) for row in rows] == [
        (3, "open", ""),
        (2, "failed", "b.py"),
        (1, "passed", ""),
    ]
    lines = b"".join(client.get("/batches/?format=csv").streaming_content).decode().splitlines()
    assert [row["failed_tests"] for row in csv.DictReader(lines)] == ["", "1", "0"]


def test_a_batch_shows_its_edits_its_failures_and_the_way_back(client, administrator, desk):
    batch = edit(desk, "a.py", "2\n", description="<why>", size=2)
    edit(desk, "b.py", "2\n", size=2)
    blamed = {"edits": [2], "suspicion": [0.001, 0.998], "reruns": 4, "is_sure": True}
    blamed["tests"] = {"test_a.py::one": {"edit": 2, "flaky": False, "before": False}}
    make_run(batch, one="failed", two="passed", suspicion=blamed)
    (desk.root / "b.py").write_text("never recorded")

    text = text_of(client.get("/batches/1/"))

    assert "1 of 2</strong> tests failed. Edit 2 broke it." in text
    assert "&lt;why&gt;" in text
    assert "99.8 %" in text
    assert "E  no" in text
    assert "its present state was never recorded" in text
    assert "batch.record" in text
    assert 'name="force"' in text
    rows = json.loads(b"".join(client.get("/batches/1/?format=json").streaming_content))
    assert [(row["edit"], row["path"], row["suspicion"]) for row in rows] == [
        (1, "a.py", 0.001),
        (2, "b.py", 0.998),
    ]


def test_a_rollback_and_its_undo_show_and_a_lost_folder_too(client, administrator, desk):
    batch = edit(desk, "a.py", "2", size=1)
    roll_back(desk, batch, actor="ada", now=NOW)

    assert "It was rolled back" in text_of(client.get("/batches/1/"))
    assert "Undo the rollback" in text_of(client.get("/batches/1/"))
    for place in desk.root.iterdir():
        place.unlink()
    desk.root.rmdir()
    assert "any more." in text_of(client.get("/batches/1/"))


def test_a_page_costs_the_same_however_much_is_stored(client, viewer, desk, project):
    counts = []
    for number in range(2):
        for turn in range(2 + 4 * number):
            run = make_ended_run(definition=make_definition("batch", project=project))
            made = edit(desk, "a.py", f"{number} {turn}", size=1)
            make_run(made, run=run, one="failed", suspicion={"edits": [1], "tests": {}})
        for path in ("/batches/", "/batches/1/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_buttons_hand_over_and_what_goes_on_is_followed(client, administrator, desk, monkeypatch):
    edit(desk, "a.py", "2", size=1)
    monkeypatch.setattr(tasks, "is_served", lambda host: host == socket.gethostname())
    sent = []
    monkeypatch.setattr(tasks, "wake", sent.append)

    client.post("/batches/1/test/")
    BatchJob.objects.update(claimed_by="worker@x:1:1", output="\x1b[32mtest_a.py ..  [ 40%]\n")
    text = text_of(client.get("/batches/1/"))

    assert [job.kind for job in sent] == ["test"]
    assert 'value="40"' in text
    assert 'data-refresh="1.5"' in text
    client.post("/batches/1/cancel/")
    assert "It is being ended." in text_of(client.get("/batches/1/"))
    assert "already" in text_of(client.post("/batches/1/test/", follow=True))
    client.post("/batches/1/rollback/", {"force": "1"})
    client.post("/batches/1/undo/")
    assert [(job.kind, job.options) for job in sent[1:]] == [("rollback", {"force": True}), ("undo", {})]


def test_without_a_worker_the_button_says_so(client, reporter, desk, monkeypatch):
    edit(desk, "a.py", "2", size=1)
    monkeypatch.setattr(tasks, "is_served", lambda host: False)

    assert "No worker serves" in text_of(client.post("/batches/1/test/", follow=True))
    assert not BatchJob.objects.exists()


def test_the_audit_trail_has_every_step_and_nobody_can_edit_it(client, desk):
    batch = edit(desk, "a.py", "2", size=1)
    roll_back(desk, batch, actor="ada", now=NOW)
    client.force_login(make_user("root", is_staff=True, is_superuser=True))

    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"batch.record", "batch.rollback"}
    entry = AuditEntry.objects.first()
    for word in ("change", "delete"):
        client.post(f"/admin/access/auditentry/{entry.pk}/{word}/", {"action": "x", "post": "yes"})
    assert AuditEntry.objects.get(pk=entry.pk).action == entry.action
    for name in ("batchjob", "batch", "edit", "batchrun", "rollback", "regression", "workspace"):
        assert client.get(f"/admin/batches/{name}/").status_code == 200
        assert client.get(f"/admin/batches/{name}/add/").status_code == 403


def test_what_is_of_no_batch_is_followed_and_ended_on_the_list(client, reporter, desk, tmp_path, project):
    make_desk(tmp_path / "second", project=project, a_py="1")
    asked = {"requested_by": "ada", "requested_at": NOW, "options": {"isolated": True}}
    ended = {
        "claimed_by": "worker@x:1:1",
        "finished_at": NOW,
        "exit_code": 2,
        "message": "3 tests, 1 failed.",
    }
    BatchJob.objects.create(workspace=desk.workspace, kind="test", **asked, **ended)
    output = "test_a.py .. [100%]\n[1/4] test_a.py: 2 tests, 0 failed\ntest_b.py . [ 50%]\n"
    job = BatchJob.objects.create(workspace=desk.workspace, kind="test", output=output, **asked)

    text = text_of(client.get("/batches/"))

    assert f">{desk.workspace}</option>" in text
    assert "3 tests, 1 failed." in text
    assert 'value="25"' in text, "of the modules, not of the tests of one"
    assert "batch record FILE" in text
    assert "It is being ended." in text_of(client.post(f"/batches/jobs/{job.pk}/cancel/", follow=True))
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert client.post("/batches/jobs/99999999999/cancel/").status_code == 404
