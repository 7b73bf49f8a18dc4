"""How often the search for the culprit is right, among flaky tests: python benchmarks/culprit_search.py."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from batches.culprit import find_culprit

EDITS, BATCHES = 5, 3000
KNOWN = 20  # runs of the test before, where its history is known


def bisect(edits, fails_at):
    low, high = 0, edits
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails_at(middle) else (middle, high)
    return high


def simulate(rate, chance, planted, runs):
    culprit = chance.randint(1, EDITS) if planted else None
    history = (runs, sum(chance.random() < rate for _ in range(runs)))

    def fails_at(state):
        return (culprit is not None and state >= culprit) or chance.random() < rate

    verdict = find_culprit(EDITS, fails_at, history=history)
    return verdict, culprit, bisect(EDITS, fails_at) == culprit


def main(batches=BATCHES):
    print("| flakes | history | found | reruns (most) | bisection right | cleared | reruns | blamed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for rate in (0.01, 0.05, 0.20):
        for runs in (0, KNOWN):
            chance = random.Random(7)
            guilty = [simulate(rate, chance, True, runs) for _ in range(batches)]
            innocent = [simulate(rate, chance, False, runs)[0] for _ in range(batches)]
            found = sum(verdict.edit == culprit for verdict, culprit, _ in guilty) / batches
            mean = sum(verdict.reruns for verdict, _, _ in guilty) / batches
            most = max(verdict.reruns for verdict, _, _ in guilty)
            plain = sum(right for _, _, right in guilty) / batches
            cleared = sum(verdict.edit is None and verdict.is_sure for verdict in innocent) / batches
            blamed = sum(verdict.edit is not None for verdict in innocent) / batches
            reruns = sum(verdict.reruns for verdict in innocent) / batches
            print(
                f"| {rate:.0%} | {f'{runs} runs' if runs else 'none'} | {found:.1%} | {mean:.1f} ({most}) "
                f"| {plain:.1%} | {cleared:.1%} | {reruns:.1f} | {blamed:.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
