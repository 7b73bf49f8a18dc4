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

RUNS, HISTORY, NEW, BUDGET, REPEATS = 200, 20, 3, 0.01, 1000
WORK = {
    "hash": lambda: hashlib.sha256(b"x" * 200_000).digest(),
    "compress": lambda: zlib.compress(b"abcd" * 20_000),
    "parse": lambda: json.loads("[" + "1.5," * 5000 + "2]"),
    "sort": lambda: sorted(range(30_000, 0, -1)),
}


def measured() -> dict[str, list[float]]:
    """Each run's figure is the median of 7 timings, as a load test's figure sums up many requests."""
    found: dict[str, list[float]] = {name: [] for name in WORK}
    for _ in range(RUNS):
        for name, work in WORK.items():
            times = []
            for _ in range(7):
                begin = time.perf_counter()
                work()
                times.append(time.perf_counter() - begin)
            found[name].append(float(np.median(times)))
    return found


def main() -> int:
    print(f"Gate: budget {BUDGET:.0%}, {HISTORY} earlier runs, {NEW} new ones\n")
    series = measured()
    windows = range(HISTORY, RUNS - NEW + 1)
    alarms = sum(
        decide(
            [
                Figure(name, values[at - HISTORY : at], values[at : at + NEW])
                for name, values in series.items()
            ],
            budget=BUDGET,
        ).verdict
        == "regressed"
        for at in windows
    )
    noise = ", ".join(f"{name} {np.std(np.log(values)):.0%}" for name, values in series.items())
    print(f"{RUNS} runs of the same work on this machine (noise: {noise}):")
    print(f"  {alarms} of {len(windows)} decisions said regressed ({alarms / len(windows):.1%})\n")
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
