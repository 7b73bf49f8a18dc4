"""Every list asks as often for many rows as for few, so that no page grows with its history."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_ended_run, make_run, make_workflow
from tracking.tracker import note

PAGES = {"/": 14, "/runs/": 9, "/definitions/": 7, "/definitions/performance/": 11, "/settings/": 6}


def asked(client, path):
    assert client.get(path).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)


@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_as_often_for_30_runs_as_for_3(client, viewer, path):
    now, counts = timezone.now(), []
    for wanted in (3, 30):
        for number in range(wanted):
            at = now - timedelta(minutes=number, hours=wanted)
            make_ended_run(["passed", "failed"][number % 2], started_at=at)
            make_workflow(make_run(started_at=at))
        counts.append(asked(client, path))

    assert counts == [PAGES[path], PAGES[path]]


def test_a_run_asks_as_often_for_30_workflows_as_for_3(client, viewer):
    run, counts = make_run(started_at=timezone.now()), []
    for wanted in (3, 30):
        for _ in range(wanted):
            make_workflow(run)
            note(run, "sent", "Sent one.", timezone.now())
            make_run(rerun_of=run)
        counts.append((asked(client, f"/runs/{run}/"), asked(client, f"/runs/{run}/workflows/1/")))

    assert counts[0] == counts[1] == (18, 8)
