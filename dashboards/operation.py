"""What an operator watches: gauges read from the database and the broker, never kept in a process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from executions.models import Report
from tracking.models import TestRun, WebhookDelivery, WorkflowRun

LATELY = timedelta(hours=1)


class Gauges:
    """Reads the gauges when they are asked for."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _by(
            "runtrail_runs_started_last_hour",
            "Runs that began in the last hour, by status",
            "status",
            TestRun.objects.filter(started_at__gte=self.now - LATELY),
        )
        yield _one("runtrail_runs_running", "Runs that are going", TestRun.objects.running().count())
        waiting = WorkflowRun.objects.filter(run__status="running").in_flight()
        yield _by("runtrail_workflows_in_flight", "Workflows that are out, by service", "service", waiting)
        unsent = WorkflowRun.objects.filter(run__status="running").unsent()
        yield _one("runtrail_workflows_unsent", "Workflows that were not sent yet", unsent.count())
        yield _one(
            "runtrail_webhooks_to_do", "Messages not worked on", WebhookDelivery.objects.to_do().count()
        )
        yield _by(
            "runtrail_reports_last_hour",
            "Test reports received in the last hour, by status",
            "status",
            Report.objects.filter(received_at__gte=self.now - LATELY),
        )


def exposition(now: datetime) -> bytes:
    """Return the gauges in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(Gauges(now))
    return generate_latest(registry)


def _one(name: str, told: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, value=value)


def _by(name: str, told: str, label: str, rows: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=[label])
    for value, count in rows.order_by().values_list(label).annotate(Count("pk")):
        family.add_metric([value], count)
    return family
