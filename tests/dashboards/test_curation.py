"""Curating a run on its page, and schedules on theirs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import AuditEntry
from tests.factories import make_definition, make_ended_run, make_environment, make_project, make_user
from tracking import scheduling
from tracking.models import DayTiming, Schedule, TestRun

pytestmark = pytest.mark.django_db
PLACE = "/settings/demo/schedules/"


@pytest.fixture
def maintainer(client, project):
    user = make_user("mia", role="maintainer")
    client.force_login(user)
    return user


def shown(client, path):
    return client.get(path).content.decode()


def test_a_maintainer_leaves_a_run_out_and_the_page_says_who_and_why(client, maintainer):
    run = make_ended_run()
    place = f"/runs/{run}/"

    refused = client.post(f"{place}exclude/", {"reason": " "}, follow=True)
    assert "Say why it does not count" in refused.content.decode()
    client.post(f"{place}exclude/", {"reason": "the <runners> were down"})

    page = shown(client, place)
    assert "Left out of the statistics by mia" in page
    assert "the &lt;runners&gt; were down" in page
    assert "not counted" in shown(client, "/runs/")
    assert DayTiming.objects.get().passed == 0

    client.post(f"{place}include/")
    assert "Left out" not in shown(client, place)
    assert DayTiming.objects.get().passed == 1


@pytest.mark.parametrize("place", ["runs/{run}/note/", "runs/{run}/exclude/", "project/"])
def test_what_no_database_keeps_is_refused_in_a_form(client, maintainer, place):
    run = make_ended_run()
    form = dict.fromkeys(["note", "reason", "project"], "half\0")

    answer = client.post(f"/{place.format(run=run)}", form)

    assert (answer.status_code, answer.content) == (400, b"A form can't hold a NUL.")


def test_a_maintainer_pins_and_unpins(client, maintainer):
    run = make_ended_run()

    client.post(f"/runs/{run}/pin/", {"pinned": "1"})
    assert "forever (pinned)" in shown(client, f"/runs/{run}/")
    client.post(f"/runs/{run}/pin/", {"pinned": "0"})

    assert not TestRun.objects.get().pinned


def test_a_reporter_notes_and_is_offered_no_more(client, reporter):
    run = make_ended_run()

    client.post(f"/runs/{run}/note/", {"note": "first with the new compiler"})

    page = shown(client, f"/runs/{run}/")
    assert "first with the new compiler" in page
    assert f"/runs/{run}/note/" in page
    assert f"/runs/{run}/exclude/" not in page
    assert client.post(f"/runs/{run}/pin/", {"pinned": "1"}).status_code == 403


def test_a_viewer_is_offered_nothing(client, viewer):
    assert "Curate" not in shown(client, f"/runs/{make_ended_run()}/")


def make(client, **fields):
    told = {"definition": "performance", "environment": "local", "cron": "0 2 * * *", "time_zone": "UTC"}
    return client.post(f"{PLACE}add/", {**told, **fields})


def test_a_schedule_is_made_paused_resumed_and_removed(client, maintainer):
    make_definition()
    make_environment()
    assert "Nothing is scheduled yet" in shown(client, PLACE)

    assert make(client, time_zone="Europe/Berlin").status_code == 302
    schedule = Schedule.objects.get()
    assert (schedule.created_by, schedule.next_at > timezone.now()) == ("mia", True)
    assert "Europe/Berlin" in shown(client, PLACE)
    assert "not yet" in shown(client, PLACE)

    client.post(f"{PLACE}{schedule.pk}/pause/", {"enabled": "0"})
    assert "paused" in shown(client, PLACE)
    Schedule.objects.update(next_at=timezone.now() - timedelta(days=30))
    client.post(f"{PLACE}{schedule.pk}/pause/", {"enabled": "1"})
    schedule.refresh_from_db()
    assert schedule.next_at > timezone.now(), "what passed in the pause was not missed"

    client.post(f"{PLACE}{schedule.pk}/remove/")
    assert not Schedule.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        *("schedule.create", "schedule.pause", "schedule.resume", "schedule.remove")
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cron": "at noon"}, "Write five fields"),
        ({"time_zone": "Mars"}, "no time zone"),
        ({"definition": "elsewhere"}, "no such definition"),
        ({"environment": "moon"}, "no such environment"),
    ],
)
def test_a_schedule_that_can_not_be_kept_is_refused_with_its_reason(client, maintainer, fields, said):
    make_definition()
    make_environment()
    make_definition("elsewhere", project=make_project("other"))

    answer = make(client, **fields)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Schedule.objects.exists()


def test_run_now_starts_a_run_and_leaves_the_next_time(client, maintainer):
    make_definition()
    make_environment()
    make(client, branch="release")
    before = Schedule.objects.get()

    answer = client.post(f"{PLACE}{before.pk}/run/")

    run = TestRun.objects.get()
    assert answer["Location"] == f"/runs/{run}/"
    assert (run.triggered_by, run.branch, run.plan["ref"]) == ("mia", "release", "release")
    after = Schedule.objects.get()
    assert (after.next_at, after.last_run) == (before.next_at, run)
    assert str(run) in shown(client, PLACE)


def test_what_was_missed_is_told_on_the_page(client, viewer):
    schedule = Schedule.objects.create(
        project=make_project(), definition=make_definition(), environment=make_environment(), cron="0 2 * * *"
    )
    scheduling.set_next(schedule, now=timezone.now() - timedelta(days=9))

    scheduling.start_due(now=timezone.now().replace(hour=12))

    assert "no scheduler was running" in shown(client, PLACE)
    assert "Run now" not in shown(client, PLACE)
