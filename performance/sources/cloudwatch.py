"""Series from Amazon CloudWatch (`GetMetricData`)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np

from performance.sources.base import (
    Query,
    Series,
    SourceRefused,
    SourceUnavailable,
    grid_of,
    on_grid,
    without_secrets,
)

_QUERY = re.compile(
    r"(?P<space>[^{}:]+)/(?P<metric>[^/{}:]+)(\{(?P<sizes>[^{}]*)\})?:(?P<statistic>[A-Za-z]+[0-9.]*)\Z"
)
FINEST = 60.0  # seconds; without a detailed plan CloudWatch keeps one value a minute
LATER = {
    "Throttling",
    "ThrottlingException",
    "InternalServiceFault",
    "ServiceUnavailable",
    "RequestLimitExceeded",
}


class CloudWatch:
    """Asks one region; keys come from where boto3 looks (environment, profile, role)."""

    def __init__(self, region: str = "", *, timeout: float = 10.0) -> None:
        import boto3  # takes a third of a second, which only those pay who read from it
        import botocore.exceptions
        from botocore.config import Config

        if not region:
            raise SourceRefused("No region is set: name it with AWS_REGION.")
        self.problems = botocore.exceptions
        limits = Config(connect_timeout=timeout, read_timeout=timeout, retries={"max_attempts": 2})
        self.client = boto3.client("cloudwatch", region_name=region, config=limits)

    def read(self, query: Query, start: datetime, end: datetime, step: float) -> Series:
        period = max(FINEST, math.ceil(step / FINEST) * FINEST)
        grid = grid_of(start, end, period)
        asked = {"Id": "m1", "MetricStat": {**metric_stat(query.query), "Period": int(period)}}
        points = self._ask(asked, grid[0], grid[-1] + period)
        times, values = (np.array([point[i] for point in points], dtype=float) for i in (0, 1))
        return Series(query.name, query.unit, grid, on_grid(times, values, grid, period), query.saturated_at)

    def _ask(self, asked: dict[str, Any], start: float, end: float) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        span = {"StartTime": datetime.fromtimestamp(start, UTC), "EndTime": datetime.fromtimestamp(end, UTC)}
        token: dict[str, str] = {}
        while True:
            try:
                answer = self.client.get_metric_data(
                    MetricDataQueries=[asked], ScanBy="TimestampAscending", **span, **token
                )
            except self.problems.ClientError as problem:
                error = problem.response.get("Error", {})
                said = without_secrets(f"CloudWatch answered {error.get('Code')}: {error.get('Message', '')}")
                raise (SourceUnavailable if error.get("Code") in LATER else SourceRefused)(said) from None
            except self.problems.NoCredentialsError:
                raise SourceRefused("There are no AWS keys: set them where boto3 looks.") from None
            except self.problems.BotoCoreError as problem:
                raise SourceUnavailable(f"CloudWatch did not answer: {type(problem).__name__}.") from None
            for one in answer["MetricDataResults"]:
                points += [
                    (at.timestamp(), value)
                    for at, value in zip(one["Timestamps"], one["Values"], strict=True)
                ]
            if not answer.get("NextToken"):
                return sorted(points)
            token = {"NextToken": answer["NextToken"]}


def metric_stat(query: str) -> dict[str, Any]:
    """Return CloudWatch's words for `Namespace/Metric{Dimension=Value,…}:Statistic`; or SourceRefused."""
    match = _QUERY.match(query.strip())
    if match is None:
        raise SourceRefused(
            "Write a CloudWatch query as AWS/ECS/CPUUtilization{ClusterName=shop}:Average "
            f"(namespace/metric{{dimension=value}}:statistic), not {query[:100]!r}."
        )
    sizes = []
    for pair in filter(None, map(str.strip, (match["sizes"] or "").split(","))):
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise SourceRefused(f"Write a dimension as Name=value, not {pair!r}.")
        sizes.append({"Name": name.strip(), "Value": value.strip().strip('"')})
    metric = {"Namespace": match["space"], "MetricName": match["metric"], "Dimensions": sizes}
    return {"Metric": metric, "Stat": match["statistic"]}
