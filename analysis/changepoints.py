"""Where the level of a series changed for good: which point began it, how big it is, and how sure that is.

A series is cut in two where the normal scores of its ranks differ most, and each part again.  A cut counts
where shuffled noise of that length would seldom show one as deep (the maximum's own distribution, so that
looking everywhere is paid for).  Neighbors that resemble each other make waves which look like levels: their
correlation is measured around the cut, and the cut must be deeper by as much as it widens a mean's error.
A change that was missed between two others looks like such waves and would take its neighbors away, one after
the other: a cut may therefore stand by the points next to it alone, with the correlation of the whole series.
Ranks make one wild value one value.  Nothing is drawn at random: the same series, the same answer.

The first voter is that cut; the second is Perfherder's rule (t > 7).  Two make an alarm; one
asks for runs that confirm it (`analysis.confirmation`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.changevotes import cut_probability, normal_scores, student_votes

FALSE_ALARMS = 0.03  # share of unchanged stretches of PER points in which one is marked
WINDOWS = (20, 40, 100)  # points looked at together, beside the whole: a short change drowns in a long series
CLOSE = 60  # points between cuts; in more of them the windows have looked already
NEXT_TO = 20  # points on each side by which a cut may stand alone
LOOKS = 4  # what a second look costs: it errs a quarter as often
PER = 100  # points over which the false alarms are counted
FEWEST = 5  # points of a level
ROUNDS = 10  # of removing what no longer stands between its neighbors
DROP = 7.35  # of the deviance inside which the true beginning lies in 95 % (Siegmund, 1988)
NEAR = 2  # points by which two voters may differ


@dataclass(frozen=True, slots=True)
class Change:
    """`index` is the first point of the new level, which lasted to `end`; the old one began at `start`.

    The true beginning lies from `earliest` to `latest` in 95 % of cases.  `before` and `after` are medians,
    `difference` and `ratio` after against before (None where before is not positive).  `p` is how often
    noise alone shows such a cut; `votes` names who sees it, `ranks` always and `student` beside it or not.
    """

    index: int
    start: int
    end: int
    earliest: int
    latest: int
    before: float
    after: float
    difference: float
    ratio: float | None
    p: float
    votes: tuple[str, ...] = ("ranks",)

    @property
    def is_alarm(self) -> bool:
        return len(self.votes) > 1

    @property
    def confidence(self) -> float:
        return 1 - self.p


def find_changes(
    values: Sequence[float],
    *,
    false_alarms: float = FALSE_ALARMS,
    min_effect: float = 0.05,
    floor: float = 0.0,
    fewest: int = FEWEST,
) -> list[Change]:
    """Return the changes of level in a series, oldest first.

    Args:
        values: n measurements in the order of their runs, all in one unit.
        false_alarms: how many stretches of 100 unchanged points may show one, as a share.
        min_effect: share of the old level that a change must have to be told.
        floor: the same as an absolute number; the greater of the two counts.
        fewest: points that make a level, >= 3; a change is seen that many runs after it.

    Raises:
        ValueError: a value is no finite number, or `fewest` is below 3.
    """
    series = np.asarray(values, dtype=float)
    if not np.isfinite(series).all():
        raise ValueError("find_changes needs finite numbers: leave out the runs that measured nothing")
    if fewest < 3:
        raise ValueError(f"a level needs 3 points or more, not {fewest}")
    if len(series) < 2 * fewest:
        return []
    rule = _Rule(series, false_alarms, min_effect, floor, fewest)
    cuts = set(rule.cut_up(0, len(series)))
    for size in WINDOWS:
        for start in range(0, len(series) - size, size // 2) if len(series) > 1.5 * size else ():
            cuts.update(rule.cut_up(start, min(start + size, len(series))))
    changes = rule.keep_what_stands(rule.cut_between(sorted(cuts)))
    seen = student_votes(series) if changes else []
    return [
        replace(change, votes=("ranks", "student"))
        if any(abs(change.index - index) <= NEAR for index in seen)
        else change
        for change in changes
    ]


@dataclass(frozen=True, slots=True)
class _Rule:
    series: np.ndarray
    false_alarms: float
    min_effect: float
    floor: float
    fewest: int

    def cut_up(self, start: int, end: int, at_least: float = 1.0) -> list[int]:
        """Return the cuts inside start:end, each tested with its share of the false alarms."""
        found, open_parts = [], [(start, end)]
        while open_parts:
            left, right = open_parts.pop()
            change = self.best(left, right, at_least)
            # A part errs as often as its share of the points, so that all of them err as promised; a part of
            # something already cut half as often, because its ends were chosen by the data.
            share = self.share(left, right) * (1 if right - left == end - start else 0.5)
            if change and change.p <= self.false_alarms * share:
                found.append(change.index)
                open_parts += [(left, change.index), (change.index, right)]
        return sorted(found)

    def share(self, left: int, right: int) -> float:
        """The share of the false alarms that left:right may have: that of its points."""
        return min((right - left) / min(len(self.series), PER), 1)

    def cut_between(self, cuts: list[int]) -> list[int]:
        """Look once more between cuts that are close together, where no window lay well."""
        edges = [0, *cuts, len(self.series)]
        widening = self.widening_beside(edges)
        parts = ((left, right) for left, right in itertools.pairwise(edges) if right - left <= CLOSE)
        more = (self.cut_up(left, right, widening) for left, right in parts)
        return sorted({*cuts, *itertools.chain.from_iterable(more)})

    def keep_what_stands(self, cuts: list[int]) -> list[Change]:
        """Test each cut again between its neighbors, and take away what no longer stands, weakest first."""
        for _ in range(ROUNDS * max(len(cuts), 1)):
            edges = [0, *cuts, len(self.series)]
            widening = self.widening_beside(edges)
            places = zip(edges[:-2], cuts, edges[2:], strict=True)
            judged = [self.standing(left, cut, right, widening) for left, cut, right in places]
            changes, doubts = [change for change, _ in judged], [doubt for _, doubt in judged]
            if cuts and max(doubts) > self.false_alarms:
                cuts = [cut for place, cut in enumerate(cuts) if place != int(np.argmax(doubts))]
                continue
            moved = sorted({change.index for change in changes if change})
            if moved == cuts:
                return [change for change in changes if change]
            cuts = moved
        return [change for change in changes if change]

    def standing(self, left: int, cut: int, right: int, widening: float) -> tuple[Change | None, float]:
        """Return the cut between its neighbors at `left` and `right`, and how doubtful it is.

        That is its p; where it is too much, that by the points next to the cut, in units of their share of
        the false alarms, if the cut stands by them alone.
        """
        whole = self.best(left, right, widening)
        doubt = whole.p if whole else 1.0
        near = max(left, cut - NEXT_TO), min(right, cut + NEXT_TO)
        if doubt <= self.false_alarms or near == (left, right):
            return whole, doubt
        alone = self.best(*near, widening)
        doubt_alone = alone.p / self.share(*near) * LOOKS if alone else doubt
        if alone and abs(alone.index - cut) <= NEAR and doubt_alone <= self.false_alarms:
            return alone, doubt_alone
        return whole, doubt

    def widening_beside(self, edges: list[int]) -> float:
        """By how much neighbors' correlation widens a mean's error, from all that the levels leave."""
        parts = [normal_scores(self.series[left:right]) for left, right in itertools.pairwise(edges)]
        return _widening(np.concatenate(parts), len(parts))

    def best(self, start: int, end: int, at_least: float = 1.0) -> Change | None:
        """Return the deepest cut of start:end with its p; None where it is short or makes no difference.

        Correlation counts as widening the error `at_least` times, however little of it is seen here.
        """
        part, fewest = self.series[start:end], self.fewest
        n = len(part)
        if n < 2 * fewest or part.min() == part.max():
            return None
        scores = normal_scores(part)
        at = np.arange(fewest, n - fewest + 1)
        depths = np.cumsum(scores)[fewest - 1 : n - fewest] ** 2 / (at * (n - at) / n)
        place = int(np.argmax(depths))
        cut = fewest + place
        before, after = float(np.median(part[:cut])), float(np.median(part[cut:]))
        if abs(after - before) < max(self.min_effect * abs(before), self.floor):
            return None
        rest = np.concatenate([scores[:cut] - scores[:cut].mean(), scores[cut:] - scores[cut:].mean()])
        wider = max(_widening(rest, 2), at_least)
        total = float((scores**2).sum())
        p = cut_probability(float(np.sqrt(depths[place] * (n - 1) / total / wider)), n, fewest)
        noise = max(float((rest**2).sum()) / max(n - 2, 1), 1e-12) * wider
        near = np.flatnonzero(depths >= depths[place] - DROP * noise)
        cut = fewest + _middle(depths / noise)
        before, after = float(np.median(part[:cut])), float(np.median(part[cut:]))
        return Change(
            index=start + cut,
            start=start,
            end=end,
            earliest=start + fewest + int(near[0]),
            latest=start + fewest + int(near[-1]),
            before=before,
            after=after,
            difference=after - before,
            ratio=after / before if before > 0 else None,
            p=p,
        )


def _middle(deviances: np.ndarray) -> int:
    """The place that the beginning lies before as likely as after: it errs by less than the likeliest one."""
    chances = np.cumsum(np.exp((deviances - deviances.max()) / 2))
    return int(np.searchsorted(chances, chances[-1] / 2))


def _widening(rest: np.ndarray, means: int) -> float:
    """By how much the correlation of neighbors widens the variance of a mean: (1 + r) / (1 - r).

    `rest` is what is left of a series from which as many `means` of its parts were taken.
    """
    n, power = len(rest), float((rest**2).sum())
    if power <= 1e-9 * n:  # two flat levels, but for rounding
        return 1.0
    r = float((rest[1:] * rest[:-1]).sum()) / power
    r += means * (1 + 2 * r) / n  # taking means away pulls it down (Marriott and Pope, 1954)
    return 1.0 if r <= 1 / np.sqrt(n) else float((1 + min(r, 0.95)) / (1 - min(r, 0.95)))
