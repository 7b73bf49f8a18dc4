"""Which tests can't be trusted, which broke, and whom nobody may accuse."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from executions.flakiness import broken, fixed, rank_flaky
from executions.flaky_rules import FORGOTTEN, History, is_trusted_again, judge
from executions.ingest import ingest_report
from tests.factories import make_project

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BODIES = {"P": "", "F": "<failure/>", "E": "<error/>", "S": "<skipped/>"}
RETRIED = "<flakyFailure message='once'/>"
NAME = (1, "t", "", "ci")


def run(number, *, commit="", space="ci", **cases):
    """Store a run `number` hours after the first; each case is given by its letter, or what stands in it."""
    rows = "".join(
        f"<testcase classname='m' name='{name}'>{BODIES.get(body, body)}</testcase>"
        for name, body in cases.items()
    )
    at = NOW - timedelta(days=60) + timedelta(hours=number)
    text = f"<testsuite timestamp='{at:%Y-%m-%dT%H:%M:%S}'>{rows}</testsuite>"
    told = {"commit": f"{number:040}" if commit == "" else commit, "space": space}
    return ingest_report(io.BytesIO(text.encode()), project=make_project(), now=NOW, **told)


def runs(letters, **told):
    for number, letter in enumerate(letters):
        run(number, t=letter, **told)


def found(**told):
    return {one.nodeid.rpartition("::")[2]: one for one in rank_flaky(make_project(), **told)}


@pytest.mark.django_db
def test_passed_and_failed_on_the_same_code_is_flaky_in_whichever_order():
    for number, letters in enumerate([("P", "F"), ("F", "P")]):
        for place, letter in enumerate(letters):
            run(10 * number + place, commit="abc"[number] * 40, **{f"t{number}": letter})

    assert {name: one.kind for name, one in found().items()} == {"t0": "flaky", "t1": "flaky"}
    assert found()["t0"].evidence[0] == "passed and failed on the same code, on 1 state of the code"


@pytest.mark.django_db
def test_failed_and_passed_by_retry_is_flaky_without_any_commit():
    run(0, t="P", commit=None)
    run(1, t="P", commit=None)
    run(2, t=RETRIED, commit=None)
    run(3, t="F")

    (one,) = found().values()
    assert (one.kind, one.retries) == ("flaky", 1)
    assert "failed and then passed by retry in 1 run" in one.evidence


@pytest.mark.django_db
def test_changes_of_the_code_that_break_and_mend_a_test_do_not_make_it_flaky():
    runs("PPPFFFPPP")

    assert found() == {}
    assert {name: one.kind for name, one in found(threshold=10).items()} == {"t": "unstable"}


@pytest.mark.django_db
def test_what_flickers_across_changes_of_the_code_is_unstable():
    runs("PPFPPPFP")

    assert {name: one.kind for name, one in found().items()} == {"t": "unstable"}


@pytest.mark.django_db
def test_a_test_that_broke_once_is_broken_since_that_commit_and_not_flaky():
    runs("PPPFFF")

    assert found() == {}
    (one,) = broken(make_project())
    assert (one.failures, one.commit) == (3, f"{3:040}")
    assert one.since == NOW - timedelta(days=60) + timedelta(hours=3)


@pytest.mark.django_db
def test_a_test_that_was_mended_is_fixed_since_that_commit():
    runs("FFFPP")

    assert found() == {}
    assert broken(make_project()) == []
    (one,) = fixed(make_project())
    assert (one.failures, one.commit) == (3, f"{3:040}")


@pytest.mark.django_db
def test_a_run_in_which_most_tests_fail_accuses_nobody():
    names = [f"t{number}" for number in range(12)]
    for number in range(6):
        letter = "F" if number in (2, 4) else "P"
        run(number, commit="a" * 40, **dict.fromkeys(names, letter))

    assert found() == {}
    assert broken(make_project()) == []


@pytest.mark.django_db
def test_desk_and_ci_are_judged_apart():
    runs("PF", commit="a" * 40, space="local")
    runs("PP", commit="a" * 40, space="ci")

    assert [one.space for one in rank_flaky(make_project())] == ["local"]
    assert rank_flaky(make_project(), space="ci") == []


@pytest.mark.django_db
def test_threshold_and_window_are_those_of_the_last_runs():
    runs("PF" + "P" * 18, commit="a" * 40)

    assert set(found(threshold=5, window=20)) == {"t"}
    assert found(threshold=6, window=20) == {}
    assert set(found(threshold=5, window=10)) == {"t"}, "1 of 20 in all"
    assert found(threshold=10, window=10) == {}


@pytest.mark.django_db
def test_a_window_wider_than_what_is_kept_ready_reads_the_rows():
    runs("F" + "P" * 70, commit="a" * 40)

    assert found(window=100)["t"].judged == 71


@pytest.mark.django_db
def test_the_surest_stand_first():
    for number in range(8):
        run(number, commit=f"{number // 2:040}", often="PF"[number % 2], once="F" if number == 1 else "P")

    assert list(found()) == ["often", "once"]


def test_64_passes_clear_a_test_that_failed_often():
    often = History("F" + "P" * 63, failures=30, judged=200, same_code=3)

    assert not is_trusted_again(often)
    assert is_trusted_again(History("P" * 64, failures=30, judged=200, same_code=3))


def test_a_test_that_fails_once_in_200_runs_is_not_cleared_by_64_passes_but_by_30_days():
    def history(gap):
        return History(
            "P" * 64,
            failures=2,
            judged=400,
            same_code=1,
            last_run_at=NOW,
            last_failure_at=NOW - gap,
        )

    one = judge(NAME, "P" * 50, history(timedelta(days=3)))
    assert one is not None
    assert one.evidence[-1] == "failed 2 of 400 times in all, not in its last 50 runs"
    assert one.failure_rate == 2 / 400
    assert judge(NAME, "P" * 50, history(FORGOTTEN + timedelta(days=1))) is None


def test_a_test_that_only_ever_failed_is_no_flicker():
    assert judge(NAME, "FFFF", History("FFFF", failures=4, judged=4)) is None
    assert judge(NAME, "SSx", History("SSx")) is None


def test_skipped_runs_neither_accuse_nor_clear():
    assert judge(NAME, "PSFSP", History("PSFSP", failures=1, judged=3)).flips == 2
    assert not is_trusted_again(History("F" + "S" * 63, failures=1, judged=2, same_code=1))
