"""Runs compared over HTTP: times by part, and tests one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from executions.api.cases import number
from executions.api.comparison_shapes import ComparisonSerializer
from executions.comparison import ResultComparison, compare_results
from executions.sides import Side, compare_sides
from tracking.api.runs import named_run
from tracking.compared_times import PARTS
from tracking.comparison import MOST_HEADS, RunComparison, compare_many
from tracking.models import Space, TestRun

LISTS = (
    *("newly_failing", "fixed", "added", "removed", "slower", "faster"),
    *("still_failing", "added_failing"),
)
BASE = OpenApiParameter("base", OpenApiTypes.STR, description="The UUID, or the testRunId.")
HEAD = OpenApiParameter(
    "head",
    OpenApiTypes.STR,
    many=True,
    description=f"The UUID, or the testRunId; up to {MOST_HEADS}, each compared with the base.",
)
SIDES = {
    "baseBranch": "the branch to compare with",
    "headBranch": "the branch that is judged",
    "baseSpace": "local or ci, with or without a branch",
    "headSpace": "local or ci, with or without a branch",
}
NAMED = [OpenApiParameter(name, OpenApiTypes.STR, description=told) for name, told in SIDES.items()]
WINDOW = OpenApiParameter("window", OpenApiTypes.INT, description="days that branches are looked at (14)")
DAYS = 14
NO_TIMES: dict[str, Any] = {
    **dict.fromkeys(("base", "head", "difference", "ratio", "low", "high", "smallest")),
    "verdict": "not enough data",
    "n": [0, 0],
    "reason": "Times are compared of two runs.",
}


class ComparisonViewSet(ProjectViewSet):
    """Comparisons of runs of the project."""

    queryset = TestRun.objects.select_related("definition", "environment")
    serializer_class = ComparisonSerializer
    pagination_class = None

    @extend_schema(responses=ComparisonSerializer, parameters=[BASE, HEAD, *NAMED, WINDOW])
    def list(self, request: Request) -> Response:
        """Where the time went in each, with intervals and a verdict; and what changed test by test.

        Runs by `base` and `head`; or two branches or spaces, by the latest result of each test.
        """
        if any(request.query_params.get(name) for name in SIDES):
            return self._sides(request)
        base = self._run("base", request.query_params.get("base", ""))
        named = request.query_params.getlist("head") or [""]
        if len(named) > MOST_HEADS:
            raise ValidationError({"head": [f"Name at most {MOST_HEADS} runs."]})
        found = compare_many(base, [self._run("head", name) for name in dict.fromkeys(named)])
        first, *others = (_pair(one) for one in found.found)
        ranking = [place.numbers for place in found.ranking]
        answer = {"base": base.test_run_id, **first, "ranking": ranking, "others": others}
        return Response(ComparisonSerializer(answer).data)

    def _sides(self, request: Request) -> Response:
        base, head = _side(request, "base"), _side(request, "head")
        if base == head:
            raise ValidationError({"headBranch": ["Name two sides that differ: branches or spaces."]})
        days = int(number(request, "window", 1, 400, DAYS))
        found = compare_sides(self.project, base, head, since=timezone.now() - timedelta(days=days))
        answer = {
            "base": str(base),
            "head": str(head),
            "base_runs": found.base_runs,
            "head_runs": found.head_runs,
            "answer": _in_words(found.tests, head),
            "share_of_queueing": None,
            "times": dict.fromkeys(PARTS, NO_TIMES),
            "differences": [],
            "ranking": [],
            "others": [],
            **{name: getattr(found.tests, name) for name in LISTS},
        }
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


def _in_words(tests: ResultComparison, head: Side) -> str:
    told = f"{len(tests.newly_failing)} newly failing and {len(tests.fixed)} fixed"
    return f"{head}: {told} of {tests.compared} tests that both have."


def _side(request: Request, name: str) -> Side:
    space = request.query_params.get(f"{name}Space", "")
    if space and space not in Space.values:
        raise ValidationError({f"{name}Space": ["There are local and ci."]})
    branch = request.query_params.get(f"{name}Branch", "")
    if "\x00" in branch or len(branch) > 255:
        raise ValidationError({f"{name}Branch": ["That is no branch's name."]})
    return Side(branch, space)
