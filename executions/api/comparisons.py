"""Two runs compared over HTTP: times by part, and tests one by one."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.camel import camel
from executions.api.cases import changes
from executions.comparison import compare_results
from tracking.api.serializers import RunSerializer
from tracking.comparison import Part, compare_runs
from tracking.models import TestRun

LISTS = (
    *("newly_failing", "fixed", "added", "removed", "slower", "faster"),
    *("still_failing", "added_failing"),
)
RUN: dict[str, Any] = {
    "type": OpenApiTypes.STR,
    "required": True,
    "description": "The UUID, or the testRunId.",
}


class ComparisonViewSet(ProjectViewSet):
    """Comparisons of two runs of the project."""

    queryset = TestRun.objects.select_related("definition", "environment")
    serializer_class = RunSerializer
    pagination_class = None

    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("base", **RUN), OpenApiParameter("head", **RUN)],
    )
    def list(self, request: Request) -> Response:
        """Where the time went in both, with intervals and a verdict; and what changed test by test."""
        base, head = self._run(request, "base"), self._run(request, "head")
        times, tests = compare_runs(base, head), compare_results(base, head)
        return Response(
            {
                "base": base.test_run_id,
                "head": head.test_run_id,
                "answer": times.sentence,
                "shareOfQueueing": times.share_of_queueing,
                "times": {camel(name): part_of(part) for name, part in times.parts.items()},
                "differences": [
                    {"name": name, "base": first, "head": second} for name, first, second in times.differences
                ],
                **{camel(name): changes(getattr(tests, name)) for name in LISTS},
            }
        )

    def _run(self, request: Request, name: str) -> TestRun:
        named = request.query_params.get(name, "")
        if not named:
            raise ValidationError({name: ["Name a run by its UUID or its testRunId."]})
        try:
            wanted: dict[str, Any] = {"pk": uuid.UUID(named)}
        except ValueError:
            wanted = {"test_run_id": named}
        found: TestRun = get_object_or_404(self.get_queryset(), **wanted)
        return found


def part_of(part: Part) -> dict[str, Any]:
    """One part of the times, in seconds."""
    names = ("base", "head", "difference", "ratio", "low", "high", "verdict")
    smallest = part.found.smallest if part.found else None
    numbers = {name: getattr(part, name) for name in names}
    return {**numbers, "smallest": smallest, "reason": part.reason or None}
