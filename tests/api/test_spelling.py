"""How keys and words are spelt over HTTP, and what is told to who spells them otherwise."""

import pytest

from performance.models import Bottleneck
from tests.factories import make_definition, make_environment
from tests.performance.factories import make_workload, make_workload_run
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


def test_a_key_in_snake_case_is_never_overlooked(client_of, shop):
    definition = make_definition("suite", project=shop, steps=[])
    make_environment("staging", project=shop)
    wanted = {"testDefinitionId": str(definition.pk), "environment": "staging", "commit_sha": "a" * 40}

    answer = client_of().post("/api/v1/test-runs/", wanted, format="json")
    more = {"name": "x", "testType": "x", "steps": [{"command": ["true"], "at_most": 1}]}
    nested = client_of("admin").post("/api/v1/test-definitions/", more, format="json")

    assert (answer.status_code, answer.json()) == (400, {"commitSha": ["Write it as commitSha."]})
    assert nested.json()["steps"] == {"0": {"atMost": ["Write it as atMost."]}}
    assert TestRun.objects.count() == 0


@pytest.mark.parametrize("body", ["text", ["text"], [["text"]]])
def test_an_error_of_no_single_field_has_a_key_in_camel_case_too(api, body):
    answer = api.post("/api/v1/test-runs/", body, format="json")

    assert answer.status_code == 400
    assert "nonFieldErrors" in answer.content.decode()


def test_the_kind_of_an_environment_may_be_written_out(client_of):
    made = client_of("admin").post(
        "/api/v1/environments/", {"name": "live", "kind": "production"}, format="json"
    )

    assert (made.status_code, made.json()["kind"]) == (201, "prod")


def test_keys_are_camel_case_and_keys_of_users_travel_untouched(client_of, shop):
    admin = client_of("admin")
    step = {"command": ["true"], "startAfter": 1.5, "atMost": 2, "inputs": {"build_no": "7", "buildNo": "8"}}
    told = {"name": "suite", "testType": "suite", "steps": [step]}
    make_environment("staging", project=shop)

    made = admin.post("/api/v1/test-definitions/", told, format="json").json()
    ran = admin.post(
        "/api/v1/test-runs/",
        {"testDefinitionId": made["id"], "environment": "staging", "metadata": {"a_b": {"cD": 1}}},
        format="json",
    )
    snake = admin.post("/api/v1/test-definitions/", {"name": "x", "test_type": "x"}, format="json")
    wrong = admin.post(
        "/api/v1/test-definitions/", {**told, "name": "y", "steps": [{"atMost": -1}]}, format="json"
    )

    assert (made["steps"][0]["startAfter"], made["steps"][0]["atMost"]) == (1.5, 2)
    assert made["steps"][0]["inputs"] == step["inputs"]
    assert not [key for key in made if "_" in key]
    assert ran.status_code == 400, "what came over the web runs no commands here"
    assert list(snake.json()) == ["testType"]
    assert list(wrong.json()["steps"]["0"]) == ["atMost"], "of the first step"


def test_what_a_load_says_of_itself_is_spelt_alike_and_requests_keep_their_names(client_of, shop):
    run = make_workload_run(make_workload(project=shop))
    run.progress = {"in_flight": 2, "is_warmup": False}
    run.generator_facts = {"coordinated_omission": "avoided"}
    run.save()
    evidence = {"sets_in_at": 20, "requests": {"get_cart": 3}, "picture": {"x_title": "load (1/s)"}}
    Bottleneck.objects.create(run=run, rank=1, kind="errors", name="status 500", score=0.7, evidence=evidence)
    where = f"/api/v1/performance/runs/{run.run.test_run_id}/"

    client = client_of()
    told = client.get(where).json()
    (found,) = client.get(f"{where}bottlenecks/").json()["results"]

    assert told["progress"] == {"inFlight": 2, "isWarmup": False}
    assert told["generatorFacts"] == {"coordinatedOmission": "avoided"}
    assert found["evidence"] == {
        "setsInAt": 20,
        "requests": {"get_cart": 3},
        "picture": {"xTitle": "load (1/s)"},
    }
