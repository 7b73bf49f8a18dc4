"""What a shell and programs are told of a comparison of components."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from performance.models import Comparison
from performance.wording import in_short_words


def lines(comparison: Comparison) -> Iterator[str]:
    """The answer first, then the ranking, then what was left out."""
    result = comparison.result
    yield result.get("answer") or comparison.reason
    if result.get("ranking"):
        yield ""
        yield f"     {'component':<20} {result['metric']:<30} {'against the first':<24} {'errors':>7}  cost"
        yield from (_ranked(row) for row in result["ranking"])
    for row in result.get("left_out", []):
        yield f"left out: {row['component']}, round {row['round']} ({row['run']}): {row['reason']}"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """For programs."""
    return {
        "id": str(comparison.pk),
        "workload": comparison.workload.name,
        "components": sorted(one.name for one in comparison.components.all()),
        "rounds": comparison.rounds,
        "seed": comparison.seed,
        "status": comparison.status,
        "reason": comparison.reason,
        **comparison.result,
    }


def _ranked(row: dict[str, Any]) -> str:
    level = in_short_words(row["value"])
    if row["low"] is not None:
        level += f" ({in_short_words(row['low'])} to {in_short_words(row['high'])}, n {row['n']})"
    ratio = "–"
    if row["ratio_low"] is not None:
        ratio = f"{row['ratio']:.2f} × ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
    if row["rank"] == 1:
        ratio = "first"
    elif row["is_tied"]:
        ratio += " ≈"
    errors = "–" if row["errors"] is None else f"{row['errors']:.1%}"
    cost = row["cost_per_million"]
    price = "" if cost is None else f"{cost:.2f} {row['currency']} per million requests"
    return f"{row['rank']:>3}. {row['component'][:20]:<20} {level:<30} {ratio:<24} {errors:>7}  {price}"


def in_one_line(row: dict[str, Any]) -> str:
    """One component of the ranking in a sentence."""
    told = f"{row['component']}: {in_short_words(row['value'])}"
    if row["low"] is not None:
        told += f" ({in_short_words(row['low'])} to {in_short_words(row['high'])}), {row['n']} runs"
    if row["cost_per_million"] is not None:
        told += f", {row['cost_per_million']:.2f} {row['currency']} per million requests"
    return told + "."
