"""The gate says, with figures, when a machine was busy with other work or the generator was late."""

import pytest

from analysis import columns
from performance.baselines import set_baseline
from performance.crowding import machines_of, warnings_of
from performance.gate import confirm_gate, judge_gate
from performance.gate_text import lines
from performance.judging import judge_sides
from performance.models import MetricSeries
from tests.factories import NINE
from tests.performance.measured import a_run, a_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


def on_a_machine(run, *, cpu=0.2, generator=0.1, target=0.2, cores=2, late=0.001):
    """Let `run` have been on a machine whose CPU was used to that share; by own processes so many cores."""
    means = {"CPU": cpu, "CPU of the generator": generator, "CPU of the target": target}
    for name, mean in means.items():
        if mean is not None:
            values = [mean - 0.05, mean + 0.05]
            MetricSeries.objects.create(
                run=run.run, source="host", name=name, n=2,
                times=columns.pack([0, 1]), values=columns.pack(values),
            )  # fmt: skip
    run.generator_facts = {"cores": cores, "late": {"p99": late}}
    run.save()
    return run


@pytest.fixture
def base(workload):
    runs = [
        on_a_machine(a_run(workload, 0.2 + n / 1000, number=n, commit_sha="a" * 40), cpu=0.25)
        for n in range(6)
    ]
    set_baseline(runs[-1], by="ada", now=NINE)
    return runs


def test_what_others_took_is_what_neither_the_generator_nor_the_target_used(workload):
    (seen,) = machines_of([on_a_machine(a_run(workload), cpu=0.75, generator=0.3, target=0.2)])

    assert (seen.cores, round(seen.busy, 6), round(seen.others, 6)) == (2, 0.75, 0.5)


def test_a_target_on_another_machine_is_not_counted(workload):
    (seen,) = machines_of([on_a_machine(a_run(workload), cpu=0.5, generator=0.4, target=None)])

    assert round(seen.others, 6) == 0.3


def test_a_run_that_nobody_watched_has_nothing_to_say(workload):
    run = a_run(workload)

    assert machines_of([run])[0].others is None
    assert warnings_of([run], []) == []


def test_a_busy_machine_is_told_with_figures_and_what_is_usual(workload, base):
    gate = judge_gate([on_a_machine(a_run(workload, 0.4, number=20), cpu=1.0)])

    assert gate.status == "regressed", "a warning decides nothing"
    (told,) = gate.warnings
    assert "the machine was busy with other work. It took 1.7 of 2 cores (usually 0.2)" in told
    assert "all together used 100% of the machine" in told
    assert f"Warning: {told}" in lines(gate)
    assert gate.as_json()["warnings"] == [told]


@pytest.mark.parametrize(("cpu", "count"), [(0.25, 0), (0.35, 0), (0.45, 1)])
def test_only_more_than_usual_is_told(workload, base, cpu, count):
    assert len(judge_gate([on_a_machine(a_run(workload, number=20), cpu=cpu)]).warnings) == count


def test_a_machine_that_others_fill_is_told_although_it_was_so_before(workload):
    before = [on_a_machine(a_run(workload, number=n), cpu=0.98) for n in range(3)]

    (told,) = warnings_of([on_a_machine(a_run(workload, number=9), cpu=0.98)], before)

    assert "It took 1.7 of 2 cores (usually 1.7); all together used 98% of the machine" in told


@pytest.mark.parametrize(("cpu", "count"), [(0.35, 0), (0.45, 1)])
def test_without_anything_usual_much_is_told(workload, cpu, count):
    run = on_a_machine(a_run(workload), cpu=cpu, generator=0.1, target=0.1)

    assert len(warnings_of([run], [])) == count


@pytest.mark.parametrize(("late", "p95", "count"), [(0.004, 0.01, 0), (0.02, 0.4, 0), (0.02, 0.05, 1)])
def test_a_late_generator_is_told_where_it_makes_a_difference(workload, late, p95, count):
    told = warnings_of([on_a_machine(a_run(workload, p95), late=late)], [])

    assert len(told) == count
    assert all("sent 20 ms late or more, while 95 % of the answers took up to 50 ms" in one for one in told)


def test_a_run_whose_generator_was_the_limit_proves_nothing(workload, base):
    limited = a_run(workload, 0.9, number=20, generator_limit="The generator was behind.")

    gate = judge_gate([limited])

    assert (gate.status, gate.worse) == ("undecided", [])
    assert gate.sentence.startswith("No proof that it is worse")
    assert {one.verdict.verdict for one in gate.judged} == {"no proof"}
    assert gate.judged[0].verdict.reason == f"the generator was the limit of {limited}"
    assert gate.warnings == [
        f"{limited}: the generator, not the target, was the limit. The generator was behind."
    ]


def test_neither_side_of_a_comparison_may_have_measured_its_generator(workload):
    slow, fast = ([a_run(workload, p95, number=n + int(100 * p95)) for n in range(3)] for p95 in (0.4, 0.1))
    assert "better" in {one.verdict.verdict for one in judge_sides(workload, slow, fast)}

    slow[0].generator_limit = "late"

    assert {one.verdict.verdict for one in judge_sides(workload, slow, fast)} == {"no proof"}


def test_runs_made_to_confirm_are_looked_at_too(workload, base):
    first = judge_gate([on_a_machine(a_run(workload, 0.4, number=20), cpu=0.25)])
    again = on_a_machine(a_run(workload, 0.4, number=21), cpu=1.0)

    confirmed = confirm_gate(first, [again])

    assert (first.warnings, len(confirmed.warnings)) == ([], 1)
    assert str(again) in confirmed.warnings[0]


def test_it_asks_as_much_however_many_runs_there_are(workload, django_assert_num_queries):
    runs = [on_a_machine(a_run(workload, number=n)) for n in range(8)]

    with django_assert_num_queries(3):
        machines_of(runs)
