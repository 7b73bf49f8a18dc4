"""How many of the known flaky tests are found after 10, 50, 100 and 1,000 runs, and who is accused wrongly.

FLAKY names the folder with `idf_reruns_100.csv.gz` (100 recorded runs of each test) and
`flakeflagger_counts.csv` (how often each test of 24 projects failed in 10,000 runs); by default it stands
beside the checkout.  Up to 100 runs the recorded sequences are replayed; the counts have no order, so from
them runs are drawn independently of each other.  Beside it stand rules of other products.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

FLAKY = Path(os.environ.get("FLAKY", Path(__file__).resolve().parents[2] / "shared" / "data" / "flaky"))
RUNS = (10, 50, 100, 1000)
NAME = (1, "test", "", "ci")
NOW, A_DAY = datetime(2026, 3, 1, tzinfo=UTC), 20  # runs a day, which decide when a rare failure is forgotten


def ours(letters: str, is_one_code: bool) -> bool:
    """Whether `stats flaky --threshold 0` lists a test after these runs."""
    from executions.flaky_rules import History, judge

    failures = letters.count("F")
    is_proven = is_one_code and 0 < failures < len(letters)
    last, first = NOW, NOW - (len(letters) - 1 - letters.rfind("F")) * timedelta(days=1 / A_DAY)
    history = History(
        letters[-64:], failures, len(letters), int(is_proven), last_run_at=last, last_failure_at=first
    )
    return judge(NAME, letters[-50:], history) is not None


def both_on_one_commit(letters: str, is_one_code: bool) -> bool:
    return is_one_code and "F" in letters and "P" in letters


def seed_rule(letters: str, is_one_code: bool) -> bool:
    """10 % or more of the last 50 runs failed, and one passed."""
    last = letters[-50:]
    return 0.1 <= last.count("F") / len(last) < 1


def transitions(letters: str, is_one_code: bool) -> bool:
    """Changes in a tenth of the last 100 runs."""
    last = letters[-100:]
    return sum(a != b for a, b in pairwise(last)) / len(last) >= 0.1


def recent_pass_after_failure(letters: str, is_one_code: bool) -> bool:
    """Failed now, and passed in the last five since a failure."""
    last = letters[-6:]
    return last.endswith("F") and "FP" in last


RULES: dict[str, Callable[[str, bool], bool]] = {
    "this one": ours,
    "both on one commit": both_on_one_commit,
    "10 % of last 50": seed_rule,
    "changes in 10 % of 100": transitions,
    "failed, passed, failed": recent_pass_after_failure,
}


def main() -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not FLAKY.is_dir():
        print(f"There is no {FLAKY}. Set FLAKY to the folder with the recorded runs.")
        return 1
    django.setup()
    recorded = list(sequences())
    show("recorded runs, tests known to be flaky", recorded, [runs for runs in RUNS if runs <= 100])
    flaky, innocent = drawn()
    show("independent draws from counts, known to be flaky", flaky, RUNS)
    show("independent draws from counts, not known to be flaky (accused)", innocent, RUNS)
    show("mended or broken once by a change of the code (accused)", list(changed()), RUNS, is_one_code=False)
    return 0


def sequences() -> Iterator[str]:
    with gzip.open(FLAKY / "idf_reruns_100.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            letters = row["sequence_1_to_100"]
            if "P" in letters and set(letters) > {"P"}:
                yield "".join("P" if letter == "P" else "F" for letter in letters)


def drawn() -> tuple[list[str], list[str]]:
    chance = random.Random(1)
    flaky, innocent = [], []
    with (FLAKY / "flakeflagger_counts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            bad, runs = int(row["failures"]) + int(row["errors"]), int(row["runs"])
            rate = bad / runs if runs else 0.0
            letters = "".join("F" if chance.random() < rate else "P" for _ in range(max(RUNS)))
            (flaky if row["is_flaky"].strip() == "1" else innocent).append(letters)
    return flaky, innocent


def changed() -> Iterator[str]:
    """A thousand tests that a change broke and another mended, somewhere in their history."""
    chance = random.Random(2)
    for _ in range(1000):
        begin, length = chance.randrange(max(RUNS)), chance.randint(2, 20)
        yield "".join("F" if begin <= run < begin + length else "P" for run in range(max(RUNS)))


def show(title: str, tests: list[str], sizes: Sequence[int], *, is_one_code: bool = True) -> None:
    print(f"\n{title}: {len(tests):,}")
    print(f"{'rule':<24}" + "".join(f"{f'{size:,} runs':>14}" for size in sizes))
    for name, rule in RULES.items():
        found = [sum(rule(letters[:size], is_one_code) for letters in tests) for size in sizes]
        cells = [f"{number:,} {100 * number / len(tests):.1f} %" for number in found]
        print(f"{name:<24}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
