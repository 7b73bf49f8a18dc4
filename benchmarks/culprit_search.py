"""How often the search for the culprit is right, among flaky tests: python benchmarks/culprit_search.py."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from batches.culprit import find_culprit

EDITS, BATCHES = 5, 3000


def bisect(edits, fails_at):
    low, high = 0, edits
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails_at(middle) else (middle, high)
    return high


def simulate(rate, chance, planted):
    culprit = chance.randint(1, EDITS) if planted else None

    def fails_at(state):
        return (culprit is not None and state >= culprit) or chance.random() < rate

    verdict = find_culprit(EDITS, fails_at)
    return verdict, culprit, bisect(EDITS, fails_at) == culprit


def main():
    print("| flakes | culprit found | reruns (most) | bisection right | innocent cleared | reruns | blamed |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for rate in (0.01, 0.05, 0.20):
        chance = random.Random(7)
        guilty = [simulate(rate, chance, True) for _ in range(BATCHES)]
        innocent = [simulate(rate, chance, False)[0] for _ in range(BATCHES)]
        found = sum(verdict.edit == culprit for verdict, culprit, _ in guilty) / BATCHES
        mean = sum(verdict.reruns for verdict, _, _ in guilty) / BATCHES
        most = max(verdict.reruns for verdict, _, _ in guilty)
        plain = sum(right for _, _, right in guilty) / BATCHES
        cleared = sum(verdict.edit is None and verdict.is_sure for verdict in innocent) / BATCHES
        blamed = sum(verdict.edit is not None for verdict in innocent) / BATCHES
        reruns = sum(verdict.reruns for verdict in innocent) / BATCHES
        print(
            f"| {rate:.0%} | {found:.1%} | {mean:.1f} ({most}) | {plain:.1%} "
            f"| {cleared:.1%} | {reruns:.1f} | {blamed:.1%} |"
        )


if __name__ == "__main__":
    main()
