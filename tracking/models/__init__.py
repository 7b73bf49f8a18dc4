"""The nouns of tracking: what can be run, where, each time it ran, and what it consisted of."""

from tracking.models.calls import CallCount
from tracking.models.changes import TRACKED
from tracking.models.definitions import Environment, Step, TestDefinition
from tracking.models.hooks import CIRepository, WebhookDelivery
from tracking.models.local_jobs import LocalJob
from tracking.models.retention import RetentionPolicy, RunFile
from tracking.models.rollups import DayTiming, RunnerDay, RunnerTiming, RunTiming
from tracking.models.runs import RunEvent, Space, TestRun
from tracking.models.schedules import Schedule
from tracking.models.workflows import WorkflowAttempt, WorkflowJob, WorkflowRun

__all__ = [
    "TRACKED",
    "CIRepository",
    "CallCount",
    "DayTiming",
    "Environment",
    "LocalJob",
    "RetentionPolicy",
    "RunEvent",
    "RunFile",
    "RunTiming",
    "RunnerDay",
    "RunnerTiming",
    "Schedule",
    "Space",
    "Step",
    "TestDefinition",
    "TestRun",
    "WebhookDelivery",
    "WorkflowAttempt",
    "WorkflowJob",
    "WorkflowRun",
]
