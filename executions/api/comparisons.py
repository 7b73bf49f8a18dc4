"""Two runs compared over HTTP: times by part, and tests one by one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.camel import camel
from executions.api.cases import changes, number
from executions.comparison import compare_results
from executions.sides import Side, compare_sides
from tracking.api.serializers import RunSerializer
from tracking.comparison import Part, compare_runs
from tracking.models import Space, TestRun

LISTS = (
    *("newly_failing", "fixed", "added", "removed", "slower", "faster"),
    *("still_failing", "added_failing"),
)
RUN: dict[str, Any] = {
    "type": OpenApiTypes.STR,
    "description": "The UUID, or the testRunId.",
}
SIDES = {
    "baseBranch": "the branch to compare with",
    "headBranch": "the branch that is judged",
    "baseSpace": "local or ci, with or without a branch",
    "headSpace": "local or ci, with or without a branch",
}
DAYS = 14
PARTS = ("queue", "execution", "total")
NO_TIMES: dict[str, Any] = {
    **dict.fromkeys(("base", "head", "difference", "ratio", "low", "high", "smallest")),
    "verdict": "not enough data",
    "reason": "Times are compared of two runs.",
}


class ComparisonViewSet(ProjectViewSet):
    """Comparisons of two runs of the project."""

    queryset = TestRun.objects.select_related("definition", "environment")
    serializer_class = RunSerializer
    pagination_class = None

    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        parameters=[
            OpenApiParameter("base", **RUN),
            OpenApiParameter("head", **RUN),
            *(OpenApiParameter(name, OpenApiTypes.STR, description=told) for name, told in SIDES.items()),
            OpenApiParameter("window", OpenApiTypes.INT, description="days that branches are looked at (14)"),
        ],
    )
    def list(self, request: Request) -> Response:
        """Where the time went in both, with intervals and a verdict; and what changed test by test.

        Two runs by `base` and `head`; or two branches or spaces, by the latest result of each test.
        """
        if any(request.query_params.get(name) for name in SIDES):
            return self._sides(request)
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

    def _sides(self, request: Request) -> Response:
        base, head = _side(request, "base"), _side(request, "head")
        if base == head:
            raise ValidationError({"headBranch": ["Name two sides that differ: branches or spaces."]})
        days = int(number(request, "window", 1, 400, DAYS))
        since = timezone.now() - timedelta(days=days)
        found = compare_sides(self.project, base, head, since=since)
        return Response(
            {
                "base": str(base),
                "head": str(head),
                "baseRuns": found.base_runs,
                "headRuns": found.head_runs,
                "times": dict.fromkeys(PARTS, NO_TIMES),
                "differences": [],
                **{camel(name): changes(getattr(found.tests, name)) for name in LISTS},
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


def _side(request: Request, name: str) -> Side:
    space = request.query_params.get(f"{name}Space", "")
    if space and space not in Space.values:
        raise ValidationError({f"{name}Space": ["There are local and ci."]})
    branch = request.query_params.get(f"{name}Branch", "")
    if "\x00" in branch or len(branch) > 255:
        raise ValidationError({f"{name}Branch": ["That is no branch's name."]})
    return Side(branch, space)


def part_of(part: Part) -> dict[str, Any]:
    """One part of the times, in seconds."""
    names = ("base", "head", "difference", "ratio", "low", "high", "verdict")
    smallest = part.found.smallest if part.found else None
    numbers = {name: getattr(part, name) for name in names}
    return {**numbers, "smallest": smallest, "reason": part.reason or None}
