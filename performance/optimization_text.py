"""What a shell and programs are told of an optimization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from performance.models import Optimization, OptimizationRun
from performance.optimization import describe, figure_of


def line(row: Optimization) -> str:
    """One line of the list."""
    figure = figure_of(row)
    effect = "–"
    if figure.get("low") is not None:
        effect = f"{figure['ratio']:.3f} × ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"{row.pk:>5}  {row.verdict:<9} {effect:<28} {row.workload}: {row.name}"


def lines(row: Optimization) -> Iterator[str]:
    """One optimization with all its figures."""
    yield f"Optimization {row.pk}: {row.name} ({row.workload})"
    if row.description:
        yield row.description
    yield describe(row)
    if row.tries:
        yield f"Tried again {row.tries} times, so the intervals hold in {row.result.get('sure', 0.95):.1%}."
    yield ""
    yield f"{'figure':<28} {'before':>10} {'after':>10} {'ratio':>8} {'interval':<18} {'q':>8}  verdict"
    for one in row.result.get("figures", []):
        yield _figure(one)


def as_json(row: Optimization) -> dict[str, Any]:
    """For programs."""
    sides = row.sides.select_related("run__run")
    return {
        "id": row.pk,
        "workload": row.workload.name,
        "name": row.name,
        "description": row.description,
        "commit_sha": row.commit_sha,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "verdict": row.verdict,
        "answer": describe(row),
        "before": [str(one.run) for one in sides if one.side == OptimizationRun.Side.BEFORE],
        "after": [str(one.run) for one in sides if one.side == OptimizationRun.Side.AFTER],
        "tries": row.tries,
        **row.result,
    }


def _figure(one: dict[str, Any]) -> str:
    name = f"{one['metric']} {one['request']}".strip()
    numbers = [
        f"{one[side]:>10.4g}" if one[side] is not None else f"{'–':>10}" for side in ("before", "after")
    ]
    ratio = f"{one['ratio']:>8.3f}" if one["ratio"] is not None else f"{'–':>8}"
    between = f"{one['low']:.3f} to {one['high']:.3f}" if one["low"] is not None else "–"
    return f"{name[:28]:<28} {' '.join(numbers)} {ratio} {between:<18} {one['q']:>8.2g}  {one['verdict']}"
