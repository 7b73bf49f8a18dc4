"""Curation and schedules by program: the same verbs as on the pages, the same records of who did it."""

from datetime import UTC, datetime

import pytest

from access.models import AuditEntry
from tests.factories import make_definition, make_ended_run, make_environment, make_project
from tracking.models import Schedule, TestRun
from tracking.scheduling import start_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(shop):
    return make_ended_run(definition=make_definition(project=shop))


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def test_a_run_is_noted_pinned_left_out_and_taken_back(admin, run):
    def say(what, **told):
        answer = admin.post(f"/api/v1/test-runs/{run}/{what}/", told, format="json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert say("note", note=" The runners were slow. ")["note"] == "The runners were slow."
    assert say("pin", pinned=True)["pinned"] is True
    assert say("pin", pinned=True)["pinned"] is True, "told twice it is pinned once"
    left_out = say("exclude", reason="the runners were down")
    assert (left_out["excludedReason"], bool(left_out["excludedAt"])) == ("the runners were down", True)
    assert not TestRun.objects.counted().filter(pk=run.pk).exists()
    assert say("include")["excludedAt"] is None
    assert TestRun.objects.counted().filter(pk=run.pk).exists()
    actions = AuditEntry.objects.exclude(action="token.create").values_list("action", flat=True)
    assert sorted(actions) == ["run.annotate", "run.exclude", "run.include", "run.pin"]
    assert set(AuditEntry.objects.filter(action="run.pin").values_list("actor_name", flat=True)) == {
        "token admin token"
    }


@pytest.mark.parametrize(
    ("what", "told", "field"),
    [
        ("exclude", {"reason": "  "}, "reason"),
        ("exclude", {}, "reason"),
        ("pin", {"pinned": "perhaps"}, "pinned"),
        ("note", {"note": "x" * 2001}, "note"),
    ],
)
def test_what_is_missing_is_named_and_nothing_changes(admin, run, what, told, field):
    answer = admin.post(f"/api/v1/test-runs/{run}/{what}/", told, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    run.refresh_from_db()
    assert (run.note, run.pinned, run.excluded_at) == ("", False, None)


def test_a_schedule_is_made_changed_run_and_removed(admin, shop):
    definition = make_definition(project=shop)
    make_environment("aws-ecs", project=shop)
    told = {"testDefinitionId": str(definition.pk), "environment": "aws_ecs", "cron": "0 2 * * *"}

    made = admin.post("/api/v1/schedules/", {**told, "timeZone": "Europe/Berlin"}, format="json")
    assert made.status_code == 201, made.content
    where = f"/api/v1/schedules/{made.json()['id']}/"
    assert (made.json()["definition"], made.json()["environment"]) == ("performance", "aws-ecs")
    next_at = datetime.fromisoformat(made.json()["nextAt"])
    assert next_at.astimezone(UTC).hour in (0, 1), "two o'clock in Berlin"

    run = admin.post(f"{where}run/").json()
    assert run["status"] == "running"
    told = admin.get(where).json()
    assert (told["lastRun"], told["lastStatus"]) == (run["testRunId"], "running")

    changed = admin.patch(where, {"cron": "30 5 * * *", "timeZone": "UTC"}, format="json").json()
    assert changed["nextAt"].endswith("T05:30:00Z")
    paused = admin.patch(where, {"enabled": False}, format="json").json()
    assert paused["enabled"] is False
    assert start_due(now=datetime(2100, 1, 1, tzinfo=UTC)) == []
    assert admin.delete(where).status_code == 204
    assert (Schedule.objects.count(), TestRun.objects.count()) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "every day"}, "cron"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"environment": "moon"}, "environment"),
        ({"testDefinitionId": "OTHER"}, "testDefinitionId"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(admin, shop, changes, field):
    make_environment("aws-ecs", project=shop)
    other = make_definition(project=make_project("other"))
    told = {"testDefinitionId": str(make_definition(project=shop).pk), "environment": "aws-ecs"}
    told |= {"cron": "0 2 * * *", **changes}
    if told["testDefinitionId"] == "OTHER":
        told["testDefinitionId"] = str(other.pk)

    answer = admin.post("/api/v1/schedules/", told, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Schedule.objects.count() == 0
