"""A large report is kept, answered at once, and read by a worker; its row says what became of it."""

from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from kombu.exceptions import OperationalError

from executions import tasks, uploads
from executions.models import Report, Result
from tests.api.conftest import client_of, shop  # noqa: F401 - fixtures
from tests.executions.test_reports_come_in import FAILED, junit
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
LARGE = junit("a", ("b", FAILED))


@pytest.fixture
def api(client_of, settings, tmp_path):  # noqa: F811
    settings.REPORT_AT_ONCE = len(LARGE) - 1
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": folder}
    return client_of()


def post(api, content=LARGE, query="branch=main"):
    return api.post(f"/api/v1/reports/?{query}", content, content_type="application/xml")


def files():
    return storages["artifacts"].listdir("uploads")[1]


def test_a_large_report_is_answered_with_a_place_to_look_and_read_by_a_worker(api):
    answer = post(api, query="branch=main&testRunId=ci-7-1&shard=1/2")
    place, waiting = answer["Location"], answer.json()
    again = post(api, query="branch=main&testRunId=ci-7-1&shard=1/2")

    assert (answer.status_code, waiting["status"], waiting["total"]) == (202, "queued", 0)
    assert place == f"http://testserver/api/v1/reports/{waiting['id']}/"
    assert (again.status_code, again.json()["id"]) == (202, waiting["id"])
    assert not TestRun.objects.exists()

    assert tasks.take_upload(waiting["id"])
    assert not tasks.take_upload(waiting["id"]), "once"

    read = api.get(place).json()
    assert (read["status"], read["total"], read["failed"]) == ("stored", 2, 1)
    assert (read["testRunId"], TestRun.objects.get().status) == ("ci-7-1", "running")
    assert files() == []
    once_more = post(api, query="branch=main&testRunId=ci-7-1&shard=1/2")
    assert (once_more.status_code, once_more.json()["id"]) == (200, waiting["id"])
    assert Result.objects.count() == 2


def test_a_small_report_is_read_while_its_sender_waits(api):
    assert post(api, junit("a")).status_code == 201


def test_a_large_report_that_a_worker_can_not_read_is_refused_in_its_row(api):
    row = post(api, LARGE + b"<testsuite>").json()["id"]

    assert not tasks.take_upload(row)

    told = api.get(f"/api/v1/reports/{row}/").json()
    assert (told["status"], told["testRunId"]) == ("refused", None)
    assert "junk after document element" in told["reason"]
    assert (Report.objects.count(), Result.objects.count(), files()) == (1, 0, [])


def test_a_damaged_archive_is_refused_at_the_door(api):
    answer = post(api, b"\x1f\x8b" + LARGE)

    assert answer.status_code == 422
    assert Report.objects.get().status == "refused"


def test_what_a_worker_dies_of_is_given_up_in_the_end(api, monkeypatch):
    row = post(api).json()["id"]

    def killed(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(uploads, "ingest_report", killed)
    for _ in range(uploads.MOST_TRIES):
        with pytest.raises(KeyboardInterrupt):
            tasks.take_upload(row)
    assert Report.objects.get().status == "queued"

    tasks.take_upload(row)
    assert (Report.objects.get().reason, files()) == (uploads.GIVEN_UP, [])


def test_a_file_that_is_gone_is_said(api):
    row = post(api).json()["id"]
    storages["artifacts"].delete(f"uploads/{files()[0]}")

    tasks.take_upload(row)

    assert Report.objects.get().reason == uploads.GONE


def test_without_a_broker_it_is_kept_all_the_same_and_found_by_the_sweep(api, monkeypatch):
    def unreachable(_):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.take_upload, "delay", unreachable)

    answer = post(api)
    Report.objects.update(received_at=timezone.now() - timedelta(hours=1))

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert tasks.sweep_uploads() == 0, "none could be sent, and the sweep goes on"
    assert Report.objects.queued().exists()


def test_what_waits_for_long_is_sent_again(api, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.take_upload, "delay", sent.append)
    row = post(api).json()["id"]
    assert tasks.sweep_uploads() == 0

    Report.objects.update(received_at=timezone.now() - timedelta(hours=1))

    assert (tasks.sweep_uploads(), sent) == (1, [row])
