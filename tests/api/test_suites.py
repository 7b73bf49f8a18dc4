"""Suites over HTTP: made by a maintainer, run only where commands may run."""

from types import SimpleNamespace

import pytest

from tests.factories import make_definition, make_environment
from tracking.api.definitions import DefinitionSerializer
from tracking.models import TestDefinition
from tracking.steps import replace_steps

pytestmark = pytest.mark.django_db
SUITE = {
    "name": "unit",
    "testType": "unit",
    "kind": "suite",
    "workspace": "/srv/shop",
    "steps": [{"command": ["python", "-m", "pytest"]}],
    "expected": ["tests/test_cart.py::test_total"],
    "timeout": 60,
}


@pytest.fixture
def admin(client_of):
    return client_of("admin")


def made(client, **changed):
    return client.post("/api/v1/test-definitions/", {**SUITE, **changed}, format="json")


def test_a_suite_is_made_and_read(admin):
    answer = made(admin)

    assert answer.status_code == 201, answer.content
    shown = admin.get(f"/api/v1/test-definitions/{answer.json()['id']}/").json()
    assert {name: shown[name] for name in ("kind", "workspace", "expected", "reports")} == {
        "kind": "suite",
        "workspace": "/srv/shop",
        "expected": ["tests/test_cart.py::test_total"],
        "reports": [],
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [{"workflow": "build.yml"}]}, "steps"),
        ({"steps": [*SUITE["steps"], *SUITE["steps"]]}, "steps"),
        ({"kind": "workflows"}, "kind"),
        ({"kind": "moon"}, "kind"),
    ],
)
def test_what_is_no_suite_is_refused_with_its_field(admin, changed, field):
    answer = made(admin, **changed)

    assert answer.status_code == 400
    assert field in answer.json()
    assert not TestDefinition.objects.exists()


def test_one_that_was_made_over_the_web_runs_no_commands(admin, shop):
    make_environment("local", project=shop)
    number = made(admin).json()["id"]

    body = {"testDefinitionId": number, "environment": "local"}
    answer = admin.post("/api/v1/test-runs/", body, format="json")

    assert answer.status_code in (400, 409)
    assert "may not run commands on this machine" in answer.content.decode()


def test_another_workspace_over_the_web_loses_the_trust_of_the_shell(admin):
    number = made(admin).json()["id"]
    TestDefinition.objects.update(is_from_shell=True)
    place = f"/api/v1/test-definitions/{number}/"

    assert admin.patch(place, {"timeout": 90}, format="json").status_code == 200
    assert TestDefinition.objects.get().is_from_shell
    assert admin.patch(place, {"workspace": "/etc"}, format="json").status_code == 200
    assert not TestDefinition.objects.get().is_from_shell
    assert admin.patch(place, {"kind": "workflows"}, format="json").status_code == 400


def test_a_change_of_words_gives_no_trust_back_that_was_taken_since_it_was_read(shop):
    as_read = make_definition(project=shop)
    told = DefinitionSerializer(
        as_read,
        data={"description": "nightly"},
        partial=True,
        context={"view": SimpleNamespace(project=shop)},
    )
    told.is_valid(raise_exception=True)
    replace_steps(TestDefinition.objects.get(), [{"command": ["somebody", "elses"]}])

    told.save()

    kept = TestDefinition.objects.get()
    assert (kept.description, kept.version, kept.is_from_shell) == ("nightly", 2, False)


def test_a_row_that_is_deleted_while_it_is_changed_is_not_there(shop, admin, monkeypatch):
    definition = make_definition(project=shop)

    def validate(serializer, attrs):
        TestDefinition.objects.all().delete()
        return attrs

    monkeypatch.setattr(DefinitionSerializer, "validate", validate)
    answer = admin.patch(f"/api/v1/test-definitions/{definition.pk}/", {"description": "x"}, format="json")

    assert answer.status_code == 404
