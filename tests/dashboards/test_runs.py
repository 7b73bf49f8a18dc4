import csv
import io
import json
from datetime import timedelta

import pytest

from tests.factories import NINE, make_definition, make_ended_run, make_environment, make_project, make_run


def listed(client, query=""):
    page = client.get(f"/runs/{query}")
    return [row.run.test_run_id for row in page.context["rows"]]


@pytest.fixture
def three(viewer):
    suite = make_definition("suite")
    return {
        "old": make_ended_run(
            "failed", started_at=NINE - timedelta(days=3), branch="main", commit_sha="a" * 40
        ),
        "other": make_ended_run(
            definition=suite, environment=make_environment("aws-ecs"), triggered_by="nightly"
        ),
        "going": make_run(started_at=NINE + timedelta(hours=1), branch="topic", space="local"),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["going", "other", "old"]),
        ("?status=failed", ["old"]),
        ("?status=failed&status=running", ["going", "old"]),
        ("?environment=aws_ecs", ["other"]),
        ("?definition=suite", ["other"]),
        ("?branch=main", ["old"]),
        ("?space=local", ["going"]),
        ("?started_after=2026-01-04", ["going", "other"]),
        ("?started_before=2026-01-04", ["going", "other", "old"]),
        ("?started_before=2026-01-04T09:30", ["other", "old"]),
        ("?started_after=2026-01-04T09:30:00Z", ["going"]),
        ("?q=night", ["other"]),
        ("?q=aaaaaaa", ["old"]),
        ("?q=TOPIC", ["going"]),
        ("?sort=started", ["old", "other", "going"]),
        ("?q=nothing-like-it", []),
    ],
)
def test_the_url_narrows_and_sorts(client, three, query, names):
    assert listed(client, query) == [three[name].test_run_id for name in names]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?started_after=yesterday", "&#x27;yesterday&#x27; is no date. Write it as 2026-01-04"),
        ("?started_before=2026-02-30", "is no date"),
        ("?started_after=0001-01-01T00:00:00%2B14:00", ""),
        ("?environment=nowhere", "There is no environment nowhere in this project."),
        ("?definition=<b>", "There is no definition &lt;b&gt; in this project."),
        ("?status=wild", "There is no status wild."),
        ("?space=outer", "There is no space outer."),
        ("?sort=color", "There is no order &#x27;color&#x27;"),
        ("?cursor=nonsense", "begin at its first page"),
    ],
)
def test_what_cant_be_read_is_said_beside_its_field(client, three, query, message):
    page = client.get(f"/runs/{query}")

    assert page.status_code == 200
    assert message in page.content.decode()


def test_an_empty_list_says_what_to_do(client, viewer):
    assert "No run yet" in client.get("/runs/").content.decode()
    assert "Show all runs" in client.get("/runs/?q=x").content.decode()


def test_other_projects_are_not_listed(client, three):
    hidden = make_run(definition=make_definition(project=make_project("other")))

    assert hidden.test_run_id not in client.get("/runs/").content.decode()


def test_long_lists_have_pages_that_keep_the_filter(client, viewer):
    runs = [make_run(started_at=NINE + timedelta(seconds=n), branch="main") for n in range(60)]

    first = client.get("/runs/?branch=main")
    second = client.get(f"/runs/?branch=main&cursor={first.context['found'].after}")

    assert len(first.context["rows"]) == 50
    assert [row.run for row in second.context["rows"]] == runs[9::-1]
    assert "branch=main&amp;cursor=" in first.content.decode()


def test_the_list_can_be_had_as_csv_and_json(client, three):
    three["old"].__class__.objects.filter(pk=three["old"].pk).update(triggered_by="=cmd()")

    table = list(
        csv.DictReader(io.StringIO(b"".join(client.get("/runs/?format=csv&status=failed")).decode()))
    )
    data = json.loads(b"".join(client.get("/runs/?format=json")))

    assert [row["test_run_id"] for row in table] == [three["old"].test_run_id]
    assert table[0]["triggered_by"] == "'=cmd()"
    assert [row["status"] for row in data] == ["running", "passed", "failed"]
    assert data[1]["started_at"] == "2026-01-04T09:00:00Z"
    assert data[1]["queue_share"] == pytest.approx(0.4)
    assert data[0]["duration"] is None


def test_a_download_with_a_bad_filter_is_refused(client, three):
    answer = client.get("/runs/?format=csv&started_after=yesterday")

    assert answer.status_code == 400
    assert b"started_after: 'yesterday' is no date" in answer.content
