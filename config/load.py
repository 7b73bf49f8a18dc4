"""What runs the kinds of definitions; programs that put load on a system; sources that tell how it felt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config import env

GENERATORS = {  # each a program of its own: python -m MODULE PLAN FOLDER
    "open_loop": "performance.generators.open_loop",
    "locust": "performance.generators.locust",
}
KINDS = {  # kind of a definition -> the task that takes the results of its runs, or runs them whole
    "suite": "executions.tasks.take_results",
    "workload": "performance.tasks.run_workload",
}
ROUTES = {
    "performance.tasks.run_workload": {"queue": "load"},
    "performance.tasks.run_whole_track": {"queue": "load"},
}


def settings_of(data: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]], bool]:
    """Return the generators, the sources of series, and whether a doubtful change is confirmed by a run."""
    return GENERATORS, metric_sources(data), env.flag("RUNTRAIL_CONFIRM_CHANGES", True)


def metric_sources(data: Path) -> dict[str, dict[str, Any]]:
    """Return the sources of series, in the form that Django's readers know from its own settings."""
    return {
        "host": {"BACKEND": "performance.sources.host.Host", "OPTIONS": {"folder": data / "host"}},
        "prometheus": {
            "BACKEND": "performance.sources.prometheus.Prometheus",
            "OPTIONS": {"url": env.url("PROMETHEUS_URL", "") if env.text("PROMETHEUS_URL") else ""},
        },
        "cloudwatch": {
            "BACKEND": "performance.sources.cloudwatch.CloudWatch",
            "OPTIONS": {"region": env.text("AWS_REGION")},
        },
    }
