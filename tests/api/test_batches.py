"""Batches over HTTP."""

import socket

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches import tasks
from batches.models import BatchBaseline, BatchJob, Regression
from tests.batches.workspaces import NOW, edit, make_desk, make_run
from tests.factories import make_definition, make_ended_run
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(shop, tmp_path):
    return make_desk(tmp_path, project=shop, host=socket.gethostname(), a_py="1")


@pytest.fixture
def served(monkeypatch):
    """A worker is there; nothing is sent to it."""
    sent = []
    monkeypatch.setattr(tasks, "is_served", lambda host: True)
    monkeypatch.setattr(tasks, "wake", sent.append)
    return sent


@pytest.fixture
def batch(desk, shop):
    made = edit(desk, "a.py", "2", description="why", size=1)
    run = make_ended_run(definition=make_definition("batch", project=shop))
    suspicion = {
        "edits": [1],
        "suspicion": [1.0],
        "is_sure": True,
        "tests": {"a_b": {"edit": 1, "was_it": 1}},
    }
    kept = make_run(made, run=run, one="failed", suspicion=suspicion)
    Regression.objects.create(batch_run=kept, kind="new failure", name="test_a.py::one")
    return made


def test_a_batch_names_its_workspace_its_run_and_who_is_to_blame(api, batch):
    (row,) = api.get("/api/v1/batches/").json()["results"]

    assert row == api.get("/api/v1/batches/1/").json()
    assert (row["id"], row["workspace"], row["status"], row["editCount"]) == (
        1,
        batch.workspace_id,
        "failed",
        1,
    )
    assert row["testRunId"] == batch.runs.get().run.test_run_id
    assert row["suspicion"]["isSure"] is True
    assert row["suspicion"]["tests"] == [{"name": "a_b", "edit": 1, "wasIt": 1}]
    (one,) = api.get("/api/v1/batches/1/edits/").json()["results"]
    assert (one["path"], one["description"], one["earlierState"]) == ("a.py", "why", True)
    assert "-1\n" in one["diff"]
    (worse,) = api.get("/api/v1/regressions/?kind=new failure").json()["results"]
    assert (worse["name"], worse["batch"], worse["testRunId"]) == ("test_a.py::one", 1, row["testRunId"])


def test_of_several_workspaces_one_has_to_be_named(api, batch, shop, tmp_path):
    other = make_desk(tmp_path / "other", project=shop, a_py="1")
    edit(other, "a.py", "3")

    unclear = api.get("/api/v1/batches/1/")
    assert unclear.status_code == 409
    assert str(other.root) in unclear.json()["detail"]
    for name in (other.workspace.pk, other.root, f"desk:{other.root}"):
        named = api.get("/api/v1/batches/1/edits/", {"workspace": str(name)}).json()["results"]
        assert named[0]["diff"].endswith("+3\n")
    assert len(api.get("/api/v1/batches/", {"workspace": other.workspace.pk}).json()["results"]) == 1
    assert api.get("/api/v1/batches/", {"workspace": "/nowhere"}).status_code == 404
    assert len(api.get("/api/v1/workspaces/").json()["results"]) == 2


def test_tests_and_rollbacks_are_handed_to_the_host(api, client_of, batch, served):
    asked = api.post("/api/v1/batches/1/test/", {"pattern": "test_a*.py"}, format="json")

    assert asked.status_code == 202, asked.content
    assert (asked.json()["status"], asked.json()["batch"], asked.json()["kind"]) == ("waiting", 1, "test")
    assert [job.options for job in served] == [{"pattern": "test_a*.py"}]
    assert api.post("/api/v1/batches/1/test/", {}, format="json").status_code == 409
    assert api.get("/api/v1/batches/1/jobs/").json()["results"][0]["requestedBy"] == "token report token"
    cancelled = api.post("/api/v1/batches/1/cancel/").json()
    assert (cancelled["status"], cancelled["exitCode"]) == ("cancelled", 3)
    assert api.post("/api/v1/batches/1/cancel/").status_code == 409

    admin = client_of("admin")
    assert admin.get("/api/v1/batches/1/rollback/").json() == [
        {"path": "a.py", "action": "restore", "problem": ""}
    ]
    assert admin.post("/api/v1/batches/1/rollback/", {"force": True}, format="json").status_code == 202
    assert admin.post("/api/v1/batches/1/rollback/", {"undo": True}, format="json").status_code == 202
    assert [(job.kind, job.options) for job in served[1:]] == [("rollback", {"force": True}), ("undo", {})]


@pytest.mark.parametrize("order", [{"python": "/bin/sh"}, {"command": ["sh"]}, {"root": "/etc"}])
def test_no_command_and_no_path_comes_over_the_api(api, batch, served, order):
    assert api.post("/api/v1/batches/1/test/", order, format="json").status_code == 202
    assert BatchJob.objects.get().options == {}


def test_what_goes_on_in_a_workspace_is_seen_and_ended_without_a_batch(api, desk):
    asked = {"requested_by": "ada", "requested_at": NOW}
    BatchJob.objects.create(workspace=desk.workspace, kind="test", **asked)

    (job,) = api.get(f"/api/v1/workspaces/{desk.workspace.pk}/jobs/").json()["results"]

    assert (job["batch"], job["status"]) == (None, "waiting")
    assert api.post(f"/api/v1/workspaces/{desk.workspace.pk}/cancel/").json()["status"] == "cancelled"
    assert api.post(f"/api/v1/workspaces/{desk.workspace.pk}/cancel/").status_code == 409


def test_without_a_worker_on_the_host_nothing_is_kept(client_of, batch):
    admin = client_of("admin")

    for word in ("test", "rollback"):
        answer = admin.post(f"/api/v1/batches/1/{word}/", {}, format="json")
        assert answer.status_code == 409
        assert f"No worker serves {socket.gethostname()}" in answer.json()["detail"]
    assert not BatchJob.objects.exists()


def test_the_last_run_becomes_the_baseline(api, batch):
    made = api.post("/api/v1/baselines/", {"name": "before"}, format="json")

    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["totalTests"], made.json()["failedTests"]) == ("before", 1, 1)
    assert api.get("/api/v1/baselines/").json()["results"] == [made.json()]
    assert BatchBaseline.objects.get().result["tests"][0]["outcome"] == "failed"


def test_a_list_of_batches_makes_a_fixed_number_of_queries(api, batch, desk, shop):
    api.get("/api/v1/batches/")  # the first use of a token is noted
    counts = []
    for number in range(2):
        for _ in range(1 + 3 * number):
            made = edit(desk, "a.py", f"{number}", size=1)
            make_run(made, run=make_ended_run(definition=make_definition("batch", project=shop)))
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/api/v1/batches/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_results_that_a_desk_sent_belong_to_the_definition_of_their_id(api):
    report = b'<testsuite><testcase classname="m" name="a"/></testsuite>'
    where = "/api/v1/reports/?space=local&testRunId=batch_20260104_090000_abc123"

    told = api.generic("POST", where, report, "text/xml").json()

    assert TestRun.objects.get(test_run_id=told["testRunId"]).definition.name == "batch"
