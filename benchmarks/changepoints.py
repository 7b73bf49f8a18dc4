"""Change points beside the well-known detectors, on labeled series and on some whose truth is known.

`script/bench changepoints`.  PERF_DATA names the folder of labeled series, beside the checkout by default;
OTAVA_PYTHON a Python that has apache-otava, RUPTURES_PYTHON one that has ruptures: both pin packages that the
product can't share, so they are asked in interpreters of their own and left out where none is named.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.changepoints import FEWEST, NEAR, find_changes
from analysis.confirmation import confirms
from benchmarks import detectors
from tests.analysis.series import lognormal, resembling, white

DATA = Path(os.environ.get("PERF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data" / "perf"))
MARGIN, REPEATS = 5, 200
FOLLOWED, FIRST_LOOK = 100, 20  # series asked after each run, and the first that is
CELLS = [(0.05, 0.10), (0.05, 0.25), (0.15, 0.25), (0.30, 0.25), (0.30, 0.60)]
Detector = Callable[[list[list[float]]], list[list[int]]]


def ours(series: list[list[float]]) -> list[list[int]]:
    return [[change.index for change in find_changes(one)] for one in series]


def looser(series: list[list[float]]) -> list[list[int]]:
    """Ours at twice its false alarms, which is what Otava has on unchanged series of independent runs."""
    return [[change.index for change in find_changes(one, false_alarms=0.06)] for one in series]


def alarms(series: list[list[float]]) -> list[list[int]]:
    return [[change.index for change in find_changes(one) if change.is_alarm] for one in series]


def outside(variable: str, program: str) -> Detector | None:
    """A detector that lives in an interpreter of its own; None where the variable names none."""
    python = os.environ.get(variable)
    if not python:
        print(f"Left out: {program}, because {variable} names no Python that has it.")
        return None

    def run(series: list[list[float]]) -> list[list[int]]:
        with tempfile.TemporaryDirectory() as folder:
            asked, answered = Path(folder, "series.json"), Path(folder, "found.json")
            asked.write_text(json.dumps(series))
            script = str(Path(__file__).with_name("detectors_outside.py"))
            subprocess.run([python, script, program, str(asked), str(answered)], check=True)
            return json.loads(answered.read_text())

    return run


def all_detectors() -> dict[str, Detector]:
    found: dict[str, Detector] = {"Runtrail": ours, "Runtrail at 6 %": looser, "Runtrail, two votes": alarms}
    for name, variable, program in [
        ("Otava m5 %", "OTAVA_PYTHON", "otava"),
        ("ruptures PELT", "RUPTURES_PYTHON", "ruptures"),
    ]:
        if run := outside(variable, program):
            found[name] = run
    return found | detectors.ALL


def f1(truths: list[list[int]], found: list[int]) -> tuple[float, float, float]:
    """Precision, recall and F1 as TCPD scores them: over all annotators, with the trivial point 0."""
    marked = {0, *found}
    every = {0, *(index for truth in truths for index in truth)}
    precision = matches(every, marked) / len(marked)
    recall = float(np.mean([matches({0, *truth}, marked) / len({0, *truth}) for truth in truths]))
    return precision, recall, 2 * precision * recall / (precision + recall)


def matches(truth: set[int], marked: set[int]) -> int:
    left, hits = set(marked), 0
    for index in sorted(truth):
        near = [other for other in left if abs(other - index) <= MARGIN]
        if near:
            left.remove(min(near, key=lambda other: abs(other - index)))
            hits += 1
    return hits


def labeled() -> dict[str, list[tuple[str, list[float], list[list[int]]]]]:
    """The labeled series by their origin: name, values, and each annotator's changes."""
    notes = json.loads((DATA / "tcpd" / "annotations.json").read_text())
    people = []
    for path in sorted((DATA / "tcpd").glob("*.json")):
        if path.name == "annotations.json":
            continue
        document = json.loads(path.read_text())
        values = [float(value) for value in document["series"][0]["raw"] if value is not None]
        truths = list(notes[document["name"]].values())
        if document["n_dim"] == 1 and len(values) == document["n_obs"]:
            people.append((document["name"], values, truths))
    mozilla = []
    for row in csv.DictReader((DATA / "index.csv").open()):
        if row["file"].startswith("perfherder/") and row["file"].endswith(".csv"):
            values, truth = perfherder(DATA / row["file"], row["labels"])
            mozilla.append((row["file"], values, [truth]))
    return {"TCPD": people, "Perfherder": mozilla}


def perfherder(path: Path, labels: str) -> tuple[list[float], list[int]]:
    rows = list(csv.DictReader(path.open()))
    stamp, value = list(rows[0])
    pushes: dict[str, list[float]] = {}
    for row in rows:
        pushes.setdefault(row[stamp], []).append(float(row[value]))
    order = sorted(pushes, key=float)
    times = [float(push) for push in order]
    truth = [int(np.argmin(np.abs(np.subtract(times, float(label))))) for label in json.loads(labels or "[]")]
    return [float(np.mean(pushes[push])) for push in order], truth


def steps(cv: float, step: float) -> list[list[float]]:
    chance = np.random.default_rng(20260101)
    series = [100 * lognormal(white(chance, 52), cv) for _ in range(REPEATS)]
    for one in series:
        one[40:] *= 1 + step
    return [one.tolist() for one in series]


def ceiling(cv: float) -> Detector:
    """The likelihood ratio of one step, told the kind and strength of the noise; 2 of 100 unchanged err."""
    spread, chance = float(np.sqrt(np.log(1 + cv**2))), np.random.default_rng(20260103)

    def deepest(logs: np.ndarray) -> tuple[int, float]:
        n, at = len(logs), np.arange(FEWEST, len(logs) - FEWEST + 1)
        sums = np.cumsum(logs - logs.mean())[FEWEST - 1 : n - FEWEST]
        depths = np.abs(sums) / np.sqrt(at * (n - at) / n) / spread
        return int(at[depths.argmax()]), float(depths.max())

    noise_alone = [deepest(chance.normal(0, spread, 52))[1] for _ in range(4000)]
    limit = float(np.quantile(noise_alone, 0.98))

    def run(series: list[list[float]]) -> list[list[int]]:
        found = [deepest(np.log(one)) for one in series]
        return [[index] if depth > limit else [] for index, depth in found]

    return run


def as_it_happens(cv: float, step: float, chosen: dict[str, Detector]) -> dict[str, tuple[float, float]]:
    """Shares of series with a false alarm and with the step found, when everybody is asked after each run.

    An alarm is false before the step has happened, or at a wrong place; found is the step within the twelve
    runs after it.  Runtrail asks, as `watch_workload` does, for runs that confirm what one voter alone saw.
    """
    series = steps(cv, step)[:FOLLOWED]
    ends = range(FIRST_LOOK, len(series[0]) + 1)
    prefixes = [one[:end] for one in series for end in ends]
    told = {name: detect(prefixes) for name, detect in chosen.items()}
    seen = {
        name: [
            list(zip(ends, found[place : place + len(ends)], strict=True))
            for place in range(0, len(found), len(ends))
        ]
        for name, found in told.items()
    }
    seen["Runtrail, confirmed"] = [
        confirmed(one, ends, cv, step, number) for number, one in enumerate(series)
    ]
    return {name: scored(looks) for name, looks in seen.items()}


def confirmed(
    one: list[float], ends: range, cv: float, step: float, seed: int
) -> list[tuple[int, list[int]]]:
    """What would be told of a series after each run: two votes, or one and two of three runs made again."""
    chance, asked, looks = np.random.default_rng(seed), {}, []
    for end in ends:
        alarms = []
        for change in find_changes(one[:end]):
            known = next((place for place in asked if abs(place - change.index) <= NEAR), None)
            if known is None:
                known = change.index
                level = 100 * (1 + step if end > 40 else 1)
                asked[known] = confirms(change, (level * lognormal(white(chance, 3), cv)).tolist())
            if change.is_alarm or asked[known]:
                alarms.append(change.index)
        looks.append((end, alarms))
    return looks


def scored(looks: list[list[tuple[int, list[int]]]]) -> tuple[float, float]:
    def is_false(end: int, index: int) -> bool:
        return end <= 40 or abs(index - 40) > MARGIN

    false = [any(is_false(end, index) for end, found in one for index in found) for one in looks]
    hits = [any(not is_false(end, index) for end, found in one for index in found) for one in looks]
    return float(np.mean(false)), float(np.mean(hits))


def noise(r: float, n: int = 100) -> list[list[float]]:
    chance = np.random.default_rng(20260102)
    return [(100 * lognormal(resembling(r)(chance, n), 0.15)).tolist() for _ in range(REPEATS)]


def main() -> int:
    chosen = all_detectors()
    if DATA.is_dir():
        for origin, series in labeled().items():
            print(f"\n{origin}, {len(series)} labeled series, margin {MARGIN}: precision / recall / F1\n")
            for name, detect in chosen.items():
                scores = [
                    f1(truth, found)
                    for (_, _, truth), found in zip(series, detect([one[1] for one in series]), strict=True)
                ]
                print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in np.mean(scores, axis=0)) + " |")
    else:
        print(f"There is no {DATA} with labeled series. Set PERF_DATA to their folder.")
    print("\n40 runs, then a step, then 12: series with a false alarm before it / with the step found\n")
    print("| noise, step | " + " | ".join(chosen) + " | ceiling |")
    for cv, step in CELLS:
        cells = []
        for detect in (*chosen.values(), ceiling(cv)):
            found = detect(steps(cv, step))
            false = np.mean([any(index < 40 - MARGIN for index in one) for one in found])
            hits = np.mean([any(abs(index - 40) <= MARGIN for index in one) for one in found])
            cells.append(f"{false:.2f}/{hits:.2f}")
        print(f"| {cv:.0%}, {step:.0%} | " + " | ".join(cells) + " |")
    print("\nThe same, everybody asked after each run from the twentieth on\n")
    for number, (cv, step) in enumerate(CELLS):
        scores = as_it_happens(cv, step, chosen)
        if not number:
            print("| noise, step | " + " | ".join(scores) + " |")
        cells = [f"{false:.2f}/{hits:.2f}" for false, hits in scores.values()]
        print(f"| {cv:.0%}, {step:.0%} | " + " | ".join(cells) + " |", flush=True)
    print("\n100 runs without any change, noise 15 %: share of series with a false alarm\n")
    for r in (0.0, 0.3, 0.5, 0.7):
        cells = [f"{np.mean([bool(one) for one in detect(noise(r))]):.2f}" for detect in chosen.values()]
        print(f"| neighbors correlate {r} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
