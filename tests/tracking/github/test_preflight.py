"""Before the first of many goes out, all are looked at; servers and files of every kind."""

import pytest

from tests.tracking.github.github_run import Desk, final_rows

pytestmark = pytest.mark.django_db


def test_an_enterprise_server_that_tells_no_ids_is_followed_by_titles():
    desk = Desk(enterprise="3.17.2", hooks=False)
    with desk.server:
        run = desk.until_closed(desk.begin(5))

    assert run.status == "passed", run.reason
    assert set(run.workflow_runs.values_list("github_run_id", flat=True)) == set(desk.world.runs)


def test_workflows_without_a_dispatch_id_are_told_apart_by_their_order():
    trigger = "on:\n  workflow_dispatch:\n    inputs:\n      job_name: {}\n"
    text = "name: Old\nrun-name: ${{ inputs.job_name }}\n" + trigger
    desk = Desk(enterprise="3.17.2", hooks=False)
    desk.world.add_file(desk.repo, "old.yml", text)
    with desk.server:
        run = desk.until_closed(desk.begin(steps=[{"workflow": "old.yml", "count": 4, "inputs": {}}]))

    assert run.status == "passed", run.reason
    assert list(run.workflow_runs.values_list("github_run_id", flat=True)) == sorted(desk.world.runs)


def test_a_worker_whose_clock_is_90_seconds_wrong_gives_the_same_times(desk):
    desk.world.faults.clock_offset = 90

    run = desk.until_closed(desk.begin(2))

    assert {row[6:8] for row in final_rows(run)["attempts"]} == {(5, 20)}


def test_a_workflow_that_can_not_take_the_tag_is_followed_by_its_number(desk):
    text = "name: Plain\non:\n  workflow_dispatch:\n"
    desk.world.add_file(desk.repo, "plain.yml", text)

    run = desk.until_closed(desk.begin(steps=[{"workflow": "plain.yml", "count": 2, "inputs": {}}]))

    assert run.status == "passed", run.reason
    assert set(run.workflow_runs.values_list("visible_tag", flat=True)) == {"Plain"}
    assert "can't show the tag" in run.events.get(kind="preflight").text


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda desk: setattr(desk.file, "state", "disabled_manually"), "disabled manually"),
        (lambda desk: setattr(desk.file, "text", "on: push\n"), "workflow_dispatch trigger"),
        (lambda desk: setattr(desk.file, "text", "on: [\n"), "no YAML in line"),
        (lambda desk: setattr(desk.file, "path", ".github/workflows/other.yml"), "not among the workflows"),
        (lambda desk: desk.repo.branches.clear(), "no branch or tag main"),
        (lambda desk: setattr(desk.repo, "full_name", "acme/elsewhere"), "does not exist on GitHub"),
        (
            lambda desk: setattr(desk.file, "text", desk.file.text.replace("workload_type", "load")),
            "does not declare the input workload_type",
        ),
    ],
)
def test_one_bad_workflow_is_refused_before_anything_is_sent(desk, spoil, said):
    spoil(desk)

    run = desk.until_closed(desk.begin())

    assert (run.status, desk.server.calls("POST")) == ("error", [])
    assert "Nothing was sent." in run.reason
    assert said in run.reason
