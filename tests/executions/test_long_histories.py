"""Histories longer than what is kept of them, in any order, are counted as a recount counts them."""

import io
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from executions.ingest import ingest_report
from executions.models import CaseStatistics, SameCode
from executions.recent import Window, flips_of, standing_of, state_of, window_of
from executions.recount import recount
from tests.factories import make_project

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BODIES = {
    "P": "",
    "F": "<failure/>",
    "E": "<error/>",
    "S": "<skipped/>",
    "x": "<skipped type='pytest.xfail'/>",
}
KINDS = ["P", "PPPPPPPPPF", "PF", "SSSSSSSSSP", "SSSSSSSSSF", "SSSSSSPF", "FE", "PxS", "EPPPPPP"]


def send(project, letters, *, minutes, commit="", space="ci", **told):
    cases = "".join(
        f'<testcase classname="m" name="{name}" time="0.{minutes:04d}">{BODIES[letter]}</testcase>'
        for name, letter in letters.items()
    )
    at = NOW - timedelta(days=30) + timedelta(minutes=minutes)
    content = f'<testsuite timestamp="{at:%Y-%m-%dT%H:%M:%S}" id="{minutes}">{cases}</testsuite>'
    return ingest_report(
        io.BytesIO(content.encode()), project=project, now=NOW, commit=commit, space=space, **told
    )


@pytest.mark.django_db
def test_150_runs_in_order_are_counted_as_a_recount_counts_them():
    project, chance = make_project("shop"), random.Random(4)
    for number in range(150):
        letters = {f"t{kind}_{copy}": chance.choice(kind) for kind in KINDS for copy in range(6)}
        if number % 40 == 39:
            letters |= dict.fromkeys(list(letters)[::2], "F")
            letters |= dict.fromkeys(list(letters)[:40], "F")  # most of it fails, which accuses nobody
        send(project, letters, minutes=number, space=["ci", "ci", "local"][number % 3])

    assert [str(one) for one in recount(project, repair=False)] == []
    assert set(CaseStatistics.objects.values_list("standing", flat=True)) >= {0, 1, 2, 3}
    assert CaseStatistics.objects.filter(recent__contains="M", flips__gt=5).exists()


@pytest.mark.django_db
def test_a_failure_after_64_skips_is_no_change_that_anybody_could_see():
    project = make_project("shop")
    for number, letter in enumerate(["P", *["S"] * 63, "F"]):
        send(project, {"t": letter}, minutes=number)

    row = CaseStatistics.objects.get()
    assert (row.recent, row.flips, row.changed_at) == ("S" * 63 + "F", 0, None)
    assert list(recount(project, repair=False)) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_window_filled_step_by_step_is_the_one_of_its_last_64_runs(seed):
    chance = random.Random(seed)
    kind = chance.choice(KINDS) + "M"
    runs = [(chance.choice(kind), chance.random(), NOW + timedelta(hours=hour)) for hour in range(200)]
    window = Window()
    for number, run in enumerate(runs, 1):
        window.append(*run)
        assert window == window_of(runs[:number])


@pytest.mark.parametrize(
    ("bad", "well", "recent", "standing"),
    [
        (0, 5, "PPP", 0),
        (0, 0, "SSS", 0),
        (1, 5, "PFP", 1),
        (1, 5, "PFS", 2),
        (2, 0, "FSE", 3),
        (1, 0, "M", 4),
        (1, 9, "MSx", 1),
    ],
)
def test_a_test_stands_as_its_last_judged_run_says(bad, well, recent, standing):
    assert standing_of(bad, well, recent) == standing


@pytest.mark.parametrize("seed", range(10))
def test_flips_are_changes_between_well_and_not_well(seed):
    chance = random.Random(seed)
    letters = "".join(chance.choice("PFESxpM") for _ in range(64))
    states = [state_of(letter) for letter in letters if state_of(letter)]

    assert flips_of(letters) == sum(a != b for a, b in pairwise(states))


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_what_speaks_for_flaky_does_not_depend_on_the_order_of_arrival(seed):
    chance = random.Random(seed)
    reports = []
    for number in range(24):
        letters = {f"t{case}": chance.choice("PPF") for case in range(12)}
        if number % 6 == 5:
            letters |= {f"t{case}": "F" for case in range(9)}  # most of it failed: it accuses nobody
        reports.append({"letters": letters, "minutes": number, "commit": chance.choice("ab") * 40})
    found = []
    for slug in ("one", "other"):
        project = make_project(slug)
        for one in reports:
            send(project, **one)
        rows = SameCode.objects.filter(case__project=project)
        found.append(
            sorted(rows.values_list("case__nodeid", "code", "space", "failures", "passes", "last_at"))
        )
        assert list(recount(project, repair=False)) == []
        chance.shuffle(reports)

    assert found[0] == found[1]
