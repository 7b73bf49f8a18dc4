import dataclasses
import json
import re

import numpy as np
import pytest

from performance.findings import find_bottlenecks
from performance.measured import Measured, Usual, spans_of
from tests.performance.rules.made_up import KINDS, halted, measured, series, with_errors

STEADY = {"rates": (60,), "seconds": 12.0}


def first(run):
    """Kind and name of what is accused first; None where nothing is."""
    found = find_bottlenecks(run)
    return (found[0].kind, found[0].name) if found else None


def above(rate, seconds):
    return lambda rates, times, kinds: np.where(rates > rate, seconds, 0)


def queue_at(rate, speed):
    """A backlog that grows by (rate - speed) / speed seconds each second, from the step of `rate` on."""
    return lambda rates, times, kinds: np.where(rates >= rate, (times - 10) * (rate - speed) / speed, 0)


ILL = {
    "a slow part": (lambda: measured(add={"database": 0.05}), ("component", "database")),
    "another slow part": (lambda: measured(add={"rendering": 0.05}), ("component", "rendering")),
    "a part that grows with the load": (
        lambda: measured(add={"lock": above(100, 0.03), "database": 0.02}),
        ("component", "lock"),
    ),
    "a slow part of one request": (
        lambda: measured(add={"payment": lambda rates, times, kinds: np.where(kinds == 3, 0.3, 0)}),
        ("component", "payment"),
    ),
    "time in no named part": (lambda: measured(add={"untold": 0.05}), ("component", "rest of the target")),
    "a queue": (lambda: measured(add={"waiting": queue_at(150, 120)}), ("queueing", "waiting")),
    "a queue at a target that tells nothing": (
        lambda: measured(tells=False, add={"waiting": queue_at(150, 120)}),
        ("queueing", "waiting"),
    ),
    "errors": (lambda: with_errors(measured(), 0.05), ("errors", "status 500")),
    "errors from a load on": (
        lambda: with_errors(measured(), lambda times: np.where(times > 10, 0.2, 0)),
        ("errors", "status 500"),
    ),
    "latency that leaks": (
        lambda: measured(**STEADY, add={"untold": lambda rates, times, kinds: times * 0.01}),
        ("leak", "latency"),
    ),
    "latency that leaks at a target that tells nothing": (
        lambda: measured(**STEADY, tells=False, add={"untold": lambda rates, times, kinds: times * 0.01}),
        ("leak", "latency"),
    ),
    "memory that leaks": (
        lambda: measured(
            series=(series("memory of the target", lambda times: 5e7 + 1e7 * times, unit="bytes"),)
        ),
        ("leak", "memory of the target"),
    ),
    "a full disk": (
        lambda: measured(
            add={"untold": above(100, 0.08)},
            series=(series("disk busy", lambda times: np.where(times > 10, 1.0, 0.2), full=0.95),),
        ),
        ("resource", "disk busy"),
    ),
    "a program that asks for more than a core": (
        lambda: measured(
            add={"untold": above(100, 0.08)},
            series=(
                series(
                    "CPU of the target", lambda times: np.where(times > 10, 1.0, 0.3), unit="cores", full=0.85
                ),
            ),
        ),
        ("resource", "CPU of the target"),
    ),
    "a program that gets half a core where it asks for more": (
        lambda: measured(
            add={"waiting": queue_at(150, 60)},
            series=(
                series(
                    "CPU of the target", lambda times: np.where(times > 10, 0.5, 0.3), unit="cores", full=0.85
                ),
                series("CPU", 1.0, full=0.95),
            ),
        ),
        ("resource", "CPU of the target"),
    ),
    "slow ones among many": (
        lambda: measured(
            add={
                "untold": lambda rates, times, kinds: np.where((kinds == 1) & (times * 1e4 % 20 < 1), 0.3, 0)
            }
        ),
        ("outliers", "product"),
    ),
    "a generator that can't": (
        lambda: measured(generator_limit="It used its whole core."),
        ("generator", "generator"),
    ),
}
WELL = {
    "nothing": lambda: measured(),
    "one load": lambda: measured(**STEADY),
    "nothing, told nothing": lambda: measured(tells=False),
    "a few errors": lambda: with_errors(measured(), 0.002),
    "a machine that halts": lambda: halted(measured(), [(12.0, 0.4), (14.0, 0.3)]),
    "a machine that halts at the end": lambda: halted(measured(), [(14.6, 0.4)]),
    "memory that warms up": lambda: measured(
        series=(series("memory of the target", lambda t: 6e7 - 3e7 * np.exp(-t), unit="bytes"),)
    ),
    "a machine full of other work": lambda: measured(
        series=(series("CPU", 1.0, full=0.95), series("CPU of the target", 0.2, unit="cores", full=0.85))
    ),
    "a full disk that slows nothing": lambda: measured(
        series=(series("disk busy", lambda times: np.where(times > 10, 1.0, 0.2), full=0.95),)
    ),
    "other work that comes and slows all, whatever the load": lambda: measured(
        add={"untold": lambda rates, times, kinds: np.where(times % 5 > 2.5, 0.03, 0) * (times < 9)},
        series=(series("CPU", lambda times: np.where(times % 5 > 2.5, 1.0, 0.5) * (times < 9), full=0.95),),
    ),
    "a series of gaps": lambda: measured(series=(series("CPU", np.nan, full=0.95),)),
    "twenty requests": lambda: measured(rates=(4,), add={"database": 0.5}),
}


@pytest.mark.parametrize("case", ILL)
def test_what_holds_the_target_back_is_named_first(case):
    make, expected = ILL[case]

    assert first(make()) == expected


@pytest.mark.parametrize("case", WELL)
def test_nothing_is_named_where_nothing_is_wrong(case):
    assert find_bottlenecks(WELL[case]()) == []


@pytest.mark.parametrize("case", ILL)
def test_every_finding_can_be_kept_and_says_why(case):
    for finding in find_bottlenecks(ILL[case][0]()):
        kept = json.loads(json.dumps(finding.evidence, allow_nan=False))
        assert kept
        assert finding.text.endswith(".")
        assert 0 < finding.score <= 1
        if finding.kind != "generator":
            assert len(kept["picture"]["x"]) == len(kept["picture"]["y"]) > 1


def obeying(rate, contention, coherency, loads=(1, 2, 4, 8, 12, 16)):
    """A run whose steps have so many requests at once and the throughput of the law; in the last it bends."""
    speeds = [rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1)) for n in loads]
    ends = 4.0 * np.arange(1, len(loads) + 1)
    took = [n / speed - 0.0075 for n, speed in zip(loads, speeds, strict=True)]

    def waiting(rates, times, kinds):
        step = np.minimum(np.searchsorted(ends, times), len(loads) - 1)
        over = np.maximum(times - ends[-1], 0)
        return np.asarray(took)[step] + over * (1.5 - 1)

    return measured(rates=(*speeds, 1.5 * speeds[-1]), seconds=4.0, add={"waiting": waiting})


def test_the_knee_is_told_with_contention_and_coherency():
    run = obeying(50, 0.08, 0.004)

    knee = {finding.kind: finding for finding in find_bottlenecks(run)}["knee"]

    assert knee.evidence["contention"][0] == pytest.approx(0.08, abs=0.04)
    assert knee.evidence["peak_load"][0] == pytest.approx(np.sqrt(0.92 / 0.004), rel=0.5)
    assert f"more than {knee.evidence['peak_load'][0]:.0f} at once would get less done" in knee.text


def test_a_law_that_speaks_of_loads_nobody_saw_is_left_out():
    backlog = {"waiting": lambda rates, times, kinds: np.where(rates > 100, (times - 24) * 0.6, 0)}
    run = measured(rates=(20, 40, 60, 80, 150), seconds=6, add=backlog)

    knee = {finding.kind: finding for finding in find_bottlenecks(run)}["knee"]

    assert knee.text == "It was sent 142 requests per second and answered 92."
    assert "contention" not in knee.evidence
    shown = knee.evidence["picture"]
    assert (shown["x"], shown["x_title"]) == (shown["second"], shown["second_title"]), "what was sent"
    assert shown["y"][-1] == pytest.approx(92, abs=1), "and what was answered of it"


def test_a_queue_behind_a_full_resource_counts_half():
    run = ILL["a program that gets half a core where it asks for more"][0]()

    found = {finding.kind: finding.score for finding in find_bottlenecks(run)}

    assert found["queueing"] <= 0.5 < found["resource"]


def test_a_sentence_says_where_errors_set_in():
    (finding,) = find_bottlenecks(with_errors(measured(), lambda times: np.where(times > 10, 0.2, 0)))

    assert re.fullmatch(
        r"From 1\d\d requests per second on [12]\d % of them failed \(status 500\), and 0.0 % below that\.",
        finding.text,
    )
    assert 130 < finding.evidence["sets_in_at"] < 170


def test_requests_that_got_no_answer_count_for_the_queue_that_swallowed_them():
    ill = measured(add={"waiting": queue_at(150, 100)})
    run = with_errors(ill, lambda times: np.where(times > 12, 0.3, 0), status=0)

    assert first(run)[0] == "queueing"


def test_a_part_is_held_against_earlier_runs():
    run = measured(add={"database": 0.018, "rendering": 0.016})
    usual = Usual(5, {"database": 0.0035, "rendering": 0.019, "lock": 0.00001}, 0.03)

    (finding,) = find_bottlenecks(dataclasses.replace(run, usual=usual))

    assert first(run) is None
    assert (finding.name, finding.evidence["why"]) == ("database", "history")
    assert "in 5 earlier runs it took 4 ms" in finding.text


def test_too_few_samples_tell_nothing_but_what_the_generator_says():
    run = measured(rates=(2,), seconds=5, generator_limit="It was late.")

    assert first(run) == ("generator", "generator")


def test_a_run_without_any_sample_has_no_bottleneck():
    empty = np.empty(0)
    run = Measured(KINDS, empty, empty, empty.astype(int), empty, empty.astype(bool), empty.astype(bool))

    assert find_bottlenecks(run) == []


def test_the_levels_of_a_load_are_its_steps_or_pieces_of_its_ramp():
    steps = {"kind": "steps", "rates": [1, 2, 3], "step_duration": 2}

    assert spans_of(steps, warmup=1, duration=5) == ((1, 3), (3, 5), (5, 6))
    assert spans_of({"kind": "ramp"}, warmup=0, duration=12)[1] == (2, 4)
    assert spans_of({"kind": "constant"}, warmup=2, duration=5) == ((2, 7),)
    assert spans_of(None, warmup=0, duration=5) == ((0, 5),)
