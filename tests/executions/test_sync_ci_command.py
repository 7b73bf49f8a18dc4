"""`sync_ci` and `ci` from a shell, as the documents of the earlier system use them."""

import json
import shlex
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command, load_command_class

from tests.executions.ci_of_others import Elsewhere, junit, zipped
from tests.factories import make_project
from tests.github_double.server import TOKEN
from tests.tracking.github.github_run import NO_REDIS
from tests.tracking.test_commands_doc import CI
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(settings):
    made = Elsewhere()
    made.world.now = datetime.now(UTC)  # commands live by the real clock
    options = {**settings.CI_SERVICES["github"]["OPTIONS"], "api_url": made.server.url, "token": TOKEN}
    github = {**settings.CI_SERVICES["github"], "OPTIONS": {**options, "redis_url": NO_REDIS}}
    settings.CI_SERVICES = {**settings.CI_SERVICES, "github": github}
    settings.PROJECT = "shop"
    with made.server:
        yield made
    assert made.server.violations == []


def typed(line, capsys):
    """What a line of a shell prints; `$(…)` in it is run first, as a shell does."""
    before, opened, rest = line.partition("$(")
    if opened:
        inner, _, after = rest.partition(")")
        line = f"{before}{' '.join(typed(inner, capsys).split())}{after}"
    name, *arguments = shlex.split(line)
    command = load_command_class("executions", name)
    options = vars(command.create_parser("manage.py", name).parse_args(arguments))
    # Not run_from_argv: at its end it closes the connection that the test's transaction lives in.
    command.execute(*options.pop("args", ()), **options)
    return capsys.readouterr().out


def test_the_latest_run_is_fetched_by_the_line_of_the_morning(ci, capsys):
    older, run = ci.push(), ci.push()
    ci.world.leave(run, "junit", zipped(r_xml=junit("a", "b", failed=("b",))))

    said = typed("sync_ci $(ci show --latest)", capsys)

    assert said.startswith("1 run looked at: 1 new job, 1 new test report.")
    assert TestRun.objects.get().test_run_id == f"ci-{run.id}-{run.attempts[0].jobs[0].id}"
    assert older.id != run.id


@pytest.mark.parametrize("line", CI)
def test_each_line_of_the_table_does_what_it_says(ci, capsys, line):
    number = str(ci.push().id)

    said = typed(line.replace("${{ github.run_id }}", number).replace("$run_id", number), capsys)

    if line.startswith("ci"):
        assert said == f"{number}\n"
    else:
        assert said.startswith("1 run looked at: 1 new job")


def test_all_runs_of_the_week_are_fetched_one_by_one_as_the_weekly_review_does(ci, capsys):
    runs = [ci.push(), ci.push()]
    ids = typed("ci list --since 7days --format ids", capsys).split()

    for run_id in ids:
        typed(f"sync_ci {run_id}", capsys)

    assert ids == [str(run.id) for run in reversed(runs)]
    assert TestRun.objects.count() == 2


def test_without_a_number_it_is_the_week(ci, capsys):
    ci.push()
    ci.world.runs[next(iter(ci.world.runs))].created_at = datetime(2026, 1, 1, tzinfo=UTC)
    ci.push()

    said = typed("sync_ci --format json", capsys)

    assert json.loads(said) == {"runs": 1, "jobs": 1, "reports": 0, "missed": [], "problem": ""} | {
        "said": json.loads(said)["said"]
    }


def test_one_run_is_shown_with_its_jobs_and_times(ci, capsys):
    run = ci.push("unit", "browser", conclusions={"browser": "failure"})

    text = typed(f"ci show {run.id}", capsys)
    shown = json.loads(typed(f"ci show {run.id} --format json", capsys))

    assert f"{run.id}" in text
    assert "failure     browser: queue 5.0 s, execution 20 s" in text
    assert [(job["name"], job["queue"], job["execution"]) for job in shown["jobs"]] == [
        ("unit", 5.0, 20.0),
        ("browser", 5.0, 20.0),
    ]
    assert typed(f"ci show {run.id} --format ids", capsys) == f"{run.id}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sync_ci 17", "acme/shop has no workflow run 17"),
        ("ci show 17", "acme/shop has no workflow run 17"),
        ("ci show --latest", "CI has no run of this repository yet."),
        ("ci list --since yesterday", "Write 7days, 36h, 2weeks or a day"),
        ("sync_ci --since soon", "Write 7days, 36h, 2weeks or a day"),
        ("ci show 17 --latest", "not both"),
    ],
)
def test_what_can_t_be_done_is_said_with_what_to_do(ci, line, said):
    with pytest.raises(CommandError) as fault:
        call_command(*shlex.split(line))

    assert said in str(fault.value)
    assert fault.value.returncode == 1


def test_a_number_that_is_none_keeps_the_others_from_nothing(ci):
    run = ci.push()

    with pytest.raises(CommandError, match="acme/shop has no workflow run 17"):
        call_command("sync_ci", "17", str(run.id))

    assert TestRun.objects.count() == 1


def test_without_a_repository_or_a_token_it_says_which_to_set(ci, settings):
    make_project("desk")
    with pytest.raises(CommandError, match="names no repository: set it, as in owner/name"):
        call_command("sync_ci", "--project", "desk")

    settings.CI_SERVICES["github"]["OPTIONS"]["token"] = ""
    with pytest.raises(CommandError, match="There is no token for GitHub"):
        call_command("ci", "list", "--project", "shop")


def test_github_that_is_away_is_said_and_what_came_is_kept(ci):
    ci.push()
    ci.world.faults.down = True

    with pytest.raises(CommandError, match="What came until then is kept; the same command goes on"):
        call_command("sync_ci")


def test_the_step_of_a_workflow_fetches_the_finished_jobs_of_its_own_run(ci, capsys):
    run = ci.push("unit", "report", seconds=16, early=("unit",))
    ci.world.leave(run, "unit-junit", zipped(r_xml=junit("a")))

    said = typed("sync_ci ${{ github.run_id }}".replace("${{ github.run_id }}", str(run.id)), capsys)

    assert said.startswith("1 run looked at: 1 new job, 1 new test report.")
