"""More load brought no more throughput."""

from __future__ import annotations

from performance.measured import Measured
from performance.rules.base import Finding, Thresholds


def knee(measured: Measured, limits: Thresholds) -> list[Finding]:
    return []
