"""Series from a Prometheus server (HTTP API v1, `query_range`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import requests

from performance.sources.base import (
    Query,
    Series,
    SourceRefused,
    SourceUnavailable,
    grid_of,
    on_grid,
    without_secrets,
)

PLACE = "/api/v1/query_range"
NOT_ITS_ANSWER = "What came is no answer of Prometheus: look at PROMETHEUS_URL and what stands before it."


class Prometheus:
    """Asks one server; `url` is where it answers, as in http://prometheus:9090."""

    def __init__(self, url: str = "", *, timeout: float = 10.0) -> None:
        if not url:
            raise SourceRefused("No Prometheus is set: name one with PROMETHEUS_URL.")
        self.url, self.timeout = url.rstrip("/"), timeout

    def read(self, query: Query, start: datetime, end: datetime, step: float) -> Series:
        grid = grid_of(start, end, step)
        asked: dict[str, Any] = {"query": query.query, "start": grid[0], "end": grid[-1], "step": step}
        found = self._ask(asked)
        if len(found) > 1:
            raise SourceRefused(
                f"The query gives {len(found)} series; write one that gives a single one, as in sum(…)."
            )
        try:
            points = np.array([[float(at), float(value)] for one in found for at, value in one["values"]])
        except (KeyError, TypeError, ValueError):
            raise SourceRefused(NOT_ITS_ANSWER) from None
        if not len(points):
            return Series(query.name, query.unit, grid, np.full(len(grid), np.nan), query.saturated_at)
        values = on_grid(points[:, 0], points[:, 1], grid, step)
        return Series(query.name, query.unit, grid, values, query.saturated_at)

    def _ask(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            answer = requests.get(self.url + PLACE, params=asked, timeout=self.timeout)
        except requests.RequestException as problem:
            said = f"Prometheus did not answer: {type(problem).__name__}."
            raise SourceUnavailable(said) from None
        try:
            content = answer.json()
        except ValueError:
            content = {}
        content = content if isinstance(content, dict) else {}
        if answer.status_code >= 500 or answer.status_code == 429:
            said = without_secrets(str(content.get("error", "")))
            raise SourceUnavailable(f"Prometheus answered {answer.status_code} {said}".strip())
        if answer.status_code != 200 or content.get("status") != "success":
            said = without_secrets(str(content.get("error", "")))
            raise SourceRefused(f"Prometheus answered {answer.status_code}: {said or 'no reason given'}")
        try:
            kind, found = content["data"]["resultType"], list(content["data"]["result"])
        except (KeyError, TypeError):
            raise SourceRefused(NOT_ITS_ANSWER) from None
        if kind != "matrix":
            raise SourceRefused("The query gives no series over time; leave out a range as in [5m].")
        return found
