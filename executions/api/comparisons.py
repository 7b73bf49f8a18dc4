"""Runs compared over HTTP: times by part, and tests one by one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from executions.api.comparison_shapes import ComparisonSerializer
from executions.comparison import compare_results
from tracking.api.runs import named_run
from tracking.comparison import MOST_HEADS, RunComparison, compare_many
from tracking.models import TestRun

LISTS = (
    *("newly_failing", "fixed", "added", "removed", "slower", "faster"),
    *("still_failing", "added_failing"),
)
BASE = OpenApiParameter("base", OpenApiTypes.STR, required=True, description="The UUID, or the testRunId.")
HEAD = OpenApiParameter(
    "head",
    OpenApiTypes.STR,
    required=True,
    many=True,
    description=f"The UUID, or the testRunId; up to {MOST_HEADS}, each compared with the base.",
)


class ComparisonViewSet(ProjectViewSet):
    """Comparisons of runs of the project."""

    queryset = TestRun.objects.select_related("definition", "environment")
    serializer_class = ComparisonSerializer
    pagination_class = None

    @extend_schema(responses=ComparisonSerializer, parameters=[BASE, HEAD])
    def list(self, request: Request) -> Response:
        """Where the time went in each, with intervals and a verdict; and what changed test by test."""
        base = self._run("base", request.query_params.get("base", ""))
        named = request.query_params.getlist("head") or [""]
        if len(named) > MOST_HEADS:
            raise ValidationError({"head": [f"Name at most {MOST_HEADS} runs."]})
        found = compare_many(base, [self._run("head", name) for name in dict.fromkeys(named)])
        first, *others = (_pair(one) for one in found.found)
        ranking = [place.numbers for place in found.ranking]
        answer = {"base": base.test_run_id, **first, "ranking": ranking, "others": others}
        return Response(ComparisonSerializer(answer).data)

    def _run(self, parameter: str, name: str) -> TestRun:
        if not name:
            raise ValidationError({parameter: ["Name a run by its UUID or its testRunId."]})
        return named_run(self.get_queryset(), name)


def _pair(one: RunComparison) -> dict[str, Any]:
    tests = compare_results(one.base, one.head)
    return {
        "head": one.head.test_run_id,
        "answer": one.sentence,
        "share_of_queueing": one.share_of_queueing,
        "times": {name: part.numbers for name, part in one.parts.items()},
        "differences": [
            {"name": name, "base": first, "head": second} for name, first, second in one.differences
        ],
        **{name: getattr(tests, name) for name in LISTS},
    }
