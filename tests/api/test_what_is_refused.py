"""What is refused before it costs anything: names that lead elsewhere, and more than anybody should send."""

import pytest

from access.api import parsing
from tests.factories import make_definition, make_environment
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["text/xml", "multipart/form-data; boundary=b"])
def test_a_report_that_is_too_large_is_refused(api, settings, kind):
    settings.REPORT_BYTES = 10
    body = b"<testsuite></testsuite>"
    if kind.startswith("multipart"):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + body + b"\r\n--b--\r\n"
        )

    answer = api.generic("POST", "/api/v1/reports/", body, kind)

    assert answer.status_code == 413
    assert TestRun.objects.count() == 0


@pytest.mark.parametrize(
    "name",
    ["../../../../tmp/x", "a b", "x/y", "%C3%A9", "x" * 81, "a%0Ab", "-", ".", "", "ci-77-1", "Nightly_2.0"],
)
def test_a_report_names_its_run_by_what_fits_an_address_and_a_file(api, name):
    is_fit = name in {"", "ci-77-1", "Nightly_2.0"}
    where = f"/api/v1/reports/?testRunId={name}"

    answer = api.generic("POST", where, b"<testsuite><testcase name='t'/></testsuite>", "text/xml")

    assert answer.status_code == (201 if is_fit else 400)
    assert TestRun.objects.count() == int(is_fit)


def test_a_body_that_would_fill_the_memory_is_refused(api, monkeypatch):
    monkeypatch.setattr(parsing, "LARGEST", 100)

    answer = api.post("/api/v1/test-runs/", {"metadata": {"note": "x" * 100}}, format="json")

    assert answer.status_code == 413
    assert "send it in pieces" in answer.json()["detail"]


@pytest.mark.parametrize("count", [0, 101])
def test_a_list_of_runs_is_bounded(api, shop, count):
    definition, place = make_definition(project=shop), make_environment(project=shop)
    wanted = {"testDefinitionId": str(definition.pk), "environment": place.name}

    answer = api.post("/api/v1/test-runs/", [wanted] * count, format="json")

    assert (answer.status_code, TestRun.objects.count()) == (400, 0)
    assert "1 to 100 runs at once" in str(answer.json()["detail"])


def test_a_project_keeps_its_slug_and_says_why(client_of, shop):
    admin = client_of("admin")

    answer = admin.patch("/api/v1/projects/shop/", {"slug": "store", "name": "Store"}, format="json")
    assert answer.status_code == 400
    assert "Change `name`, or make a new project" in answer.json()["slug"][0]

    assert (
        admin.patch("/api/v1/projects/shop/", {"slug": "shop", "name": "Store"}, format="json").json()["name"]
        == "Store"
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("patch", "projects/shop/", {"repository": "shop"}, "repository"),
        ("patch", "projects/shop/", {"repository": "acme/shop/../other"}, "repository"),
        ("patch", "projects/shop/", {"repository": "../.."}, "repository"),
        ("post", "environments/", {"name": "x", "kind": "ci", "service": "jenkins"}, "service"),
        ("post", "test-definitions/", {"name": "x", "testType": "x", "steps": [{}]}, "steps"),
        ("post", "test-definitions/", {"name": "x", "testType": "x", "steps": [{"command": []}]}, "steps"),
    ],
)
def test_what_could_never_run_is_refused_when_it_is_written_down(client_of, method, path, body, field):
    answer = getattr(client_of("admin"), method)(f"/api/v1/{path}", body, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_repository_is_written_as_owner_and_name_or_left_empty(client_of):
    admin = client_of("admin")
    for name in ("acme/shop", "acme/.github", ""):
        answer = admin.patch("/api/v1/projects/shop/", {"repository": name}, format="json")
        assert (answer.status_code, answer.json()["repository"]) == (200, name)


def test_a_commit_is_hexadecimal_in_either_case(client_of, shop):
    definition, place = make_definition(project=shop, steps=[]), make_environment(project=shop)
    wanted = {"testDefinitionId": str(definition.pk), "environment": place.name}

    client = client_of()
    made = client.post("/api/v1/test-runs/", {**wanted, "commitSha": "ABCDEF0"}, format="json")
    wrong = client.post("/api/v1/test-runs/", {**wanted, "commitSha": "main"}, format="json")

    assert (made.status_code, made.json()["commitSha"]) == (201, "abcdef0")
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"commitSha": ["Give 7 to 40 hexadecimal digits."]},
    )


@pytest.mark.parametrize("name", ["acme", "acme/shop/x", "../..", "../user", "acme/..", "acme/shop?x"])
def test_a_repository_leads_nowhere_but_to_a_repository(client_of, shop, name):
    answer = client_of("admin").patch("/api/v1/projects/shop/", {"repository": name}, format="json")

    assert answer.status_code == 400
    assert answer.json() == {"repository": ["Write the repository as owner/name."]}
