"""Load on a system: what is put on it, each time it was, what was measured, and what follows from that."""

from performance.models.findings import Bottleneck, ChangePoint, PerformanceBaseline
from performance.models.improvements import (
    Comparison,
    ComparisonRun,
    Optimization,
    OptimizationRun,
    TrackRun,
)
from performance.models.measurements import Gathering, Metric, MetricQuery, MetricSeries
from performance.models.workloads import Component, TargetHost, Workload, WorkloadRun, host_validator

__all__ = [
    "Bottleneck",
    "ChangePoint",
    "Comparison",
    "ComparisonRun",
    "Component",
    "Gathering",
    "Metric",
    "MetricQuery",
    "MetricSeries",
    "Optimization",
    "OptimizationRun",
    "PerformanceBaseline",
    "TargetHost",
    "TrackRun",
    "Workload",
    "WorkloadRun",
    "host_validator",
]
