"""The map of the API, one line for each viewset, and the one place where exceptions become answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views import defaults
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import exception_handler

from access.api import description  # noqa: F401 - registers itself
from access.permissions import EVERYBODY, open_to
from batches.api.baselines import BaselineViewSet, RegressionViewSet
from batches.api.batches import BatchViewSet
from batches.api.workspaces import WorkspaceViewSet
from executions.api.cases import CaseViewSet, FlakyViewSet
from executions.api.comparisons import ComparisonViewSet
from executions.api.reports import ReportViewSet
from executions.api.runs import RunWithResultsViewSet
from performance.api.proving import (
    ChangeViewSet,
    ComponentComparisonViewSet,
    OptimizationViewSet,
    SummaryViewSet,
)
from performance.api.runs import WorkloadRunViewSet
from performance.api.tracks import TrackViewSet
from performance.api.workloads import TargetHostViewSet, WorkloadViewSet
from tracking.api.definitions import DefinitionViewSet, EnvironmentViewSet
from tracking.api.projects import ProjectViewSet
from tracking.api.schedules import ScheduleViewSet
from tracking.ci import CIUnavailable

router = SimpleRouter()
router.register("projects", ProjectViewSet, "project")
router.register("environments", EnvironmentViewSet, "environment")
router.register("test-definitions", DefinitionViewSet, "test-definition")
router.register("schedules", ScheduleViewSet, "schedule")
router.register("test-runs", RunWithResultsViewSet, "test-run")
router.register("reports", ReportViewSet, "report")
router.register("test-cases", CaseViewSet, "test-case")
router.register("comparisons", ComparisonViewSet, "comparison")
router.register("flaky-tests", FlakyViewSet, "flaky-test")
router.register("batches", BatchViewSet, "batch")
router.register("workspaces", WorkspaceViewSet, "workspace")
router.register("baselines", BaselineViewSet, "baseline")
router.register("regressions", RegressionViewSet, "regression")
router.register("performance/workloads", WorkloadViewSet, "workload")
router.register("performance/runs", WorkloadRunViewSet, "workload-run")
router.register("performance/optimizations", OptimizationViewSet, "optimization")
router.register("performance/comparisons", ComponentComparisonViewSet, "component-comparison")
router.register("performance/changes", ChangeViewSet, "change")
router.register("performance/tracks", TrackViewSet, "track")
router.register("performance/summary", SummaryViewSet, "performance-summary")
router.register("performance/target-hosts", TargetHostViewSet, "target-host")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("schema/", open_to(EVERYBODY)(SpectacularAPIView.as_view()), name="api_schema"),
    path(
        "docs/",
        open_to(EVERYBODY)(SpectacularSwaggerSplitView.as_view(url_name="api_schema")),
        name="api_docs",
    ),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer programs in their own form where there is no such path."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "There is nothing at this address; /api/docs/ lists all."}, status=404)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """The same where something broke; what, is in the log."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Something broke. It is in the server's log."}, status=500)
    return defaults.server_error(request)


def handle(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what verbs raise into answers; the form is the one of Django REST framework."""
    if isinstance(problem, CIUnavailable):
        told = APIException(f"The CI service can't be asked just now: {problem}", "ci_unavailable")
        told.status_code = 503
        answer = exception_handler(told, context)
        if answer is not None:
            answer["Retry-After"] = str(int(problem.retry_after or 60))
        return answer
    return exception_handler(problem, context)
