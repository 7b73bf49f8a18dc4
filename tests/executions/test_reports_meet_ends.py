"""A report comes in at the very moment in which its run goes or ends; the two never wait for each other.

On SQLite there is one writer at a time, so there is no order of locks to keep; PostgreSQL would end one of
two that wait for each other with an error.
"""

import threading
from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection, connections, transaction
from django.utils import timezone

from executions.models import Report, Result
from executions.recount import forget_runs, recount
from tests.executions.test_reports_come_in import FAILED, junit, send
from tests.factories import make_project, make_run, make_workflow
from tracking.lifecycle import close_run
from tracking.models import RetentionPolicy, RunnerDay, TestRun
from tracking.retention import prune

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer; PostgreSQL runs it"),
]
NOW = timezone.now()


class Sender(threading.Thread):
    """Stores a report in a session of its own, and keeps what went wrong."""

    def __init__(self, content, **told):
        super().__init__()
        self.content, self.told, self.problem = content, told, None

    def run(self):
        try:
            send(self.content, **self.told)
        except Exception as problem:  # told to the test, which runs in another thread
            self.problem = problem
        finally:
            connections.close_all()

    def start_and_wait(self):
        """Start, and come back when it waits for a row that this session holds."""
        self.start()
        while self.is_alive():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
                if cursor.fetchone():
                    return
            self.join(0.02)


class Archive(FileSystemStorage):
    """Stores archives; while the first is written, a report of its run comes in."""

    def __init__(self, folder, sender):
        super().__init__(folder)
        self.sender = sender

    def save(self, *args, **options):
        if self.sender.ident is None:
            self.sender.start_and_wait()
        return super().save(*args, **options)


def test_a_report_of_a_run_that_retention_takes_away_waits_and_makes_it_anew(tmp_path):
    project, at = make_project(), NOW - timedelta(days=60)
    send(junit("a", at=at), now=at, test_run_id="ci-1-1")
    RetentionPolicy.objects.create(project=project, days=30, keep=0)
    sender = Sender(junit("a", ("b", FAILED), at=at), now=NOW, test_run_id="ci-1-1")

    gone = list(prune(NOW, storage=Archive(tmp_path, sender), forget=forget_runs))
    sender.join(60)

    assert sender.problem is None
    assert [one.run.test_run_id for one in gone] == ["ci-1-1"]
    assert TestRun.objects.get().status == "failed"
    assert (Report.objects.count(), Result.objects.count()) == (1, 2)
    assert list(recount(project)) == []


def test_a_report_of_a_run_that_ends_at_that_moment_makes_it_fail():
    run = make_run()
    workflow = make_workflow(run, "success", queue=1, execution=1)
    sender = Sender(junit(("b", FAILED)), now=NOW, test_run_id=run.test_run_id)

    with transaction.atomic():
        TestRun.objects.select_for_update().get(pk=run.pk)  # as whoever closes it has, before its figures
        sender.start_and_wait()
        assert close_run(run, "passed", now=NOW)
    sender.join(60)

    assert sender.problem is None
    assert TestRun.objects.get().status == "failed"
    assert RunnerDay.objects.get().jobs == workflow.latest_attempt.jobs.count()
