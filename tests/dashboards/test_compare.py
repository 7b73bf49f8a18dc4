"""The page of two runs: the answer first, then the numbers, then the tests."""

import pytest

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


def test_tests_that_changed_are_listed(client, viewer, project):
    report(project, {"total": "", "gone": ""}, minutes=0)
    report(project, {"total": BAD, "new": ""}, minutes=1)

    shown = client.get("/runs/compare/?base=ci-0-1&head=ci-1-1").content.decode()

    for title in ("Newly failing (1)", "Added (1)", "Removed (1)"):
        assert title in shown


def test_without_runs_it_says_what_to_do_and_a_wrong_id_is_named(client, viewer, project):
    assert "Choose two runs" in client.get("/runs/compare/").content.decode()
    assert "to be the head" in client.get("/runs/compare/?head=nothing").content.decode()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_table_can_be_downloaded(client, viewer, project, form):
    base, head = pair()

    answer = client.get("/runs/compare/", {"base": base, "head": head, "format": form})

    assert b"lost_parallelism" in b"".join(answer.streaming_content)


def test_the_report_is_a_file(client, viewer, project):
    base, _ = pair()

    answer = client.get(f"/runs/{base}/report/")

    assert answer["Content-Disposition"] == f'attachment; filename="{base}.html"'
    assert b"Where the time went" in answer.content
