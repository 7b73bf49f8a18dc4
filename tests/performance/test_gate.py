"""The gate: what it alarms on, how often for nothing, and what it could see."""

import numpy as np
import pytest

from access.models import AuditEntry
from performance.baselines import NotFit, baseline_for, set_baseline
from performance.foresight import power_before
from performance.gate import BUDGET, NoBaseline, confirm_gate, judge_gate, note_alarm
from performance.models import Metric
from tests.factories import NINE, make_user
from tests.performance.measured import a_component, a_run, a_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


def alike(workload, n=10, *, level=0.2, noise=0.03, seed=1, begin=0, commit_sha="a" * 40, **fields):
    chance = np.random.default_rng(seed)
    return [
        a_run(
            workload, level * float(np.exp(noise * chance.standard_normal())),
            number=begin + place, commit_sha=commit_sha, **fields,
        )
        for place in range(n)
    ]  # fmt: skip


@pytest.fixture
def base(workload):
    runs = alike(workload)
    set_baseline(runs[-1], by="ada", now=NINE)
    return runs


def test_a_slower_run_is_worse_than_the_baseline(workload, base):
    gate = judge_gate([a_run(workload, 0.3, number=20, commit_sha="b" * 40)])

    assert gate.status == "regressed"
    assert "latency.p95" in {str(one.yardstick) for one in gate.worse}
    assert "+50" in gate.sentence or "+49" in gate.sentence
    assert gate.baseline.run == base[-1]


def test_an_equal_run_passes(workload, base):
    gate = judge_gate([a_run(workload, 0.2, number=20)])

    assert (gate.status, gate.worse) == ("passed", [])
    assert "one false alarm in 100 gates; a change of latency.p95 is seen from " in gate.sentence


def test_a_faster_run_passes(workload, base):
    assert judge_gate([a_run(workload, 0.1, number=20)]).status == "passed"


def test_a_run_that_fails_more_is_worse_although_it_is_no_slower(workload, base):
    gate = judge_gate([a_run(workload, 0.2, number=20, errors=0.05)])

    assert [str(one.yardstick) for one in gate.worse] == ["error_share"]
    assert "points" in gate.sentence


def test_one_error_in_a_thousand_requests_is_no_alarm(workload, base):
    assert judge_gate([a_run(workload, 0.2, number=20, errors=0.001)]).status == "passed"


def test_less_throughput_is_worse(workload, base):
    run = a_run(workload, 0.2, number=20)
    Metric.objects.filter(run=run, name="throughput").update(value=25.0)

    assert [str(one.yardstick) for one in judge_gate([run]).worse] == ["throughput"]


def test_without_a_baseline_it_says_how_to_make_one(workload):
    with pytest.raises(NoBaseline, match="workload baseline"):
        judge_gate([a_run(workload)])


def test_another_load_is_not_held_against_the_old_ones_baseline(workload, base):
    workload.version = 2
    workload.save()

    with pytest.raises(NoBaseline, match="version 1, now 2"):
        judge_gate([a_run(workload, number=20)])


def test_one_run_against_one_with_nothing_known_is_undecided(workload):
    set_baseline(a_run(workload, 0.2), by="ada", now=NINE)

    gate = judge_gate([a_run(workload, 0.9, number=1)])

    assert gate.status == "undecided"
    assert gate.worse == []
    assert "--calibrate 5" in gate.sentence


def test_identical_runs_alarm_no_oftener_than_the_budget():
    """Each run is held against the one before; figures vary together and apart."""
    chance, gates, alarms = np.random.default_rng(17), 0, 0
    for number in range(5):
        workload = a_workload(f"w{number}")
        for turn in range(26):
            shared, own = np.exp(0.1 * chance.standard_normal(2))
            run = a_run(
                workload, 0.2 * float(shared), p50=0.05 * float(own), number=turn, commit_sha=f"{turn:040x}"
            )
            if turn > 5:
                alarms += judge_gate([run]).status == "regressed"
                gates += 1
            set_baseline(run, by="a calibration", now=NINE)

    assert gates == 100
    assert alarms <= gates * BUDGET


@pytest.mark.parametrize(("again", "status"), [(0.3, "regressed"), (0.2, "passed")])
def test_what_was_worse_once_has_to_be_worse_again(workload, base, again, status):
    first = judge_gate([a_run(workload, 0.3, number=20)])

    made = [a_run(workload, again, number=21 + place) for place in range(first.runs_to_confirm)]
    found = confirm_gate(first, made)

    assert len(made) == 2, "the middle of three is held against ten and more"

    assert found.status == status
    assert bool(found.worse) == (status == "regressed")


@pytest.mark.parametrize(("again", "status"), [(0.3, "regressed"), (0.2, "passed")])
def test_with_few_runs_of_the_baseline_one_more_decides(workload, again, status):
    runs = alike(workload, 4)
    set_baseline(runs[-1], by="ada", now=NINE)
    first = judge_gate([a_run(workload, 0.3, number=20)])

    assert first.runs_to_confirm == 1
    assert confirm_gate(first, [a_run(workload, again, number=21)]).status == status


def test_later_runs_tell_how_much_hours_differ(workload, base):
    """Ten runs made in one go resemble each other; what runs of other hours reached is no regression."""
    slow = judge_gate([a_run(workload, 0.27, number=20)])
    for place in range(12):
        a_run(workload, 0.2 if place % 2 else 0.28, number=30 + place)

    assert slow.status == "regressed"
    assert judge_gate([a_run(workload, 0.27, number=50)]).status == "passed"


def test_runs_that_alarmed_don_t_tell_what_is_usual(workload, base):
    bad = judge_gate([a_run(workload, 0.4, number=20)])
    note_alarm(bad, NINE)
    note_alarm(bad, NINE)

    again = judge_gate([a_run(workload, 0.4, number=21)])

    assert again.status == "regressed"
    assert bad.head[0].pk not in {run.pk for run in again.base}
    assert bad.head[0].run.events.filter(kind="gate").count() == 1


def test_a_bigger_budget_sees_more_and_says_so(workload, base):
    run = a_run(workload, 0.216, number=20)

    strict, loose = judge_gate([run], budget=0.0001), judge_gate([run], budget=0.2)

    assert (strict.status == "regressed", loose.status) == (False, "regressed")
    assert loose.as_json()["budget"] == 0.2


def test_several_runs_see_what_one_does_not(workload, base):
    one = judge_gate(alike(workload, 1, level=0.213, begin=20, seed=5, commit_sha="b" * 40))
    many = judge_gate(alike(workload, 8, level=0.213, begin=30, seed=6, commit_sha="c" * 40))

    assert one.status != "regressed"
    assert many.status == "regressed"


def test_the_baseline_of_the_own_branch_comes_first_then_that_of_the_default_branch(workload):
    main, feature = a_run(workload), a_run(workload, branch="feature", number=1)
    other = a_run(workload, component=a_component(workload, "postgres"), number=2)
    for run in (main, feature, other):
        set_baseline(run, by="ada", now=NINE)

    assert baseline_for(workload, branch="feature").run == feature
    assert baseline_for(workload, branch="another").run == main
    assert baseline_for(workload, component=other.component, branch="x").run == other


def test_a_run_that_did_not_measure_its_system_is_no_baseline(workload):
    with pytest.raises(NotFit, match="the generator used all of its core"):
        set_baseline(a_run(workload, generator_limit="the generator used all of its core"), by="a", now=NINE)
    with pytest.raises(NotFit, match="ended as error"):
        set_baseline(a_run(workload, None, status="error"), by="a", now=NINE)
    assert not workload.baselines.exists()


def test_setting_a_baseline_is_written_down(workload):
    ada = make_user()
    for number in range(2):
        baseline = set_baseline(a_run(workload, number=number), by=ada, now=NINE)

    assert workload.baselines.get() == baseline
    actions = AuditEntry.objects.values_list("action", flat=True)
    assert list(actions) == ["performance.baseline.set"] * 2


def test_what_a_run_can_show_is_known_before_it_is_made(workload):
    alike(workload, 12, noise=0.05)

    power = power_before(workload)

    assert power.noise == pytest.approx(0.05, rel=0.5)
    assert power.needed[0.05] > power.needed[0.1] > power.needed[0.2]
    assert power.sentence.startswith(
        f"To see 5 % in latency.p95 you need {power.needed[0.05]} runs on each side"
    )
    assert "about" in power.sentence


def test_without_runs_it_says_how_to_learn_the_noise(workload):
    assert "--calibrate 5" in power_before(workload).sentence


def test_runs_of_one_calibration_tell_the_noise_without_a_commit(workload):
    alike(workload, 6, commit_sha="", metadata={"calibration": "one"})
    alike(workload, 3, level=0.9, begin=10, commit_sha="", metadata={"calibration": "two"}, seed=4)

    assert power_before(workload).noise < 0.1


def test_the_gate_asks_a_fixed_number_of_questions(workload, base, django_assert_max_num_queries):
    run = a_run(workload, 0.2, number=20)

    with django_assert_max_num_queries(9):
        judge_gate([run])
