"""200 identical (A/A) runs through the gate, measured here and simulated: how many it calls regressed.

`script/bench false_alarms`.  The measured ones are real: a piece of work is timed 200 times a figure on this
machine, noise, neighbors and all.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import zlib

import numpy as np

from analysis.gates import Figure, decide
from tests.analysis.series import lognormal, resembling, white

RUNS, HISTORY, NEW, BUDGET, REPEATS = 200, 20, 3, 0.01, 500
WORK = {
    "hash": lambda: hashlib.sha256(b"x" * 200_000).digest(),
    "compress": lambda: zlib.compress(b"abcd" * 20_000),
    "parse": lambda: json.loads("[" + "1.5," * 5000 + "2]"),
    "sort": lambda: sorted(range(30_000, 0, -1)),
}


CLOCKS = {"CPU time": time.process_time, "wall clock": time.perf_counter}


def measured() -> dict[str, dict[str, list[float]]]:
    """Each run's figure is the median of 7 timings, as a load test's figure sums up many requests."""
    found: dict[str, dict[str, list[float]]] = {clock: {name: [] for name in WORK} for clock in CLOCKS}
    for _ in range(RUNS):
        for name, work in WORK.items():
            times: dict[str, list[float]] = {clock: [] for clock in CLOCKS}
            for _ in range(7):
                begin = {clock: read() for clock, read in CLOCKS.items()}
                work()
                for clock, read in CLOCKS.items():
                    times[clock].append(read() - begin[clock])
            for clock, taken in times.items():
                found[clock][name].append(float(np.median(taken)))
    return found


def alarms_of(series: dict[str, list[float]]) -> tuple[int, int]:
    """Decide on every three runs by the twenty before them; return the alarms and the decisions."""
    places = range(HISTORY, RUNS - NEW + 1, NEW)
    alarms = 0
    for at in places:
        figures = [
            Figure(name, values[at - HISTORY : at], values[at : at + NEW]) for name, values in series.items()
        ]
        alarms += decide(figures, budget=BUDGET).verdict == "regressed"
    return alarms, len(places)


def main() -> int:
    print(f"Gate: budget {BUDGET:.0%}, {HISTORY} earlier runs, {NEW} new ones, all figures at once\n")
    for clock, series in measured().items():
        alarms, decisions = alarms_of(series)
        noise = ", ".join(f"{name} {np.std(np.log(values)):.0%}" for name, values in series.items())
        print(f"{RUNS} runs of the same work here, {clock} (noise: {noise}):")
        print(f"  {alarms} of {decisions} decisions said regressed\n")
    print("| figures | noise | neighbors correlate | false alarms | +20 % seen | +50 % seen |")
    print("| --- | --- | --- | --- | --- | --- |")
    chance = np.random.default_rng(1)
    for count in (1, 12):
        for cv, r in ((0.05, 0.0), (0.15, 0.0), (0.15, 0.5)):
            seen = []
            for times in (1.0, 1.2, 1.5):
                hits = 0
                for _ in range(REPEATS if times == 1 else REPEATS // 5):
                    make = resembling(r) if r else white
                    rows = [lognormal(make(chance, HISTORY + NEW), cv) for _ in range(count)]
                    rows[0][HISTORY:] *= times
                    figures = [Figure(str(i), row[:HISTORY], row[HISTORY:]) for i, row in enumerate(rows)]
                    hits += decide(figures, budget=BUDGET).verdict == "regressed"
                seen.append(hits / (REPEATS if times == 1 else REPEATS // 5))
            print(f"| {count} | {cv:.0%} | {r} | " + " | ".join(f"{share:.1%}" for share in seen) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
