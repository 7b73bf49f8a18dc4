"""Two branches or spaces compared by the latest result of each test."""

import io
import json
from datetime import UTC, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from executions.ingest import ingest_report
from executions.sides import Side, compare_sides
from tests.executions.ci_of_others import junit
from tests.factories import make_project, make_user
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def send(branch, *names, failed=(), days=1.0, **told):
    """Results of a branch, so many days ago."""
    at = NOW - timedelta(days=days)
    content = junit(*names, failed=failed).replace(
        b"<testsuite ", f"<testsuite timestamp='{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}' ".encode()
    )
    return ingest_report(io.BytesIO(content), project=make_project(), branch=branch, now=at, **told)


def compared(base, head, days=14):
    base, head = (side if isinstance(side, Side) else Side(side) for side in (base, head))
    found = compare_sides(make_project(), base, head, since=NOW - timedelta(days=days)).tests
    return {
        kind: [change.nodeid.rsplit("::")[-1] for change in getattr(found, kind)]
        for kind in ("newly_failing", "fixed", "added", "removed", "still_failing", "added_failing")
        if getattr(found, kind)
    }


def test_the_latest_result_of_each_test_decides():
    send("main", "a", "b", "gone", failed=("b",), days=3)
    send("topic", "a", "b", "new", failed=("b",), days=2)
    send("topic", "a", "b", "new", failed=("a", "new"), days=1)

    assert compared("main", "topic") == {
        "newly_failing": ["a"],
        "fixed": ["b"],
        "added": ["new"],
        "removed": ["gone"],
        "added_failing": ["new"],
    }


def test_a_partial_run_says_nothing_of_the_tests_that_it_left_out():
    names = [f"t{number}" for number in range(10)]
    send("main", *names, days=3)
    send("topic", *names, failed=("t1",), days=2)
    send("topic", "t2", failed=("t2",), days=1)

    assert compared("main", "topic") == {"newly_failing": ["t1", "t2"]}


def test_metadata_of_any_shape_does_not_keep_branches_from_being_compared():
    send("main", "a", days=3)
    send("topic", "a", failed=("a",), days=2)
    TestRun.objects.update(metadata={"workflow": ["nightly"], "job": {"name": "unit"}})

    assert compared("main", "topic") == {"newly_failing": ["a"]}


def test_a_test_that_was_taken_out_is_removed_although_older_runs_had_it():
    send("main", "a", "b", "c", days=3)
    send("topic", "a", "b", "c", days=2)
    send("topic", "a", "b", days=1)

    assert compared("main", "topic") == {"removed": ["c"]}


def test_jobs_of_ci_and_environments_are_sources_of_their_own():
    for job, names in (("unit", ("a", "b", "c")), ("browser", ("d", "e", "f"))):
        send("main", *names, days=3, metadata={"job": job})
        send("topic", *names, failed=("d",), days=2, metadata={"job": job})

    assert compared("main", "topic") == {"newly_failing": ["d"]}


def test_spaces_are_sides_too_and_what_is_older_than_the_window_is_not_seen():
    send("main", "a", "b", failed=("b",), days=2, space="local")
    send("main", "a", "b", failed=("a",), days=2, space="ci")
    send("main", "old", days=30, space="ci", commit="c" * 40)

    assert compared(Side(space="local"), Side(space="ci")) == {"newly_failing": ["a"], "fixed": ["b"]}
    assert compared(Side("main", "local"), Side("main", "ci"), days=1) == {}


@pytest.fixture
def history():
    send("main", "a", "b", days=2)
    send("topic", "a", "b", failed=("b",), days=1)


def test_the_api_answers_in_the_shape_of_comparisons(history, client):
    client.force_login(make_user("vera", role="viewer"))

    answer = client.get("/api/v1/comparisons/?baseBranch=main&headBranch=topic").json()

    assert [case["nodeid"].rsplit("::")[-1] for case in answer["newlyFailing"]] == ["b"]
    assert {"fixed", "added", "removed", "slower", "faster", "times"} <= answer.keys()
    assert answer["times"]["queue"]["reason"] == "Times are compared of two runs."
    assert (answer["base"], answer["head"], len(answer["headRuns"])) == ("main", "topic", 1)


@pytest.mark.parametrize(
    "query",
    [
        "baseBranch=main&headBranch=main",
        "baseSpace=desk&headBranch=x",
        "baseBranch=a&window=0",
        "baseBranch=%00",
        "",
    ],
)
def test_what_makes_no_comparison_is_refused(history, client, query):
    client.force_login(make_user("vera", role="viewer"))

    assert client.get(f"/api/v1/comparisons/?{query}").status_code == 400


def test_the_page_says_it_first_and_its_table_is_a_file(history, client):
    client.force_login(make_user("vera", role="viewer"))
    place = "/tests/branches/?base_branch=main&head_branch=topic"

    page = client.get(place).content.decode()
    rows = json.loads(b"".join(client.get(f"{place}&format=json").streaming_content))

    assert '<strong class="failed">1</strong> test fails on topic and not on main.' in page
    (row,) = rows
    assert (row["change"], row["base"], row["head"]) == ("newly_failing", "passed", "failed")
    assert "Choose a base and a head that differ" in client.get("/tests/branches/").content.decode()


@pytest.mark.parametrize("form", ["md", "html", "json", "csv"])
def test_the_report_has_every_form(history, form, capsys):
    call_command(
        "report",
        "comparison",
        "--base-branch",
        "main",
        "--head-branch",
        "topic",
        "--format",
        form,
        "--project",
        "demo",
    )

    said = capsys.readouterr().out
    assert "test_b" in said or "::b" in said
    assert "newly_failing" in said


def test_a_report_without_two_sides_says_what_to_name(history):
    for words in ([], ["--base-branch", "main"], ["--local-vs-ci", "--head-branch", "x"]):
        with pytest.raises(CommandError, match="--base-branch and --head-branch"):
            call_command("report", "comparison", *words, "--project", "demo")
