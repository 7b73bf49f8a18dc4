"""How a project fetches from CI is set on its GitHub page."""

import pytest

from executions.models import CISync

pytestmark = pytest.mark.django_db
PLACE = "/settings/demo/github/"
FORM = {"repository": "acme/shop", "default_branch": "main"}


def test_how_often_and_which_names_are_set_and_shown(client, administrator):
    client.post(PLACE, {**FORM, "every": "30", "patterns": "out-{job}, *junit*"})

    sync = CISync.objects.get(project__slug="demo")
    assert (sync.every, sync.patterns) == (30, ["out-{job}", "*junit*"])
    page = client.get(PLACE).content.decode()
    assert 'value="30"' in page
    assert "out-{job}, *junit*" in page
    assert "CI has not been fetched yet." in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("every", "often", "Write a whole number of minutes"),
        ("every", "-1", "greater than or equal to 0"),
        ("patterns", "{job}-{job}", "Write a list of names"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(client, administrator, field, value, said):
    answer = client.post(PLACE, {**FORM, field: value})

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert CISync.objects.get(project__slug="demo").every == 15


def test_why_ci_could_not_be_fetched_stands_there(client, administrator):
    client.get(PLACE)
    CISync.objects.update(problem="There is no token for GitHub.")

    assert "There is no token for GitHub." in client.get(PLACE).content.decode()
