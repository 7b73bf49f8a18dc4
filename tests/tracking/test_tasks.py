"""What workers do, without a broker and without waiting."""

import pytest
from django.utils import timezone

from tests.tracking.fakes import FakeCI, begin
from tracking import ci, drive, tasks, tracking_file
from tracking.models import TestRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data")]


@pytest.fixture
def service(monkeypatch):
    fake = FakeCI()
    monkeypatch.setattr(ci, "connect", lambda *_: fake)
    monkeypatch.setattr(tasks.drive_run, "apply_async", lambda *args, **options: None)
    return fake


def test_a_worker_drives_a_run_to_its_end_and_keeps_its_file(service, data):
    run = begin(now=timezone.now())

    tasks.drive_run(str(run.pk))
    service.finish_all(queue=0, execution=0)
    tasks.drive_run(str(run.pk))

    run = TestRun.objects.for_file().get()
    assert (run.status, run.driver) == ("passed", "")
    assert tracking_file.path_of(run, data).exists()


def test_a_run_that_a_command_drives_is_left_to_it(service):
    run = begin(now=timezone.now(), driver=drive.driver_name("run_tests"))

    assert not tasks.drive_run(str(run.pk))

    assert service.asked == []


def test_a_run_whose_driver_is_gone_is_taken_up_at_once(service, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send", lambda run_pk: sent.append(run_pk) or True)
    here = drive.driver_name("run_tests").partition("@")[2].partition(":")[0]
    run = begin(now=timezone.now(), driver=f"run_tests@{here}:999999999:1")
    begin(now=timezone.now(), driver=drive.driver_name("run_tests"))

    assert tasks.sweep_runs() == 1
    assert sent == [str(run.pk)]
    tasks.drive_run(str(run.pk))
    assert len(service.asked) == 3


def test_a_run_that_waits_for_a_worker_is_sent_once(service, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send", lambda run_pk: sent.append(run_pk) or True)
    run = begin(now=timezone.now())

    assert [tasks.sweep_runs() for _ in range(3)] == [1, 0, 0]
    tasks.drive_run(str(run.pk))
    assert tasks.sweep_runs() == 1

    assert sent == [str(run.pk)] * 2


def test_of_many_tasks_that_find_a_run_being_driven_one_comes_again(service, monkeypatch):
    again = []
    monkeypatch.setattr(tasks.drive_run, "apply_async", lambda *words, **how: again.append(how["countdown"]))
    now = timezone.now()
    monkeypatch.setattr(tasks.timezone, "now", lambda: now)
    run = begin(now=now, driver="worker@elsewhere:1:1")

    for _ in range(50):
        tasks.drive_run(str(run.pk))

    assert again == [0.3]


def test_a_full_disk_does_not_keep_a_run_from_going_on(service, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tracking_file, "write", full)
    run = begin(now=timezone.now())

    tasks.drive_run(str(run.pk))
    service.finish_all(queue=0, execution=0)
    tasks.drive_run(str(run.pk))

    assert TestRun.objects.get().status == "passed"


def test_an_unknown_service_ends_the_run_with_a_plain_reason():
    run = begin(now=timezone.now())
    TestRun.objects.update(plan={**run.plan, "service": "jenkins"})

    tasks.drive_run(str(run.pk))

    run = TestRun.objects.get()
    assert run.status == "error"
    assert run.reason == "Nothing was sent. There is no service 'jenkins' here; there are: local."
