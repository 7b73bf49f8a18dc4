"""A sync that is interrupted, refused or sent rubbish keeps what it can and goes on the next time."""

from datetime import timedelta

import pytest

from executions import sync
from executions.models import CISync, Report
from executions.recount import recount
from executions.reports.base import Limits
from tests.executions.ci_of_others import Elsewhere, junit, zipped
from tests.factories import make_project
from tracking.ci import CIUnavailable, Unexpected
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci():
    made = Elsewhere()
    with made.server:
        yield made
    assert made.server.violations == []


def test_a_sync_that_is_cut_off_goes_on_where_it_stopped(ci):
    for number in range(3):
        ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a", f"b{number}")))
    ci.world.faults.cut_downloads = 3  # one file, tried three times

    first = ci.sync()
    second = ci.sync()

    assert (first.reports, second.reports) == (2, 1)
    assert "The next sync tries again" in first.said[0]
    assert Report.objects.stored().count() == 3
    assert list(recount(ci.project, repair=False)) == []


def test_where_github_stops_answering_what_came_is_kept_and_said(ci):
    for _ in range(3):
        ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))
    history = ci.history()
    asked = history.jobs

    def down_at_the_second(run):
        ci.world.faults.down = TestRun.objects.count() == 1
        return asked(run)

    history.jobs = down_at_the_second
    done = sync.sync_turn(ci.project, history, bounds=sync.Bounds(), now=ci.now)

    assert (done.jobs, done.problem != "") == (1, True)
    assert CISync.objects.get().reached is None
    ci.world.faults.down = False
    assert ci.sync().jobs == 2
    assert CISync.objects.get().problem == ""


def test_an_artifact_that_can_not_be_read_makes_no_run_of_its_own(ci):
    run = ci.push("test (a)", "test (b)")
    ci.world.leave(run, "junit", b"no zip at all")

    ci.sync()

    assert sorted(TestRun.objects.values_list("metadata__job", flat=True)) == ["test (a)", "test (b)"]
    assert Report.objects.get().status == "refused"


def test_a_run_that_can_not_be_had_does_not_keep_back_those_before_it(ci):
    numbers = [ci.push().id for _ in range(3)]
    history = ci.history()
    asked = history.jobs

    def broken(run):
        if run.number == numbers[1]:
            raise CIUnavailable("GitHub answered 502 (Bad Gateway).")
        return asked(run)

    history.jobs = broken
    done = sync.sync_turn(ci.project, history, bounds=sync.Bounds(), now=ci.now)
    history.jobs = asked
    again = sync.sync_turn(ci.project, history, bounds=sync.Bounds(), now=ci.now)

    assert (done.jobs, done.missed, done.problem) == (2, [numbers[1]], "")
    said = f"Run {numbers[1]}: GitHub answered 502 (Bad Gateway). The next sync tries again."
    assert said in done.said
    assert (again.jobs, again.missed) == (1, [])


def test_a_run_that_github_tells_wrongly_is_said_and_the_others_come(ci):
    first = ci.push()
    ci.push()
    history = ci.history()
    asked = history.jobs

    def wrong(run):
        if run.number == first.id:
            raise Unexpected("GitHub sent no number for the id of a job.")
        return asked(run)

    history.jobs = wrong
    done = sync.sync_turn(ci.project, history, bounds=sync.Bounds(), now=ci.now)

    assert (done.jobs, done.problem) == (1, "")
    assert f"Run {first.id}: GitHub sent no number for the id of a job." in done.said
    assert ci.sync().jobs == 1


def test_a_bomb_or_rubbish_in_an_artifact_is_refused_and_the_rest_comes(ci):
    ci.world.leave(ci.push(), "junit", zipped(r_xml=b"<testsuite>" + b" " * 3_000_000 + b"</testsuite>"))
    ci.world.leave(ci.push(), "junit", b"no zip at all")
    ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))

    done = ci.sync(limits=Limits(unpacked_bytes=1_000_000))

    assert done.reports == 1
    assert list(Report.objects.values_list("status", flat=True)).count("refused") == 2
    assert ci.sync().said == []


def test_names_inside_an_artifact_lead_nowhere(ci, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ci.world.leave(ci.push(), "junit", zipped(**{"..__..__evil_xml": junit("a"), "__etc__x_xml": junit("b")}))

    assert ci.sync().reports == 1
    assert list(tmp_path.rglob("*")) == []
    assert not (tmp_path.parent.parent / "evil.xml").exists()


def test_the_token_does_not_go_to_the_store_and_to_no_log(ci, caplog):
    ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))

    done = ci.sync()

    assert done.reports == 1, "the store refuses whoever sends a token"
    assert "sig=" not in caplog.text


def test_the_scheduler_takes_each_project_at_its_time(ci):
    other = make_project("quiet", repository="acme/quiet")
    CISync.objects.create(project=other, every=0)
    make_project("desk")

    assert sync.claim_due(now=ci.now) == [ci.project]
    assert sync.claim_due(now=ci.now) == []
    assert sync.claim_due(now=ci.now + timedelta(minutes=15)) == [ci.project]


def test_two_projects_of_one_repository_do_not_count_twice(ci):
    ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))
    ci.sync()
    other = make_project("copy", repository="acme/shop")

    done = sync.sync_turn(other, ci.history(), bounds=sync.Bounds(), now=ci.now)

    assert (done.jobs, done.reports) == (0, 0)
    assert "already a run of the project shop" in done.said[0]


def test_it_works_against_an_enterprise_server():
    ci = Elsewhere(enterprise="3.19.0", check=False)
    with ci.server:
        ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))

        assert ci.sync().reports == 1
