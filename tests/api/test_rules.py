"""What holds for all of the API: spelling both ways, pages, filters, all or none, and who is too fast."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from access.api.throttling import ByToken
from access.models import ApiToken, AuditEntry
from access.tokens import new_token
from tests.factories import NINE, make_definition, make_ended_run, make_environment, make_run
from tracking.models import Step, TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(shop):
    """One run for each filter to find, all others differ from it in one thing."""
    suite, other = (make_definition(name, project=shop) for name in ("suite", "other"))
    staging, prod = (make_environment(name, project=shop) for name in ("aws-ecs", "prod"))
    common = {"definition": suite, "environment": staging, "branch": "main", "space": "ci", "workflows": 0}
    odd = [
        {"definition": other},
        {"environment": prod},
        {"branch": "topic"},
        {"space": "local"},
        {"status": "failed"},
        {"started_at": NINE + timedelta(days=3)},
    ]
    return [make_ended_run(**{**common, **one}) for one in [{}, *odd]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 7),
        ("status=failed", 1),
        ("status=failed&status=passed", 7),
        ("environment=prod", 1),
        ("environment=aws_ecs", 6),
        ("definition=other", 1),
        ("definition=2f7a3456-e89b-12d3-a456-426614174111", 0),
        ("branch=topic", 1),
        ("space=local", 1),
        ("startedAfter=2026-01-05T00:00:00Z", 1),
        ("startedBefore=2026-01-05T00:00:00%2B02:00", 6),
        ("status=passed&branch=topic&space=local", 0),
    ],
)
def test_runs_are_narrowed(api, runs, query, found):
    assert len(api.get(f"/api/v1/test-runs/?{query}").json()["results"]) == found


def test_runs_of_a_definition_are_found_by_its_id_as_by_its_name(api, runs):
    definition = runs[0].definition

    found = api.get(f"/api/v1/test-runs/?definition={definition.pk}").json()["results"]

    assert {row["testDefinitionId"] for row in found} == {str(definition.pk)}
    assert len(found) == 6


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=green", "status"),
        ("space=moon", "space"),
        ("startedAfter=yesterday", "startedAfter"),
        ("started_after=2026-01-01T00:00:00Z", "started_after"),
        ("pageSize=many", "pageSize"),
        ("startedBefore=2026-13-01T00:00:00Z", "startedBefore"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named_as_it_was_spelt(api, query, field):
    answer = api.get(f"/api/v1/test-runs/?{query}")

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_list_is_read_page_by_page_and_nothing_comes_twice(api, runs):
    where, seen = "/api/v1/test-runs/?pageSize=3", []
    while where:
        told = api.get(where).json()
        assert told.keys() == {"next", "previous", "results"}
        seen += [row["testRunId"] for row in told["results"]]
        where = told["next"]

    assert sorted(seen) == sorted(str(run) for run in runs)
    assert seen[0] == str(runs[-1]), "newest first"
    assert api.get("/api/v1/test-runs/?cursor=nonsense").status_code == 404


def test_short_lists_say_how_many_there_are(api, shop, runs):
    told = api.get("/api/v1/environments/?pageSize=1").json()

    assert (told["count"], len(told["results"]), told["previous"]) == (2, 1, None)
    assert "page=2" in told["next"]
    assert api.get("/api/v1/environments/?page=99").status_code == 404


def test_many_runs_start_in_one_go_or_none(api, shop):
    definition = make_definition("suite", project=shop, steps=[])
    make_environment("staging", project=shop)
    good = {"testDefinitionId": str(definition.pk), "environment": "staging", "metadata": {"a_b": {"cD": 1}}}

    bad = api.post("/api/v1/test-runs/", [good, {**good, "environment": "moon"}], format="json")
    assert bad.status_code == 400
    assert list(bad.json()["1"]) == ["environment"], "of the second run"
    assert TestRun.objects.count() == 0

    many = api.post("/api/v1/test-runs/", [good] * 3, format="json")
    assert many.status_code == 201
    assert len({one["testRunId"] for one in many.json()}) == 3
    assert [one["metadata"] for one in many.json()] == [{"a_b": {"cD": 1}}] * 3


def test_a_run_is_repeated_exactly(api, shop):
    run = make_run(definition=make_definition(project=shop), status="passed", branch="topic")

    again = api.post(f"/api/v1/test-runs/{run}/rerun/").json()

    made = TestRun.objects.get(test_run_id=again["testRunId"])
    assert (again["rerunOf"], made.plan["steps"], made.branch) == (str(run), run.plan["steps"], "topic")


def test_a_cancel_that_was_asked_for_twice_is_recorded_once(api, shop):
    run = make_run(definition=make_definition(project=shop))

    answers = [api.post(f"/api/v1/test-runs/{run}/cancel/").status_code for _ in range(2)]

    assert answers == [200, 200]
    assert AuditEntry.objects.filter(action="run.cancel").count() == 1


def test_what_contradicts_is_a_conflict(api, shop):
    run = make_ended_run(definition=make_definition(project=shop))

    answer = api.post(f"/api/v1/test-runs/{run}/cancel/")

    assert answer.status_code == 409
    assert "has ended already, as passed" in answer.json()["detail"]


@pytest.mark.parametrize("form", ["html", "md", "json"])
def test_the_report_of_a_run_is_handed_out(api, shop, form):
    run = make_ended_run(definition=make_definition(project=shop))

    answer = api.get(f"/api/v1/test-runs/{run}/report/?format={form}")

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{run}.{form}"'
    assert str(run) in answer.content.decode()
    assert list(api.get(f"/api/v1/test-runs/{run}/report/?format=pdf").json()) == ["format"]


def test_who_is_too_fast_is_told_how_long_to_wait(api, client_of, monkeypatch):
    monkeypatch.setattr(ByToken, "get_rate", lambda self: "3/min")
    cache.clear()

    codes = [api.get("/api/v1/projects/").status_code for _ in range(4)]
    refused = api.get("/api/v1/projects/")

    assert codes == [200, 200, 200, 429]
    assert 0 < int(refused["Retry-After"]) <= 60
    assert client_of("read").get("/api/v1/projects/").status_code == 200, "each token has its own"


def test_a_token_opens_nothing_when_it_has_expired_or_was_revoked(client_of, shop):
    client = client_of("read")
    assert client.get("/api/v1/test-runs/").status_code == 200
    token = ApiToken.objects.get()
    assert token.last_used_at is not None

    for change in {"expires_at": timezone.now()}, {"expires_at": None, "revoked_at": timezone.now()}:
        ApiToken.objects.update(**change)
        answer = client.get("/api/v1/test-runs/")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_of_a_token_only_a_digest_is_stored(shop):
    row, text = new_token(shop, "ci", "read", by="a test")

    kept = [str(value) for value in ApiToken.objects.filter(pk=row.pk).values_list().get()]
    assert not [value for value in kept if text in value]
    assert row.prefix == text[: len(row.prefix)]


def test_programs_are_answered_in_json_where_there_is_nothing(api):
    answer = api.get("/api/v1/test-rnus/")

    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_a_shell_makes_a_token_that_expires(shop, capsys):
    call_command("create_token", "nightly", project="shop", scope="read", days=30)

    assert capsys.readouterr().out.startswith("rt_")
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)


def test_changed_steps_leave_a_version_of_each(client_of, shop):
    definition = make_definition(project=shop, steps=[{"workflow": "old.yml"}])
    where, steps = (
        f"/api/v1/test-definitions/{definition.pk}/",
        [{"workflow": "a.yml"}, {"workflow": "b.yml"}],
    )

    answer = client_of("admin").patch(where, {"steps": steps}, format="json")

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    made = Step.history.filter(history_type="+").values_list("workflow", flat=True)
    assert {"a.yml", "b.yml"} <= set(made)
