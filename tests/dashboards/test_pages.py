import re
from pathlib import Path

import pytest

from tests.factories import make_ended_run, make_user

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def test_login_leads_back(client, project):
    make_user("vera", role="viewer")

    asked = client.get("/runs/?status=failed")
    answer = client.post(
        asked["Location"], {"username": "vera", "password": "secret", "next": "/runs/?status=failed"}
    )

    assert asked["Location"] == "/login/?next=/runs/%3Fstatus%3Dfailed"
    assert answer["Location"] == "/runs/?status=failed"


def test_login_leads_to_no_other_host(client, project):
    make_user("vera", role="viewer")
    form = {"username": "vera", "password": "secret", "next": "https://example.org/"}

    assert client.post("/login/", form)["Location"] == "/"


def test_a_wrong_password_is_said(client, project):
    answer = client.post("/login/", {"username": "vera", "password": "wrong"})

    assert b"Please enter a correct username and password" in answer.content


def test_logging_out_leads_to_the_login(client, viewer):
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/")["Location"] == "/login/?next=/"


@pytest.mark.parametrize(
    "path", ["/runs/nothing/", "/nothing/", "/definitions/nothing/", "/runs/x/workflows/1/"]
)
def test_what_is_not_there_says_what_to_do_next(client, viewer, path):
    page = client.get(path)

    assert page.status_code == 404
    assert b"To the overview" in page.content


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_have_no_inline_scripts_and_no_other_host(template):
    text = template.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+\s*=", text)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    assert "|safe" not in text


def test_scripts_come_from_ourselves_only(client, viewer):
    policy = client.get("/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "script-src" not in policy or "script-src 'self'" in policy


def test_times_are_in_the_readers_zone_and_say_so(client, viewer):
    viewer.time_zone = "Europe/Berlin"
    viewer.save()
    run = make_ended_run()

    page = client.get(f"/runs/{run}/").content.decode()

    assert "2026-01-04 10:00:00" in page
    assert "Times in Europe/Berlin" in page


FILES = [
    path for path in TEMPLATES if not {"reports", "admin"} & set(path.parts) and "<table" in path.read_text()
]


@pytest.mark.parametrize("template", FILES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_table_is_a_file_at_a_click(template):
    _, *tables = template.read_text().split("<table")
    for table in tables:
        tag, _, rest = table.partition(">")
        after = re.split(r"</table>\s*</div>", rest)[1]
        assert "data-downloads" in tag or after.startswith('{% include "as_file.html" %}'), tag
