"""The page of two runs: the answer first, then the numbers, then the tests."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboards.test_cases import BAD, report
from tests.factories import make_ended_run, make_workflow

pytestmark = pytest.mark.django_db


def pair():
    runs = []
    for waited in (10, 70):
        run = make_ended_run()
        for number in range(8):
            make_workflow(run, "success", queue=waited + number, execution=100 + number)
        runs.append(run)
    return runs


def test_the_answer_comes_first_and_says_what_is_to_blame(client, viewer, project):
    base, head = pair()

    shown = client.get("/runs/compare/", {"base": base, "head": head}).content.decode()

    assert "The second is slower by 60.0 s per workflow: it is queueing." in shown
    assert "95 % interval" in shown
    assert shown.index("The second is slower") < shown.index("<table")


def test_runs_may_be_named_by_their_uuid_as_over_the_api(client, viewer, project):
    base, head = pair()

    shown = client.get("/runs/compare/", {"base": str(base.pk).upper(), "head": head.pk.hex}).content.decode()

    assert "The second is slower by 60.0 s per workflow: it is queueing." in shown
    assert client.get(f"/runs/{base.pk}/").status_code == 200
    assert client.get("/runs/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_several_runs_are_ranked_and_each_is_compared_with_the_base(client, viewer, project):
    base, slow = pair()
    _, slower = pair()

    shown = client.get("/runs/compare/", {"base": base, "head": [slow, "", slower]}).content.decode()

    assert "Of 2 runs against the base: 2 slower." in shown
    assert shown.count("Times of head") == 2
    assert shown.count("<td>2</td>") == shown.count("<td>3</td>") == 1, "each has its place"
    assert shown.count('name="head"') == 3, "and there is room for one more"


def test_a_chart_stands_beside_its_numbers(client, viewer, project):
    base, head = pair()
    make_workflow(head, "failure", queue=5, execution=700)

    shown = client.get("/runs/compare/", {"base": base, "head": head}).content.decode()

    figure = json.loads(re.search(r'<script id="distributions"[^>]*>(.*?)</script>', shown)[1])
    assert [trace["name"] for trace in figure["data"]] == ["queue", "execution"]
    assert {label for trace in figure["data"] for label in trace["y"]} == {"base", "head"}
    distributions = shown[shown.index("<h2>Distributions") :]
    assert '<td class="n">11.8 min</td>' in distributions, "the longest total"
    lines = shown[shown.index("<h2>Time lines") :]
    assert lines.count('class="lane"') == 1 + 2 * 11, "the axis, and eleven workflows of both runs"
    assert 'class="execution bad"' in lines
    assert '<span class="muted">none</span>' in lines, "the base has no eleventh workflow"


def test_what_is_drawn_and_asked_does_not_grow_with_the_runs(client, viewer, project):
    counts = []
    for size in (5, 60):
        runs = [make_ended_run(workflows=size) for _ in range(2)]
        with CaptureQueriesContext(connection) as queries:
            shown = client.get("/runs/compare/", {"base": runs[0], "head": runs[1]}).content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "The first 50 of 60 workflows are drawn" in shown


def test_tests_that_changed_are_listed(client, viewer, project):
    report(project, {"total": "", "gone": ""}, minutes=0)
    report(project, {"total": BAD, "new": ""}, minutes=1)

    shown = client.get("/runs/compare/?base=ci-0-1&head=ci-1-1").content.decode()

    for title in ("Newly failing (1)", "Added (1)", "Removed (1)"):
        assert title in shown


def test_without_runs_it_says_what_to_do_and_a_wrong_id_is_named(client, viewer, project):
    assert "Choose two runs or more" in client.get("/runs/compare/").content.decode()
    assert client.get("/runs/compare/?base=%00&head=%00").status_code == 400
    assert "to be the head" in client.get("/runs/compare/?head=nothing").content.decode()


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(
    ("table", "told", "rows"),
    [("", b"lost_parallelism", 6), ("distributions", b"p75", 6), ("workflows", b"queued_at", 20)],
)
def test_each_table_can_be_downloaded(client, viewer, project, form, table, told, rows):
    base, head = pair()

    answer = client.get("/runs/compare/", {"base": base, "head": head, "format": form, "table": table})

    content = b"".join(answer.streaming_content)
    assert told in content
    assert str(head).encode() in content
    assert (len(json.loads(content)) if form == "json" else content.count(b"\r\n") - 1) == rows


def test_tests_that_changed_can_be_downloaded(client, viewer, project):
    report(project, {"total": ""}, minutes=0)
    report(project, {"total": BAD, "new": ""}, minutes=1)

    answer = client.get("/runs/compare/?base=ci-0-1&head=ci-1-1&format=json&table=tests")

    rows = json.loads(b"".join(answer.streaming_content))
    assert [(row["change"], row["base"], row["head"]) for row in rows] == [
        ("newly_failing", "passed", "failed"),
        ("added", "", "passed"),
    ]


def test_the_report_is_a_file(client, viewer, project):
    base, _ = pair()

    answer = client.get(f"/runs/{base}/report/")

    assert answer["Content-Disposition"] == f'attachment; filename="{base}.html"'
    assert b"Where the time went" in answer.content
