"""Components ranked by one figure of their runs, paired by round.  Pure: values in, a dictionary out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from analysis.comparison import benjamini_hochberg
from performance.verdicts import BETTER, SURE, WORSE, Verdict, judge_pairs, t_quantile

ERRORS_MORE = (
    0.01  # share of requests by which a component fails more than the best; it is not ranked beside it
)
DECIDED = 0.05

Table = Mapping[str, Mapping[tuple[str, int], float]]  # metric -> (component, round) -> value


class Priced(Protocol):
    """A component: its name and what an hour of it costs, where that is known."""

    name: str
    price_per_hour: float | None
    currency: str


def rank_components(
    components: Iterable[Priced], table: Table, *, primary: str, same_within: float
) -> dict[str, Any]:
    """Return ranking, pairs and costs of components from what was measured, round by round.

    What answers fast because it fails is ranked behind all that answer.  Pairs are compared within rounds,
    and their p-values corrected for their number (Benjamini and Hochberg), each figure for itself.
    """
    known = {one.name: one for one in components}
    names = sorted({name for name, _ in table.get(primary, {})} & known.keys())
    failing = _failing(names, table.get("error_share", {}))
    center = {name: _log_mean(table[primary], name) for name in names}
    order = sorted(names, key=lambda name: (name in failing, center[name]))
    pairs = {
        metric: _pairs(order, values, same_within, less_is_better=metric != "throughput")
        for metric, values in table.items()
        if metric != "error_share"
    }
    ranking = [
        {
            "rank": place,
            "component": name,
            **_level(table[primary], name),
            **_against_best(order[0], name, pairs[primary]),
            "errors": _errors(table.get("error_share", {}), name),
            "is_failing": name in failing,
            **_cost(known[name], table, name),
        }
        for place, name in enumerate(order, start=1)
    ]
    return {"metric": primary, "ranking": ranking, "pairs": pairs, "answer": _answer(ranking, primary)}


def _pairs(
    order: Sequence[str], values: Mapping[tuple[str, int], float], same_within: float, *, less_is_better: bool
) -> list[dict[str, Any]]:
    judged: list[tuple[str, str, Verdict]] = []
    for first, second in combinations(order, 2):
        rounds = sorted({number for name, number in values if (first, number) in values and name == second})
        verdict = judge_pairs(
            [values[first, number] for number in rounds],
            [values[second, number] for number in rounds],
            less_is_better=less_is_better,
            same_within=same_within,
        )
        judged.append((first, second, verdict))
    corrected = benjamini_hochberg([1.0 if one.p is None else one.p for *_, one in judged])
    return [
        {"first": first, "second": second, **asdict(verdict), "q": q, "is_decided": _decided(verdict, q)}
        for (first, second, verdict), q in zip(judged, corrected, strict=True)
    ]


def _decided(verdict: Verdict, q: float) -> bool:
    return q <= DECIDED and verdict.verdict in (BETTER, WORSE)


def _against_best(best: str, name: str, pairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    pair = next((one for one in pairs if (one["first"], one["second"]) == (best, name)), None)
    if pair is None:
        return {"ratio": 1.0, "ratio_low": 1.0, "ratio_high": 1.0, "is_tied": name == best}
    return {
        "ratio": pair["ratio"],
        "ratio_low": pair["low"],
        "ratio_high": pair["high"],
        "is_tied": not pair["is_decided"],
    }


def _level(values: Mapping[tuple[str, int], float], name: str) -> dict[str, Any]:
    """The geometric mean over rounds and its interval."""
    logs = _logs(values, name)
    level = math.exp(float(logs.mean()))
    if len(logs) < 2:
        return {"n": len(logs), "value": level, "low": None, "high": None}
    reach = t_quantile(SURE, len(logs) - 1) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    return {
        "n": len(logs),
        "value": level,
        "low": level * math.exp(-reach),
        "high": level * math.exp(min(reach, 700)),
    }


def _cost(component: Priced, table: Table, name: str) -> dict[str, Any]:
    """What a million answered requests cost at the rate that was reached."""
    rates = table.get("throughput", {})
    if component.price_per_hour is None or not any(one == name for one, _ in rates):
        return {"cost_per_million": None, "currency": component.currency}
    errors = table.get("error_share", {})
    answered = {
        key: rate * (1 - errors.get(key, 0.0)) for key, rate in rates.items() if key[0] == name and rate > 0
    }
    level = _level({key: rate for key, rate in answered.items() if rate > 0} or {(name, 0): math.inf}, name)
    price = component.price_per_hour / 3600 * 1e6
    return {
        "cost_per_million": price / level["value"],
        "cost_low": price / level["high"] if level["high"] else None,
        "cost_high": price / level["low"] if level["low"] else None,
        "currency": component.currency,
    }


def _failing(names: Sequence[str], errors: Mapping[tuple[str, int], float]) -> set[str]:
    shares = {name: _errors(errors, name) or 0.0 for name in names}
    least = min(shares.values(), default=0.0)
    return {name for name, share in shares.items() if share > least + ERRORS_MORE}


def _errors(errors: Mapping[tuple[str, int], float], name: str) -> float | None:
    own = [share for (one, _), share in errors.items() if one == name]
    return float(np.mean(own)) if own else None


def _logs(values: Mapping[tuple[str, int], float], name: str) -> np.ndarray:
    own = [value for (one, _), value in sorted(values.items()) if one == name]
    return np.log(np.maximum(own, 1e-12))


def _log_mean(values: Mapping[tuple[str, int], float], name: str) -> float:
    return float(_logs(values, name).mean())


def _answer(ranking: Sequence[dict[str, Any]], primary: str) -> str:
    if not ranking:
        return "Nothing was measured, so nothing can be ranked."
    best, rest = ranking[0], ranking[1:]
    if not rest:
        return f"Only {best['component']} was measured."
    failing = [one["component"] for one in rest if one["is_failing"]]
    tied = [one["component"] for one in rest if one["is_tied"] and not one["is_failing"]]
    told = f"{best['component']} is first by {primary}"
    if tied:
        told = f"{best['component']} and {', '.join(tied)} can't be told apart by {primary}"
    elif rest[0]["ratio"] and not rest[0]["is_failing"]:
        low, high = rest[0]["ratio_low"], rest[0]["ratio_high"]
        told += (
            f"; {rest[0]['component']} takes {rest[0]['ratio']:.2f} times as long ({low:.2f} to {high:.2f})"
        )
    return told + (f"; {', '.join(failing)} fails too often to be ranked beside it." if failing else ".")
