"""Optimizations, comparisons and changes, as they look over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.api.camel import CamelModelSerializer, CamelSerializer, camelized
from performance.changes import describe as describe_change
from performance.comparison import ROUNDS
from performance.models import ChangePoint, Comparison, Optimization, OptimizationRun
from performance.optimization import describe


class OptimizationSerializer(CamelModelSerializer):
    """A change with its runs and the verdict; `figures` says of every metric how it changed."""

    workload = serializers.CharField(source="workload.name", read_only=True)
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()
    answer = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()

    class Meta:
        model = Optimization
        fields = (
            *("id", "workload", "name", "description", "commit_sha", "created_by", "created_at"),
            *("before", "after", "verdict", "answer", "result", "judged_at", "tries"),
        )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_before(self, row: Optimization) -> list[str]:
        return _side(row, OptimizationRun.Side.BEFORE)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_after(self, row: Optimization) -> list[str]:
        return _side(row, OptimizationRun.Side.AFTER)

    def get_answer(self, row: Optimization) -> str:
        return describe(row)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_result(self, row: Optimization) -> Any:
        return camelized(row.result)


class NewOptimizationSerializer(CamelSerializer):
    """What was changed, and the runs before and after it by their ids."""

    workload = serializers.CharField(max_length=50, help_text="Name of a workload.")
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, default="", allow_blank=True)
    commit_sha = serializers.RegexField("^[0-9a-f]{7,40}$", required=False, default="")
    before = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100)
    after = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100)


class ComponentComparisonSerializer(CamelModelSerializer):
    """Components under the same load in turn; `result` ranks them once all have ended."""

    workload = serializers.CharField(source="workload.name", read_only=True)
    components = serializers.SerializerMethodField()
    turns = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()

    class Meta:
        model = Comparison
        fields = (
            *("id", "workload", "components", "rounds", "seed", "status", "reason", "created_by"),
            *("created_at", "completed_at", "turns", "result"),
        )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_components(self, row: Comparison) -> list[str]:
        return sorted(one.name for one in row.components.all())

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_turns(self, row: Comparison) -> list[dict[str, Any]]:
        return [
            {"component": turn.component.name, "round": turn.round, "run": str(turn.run)}
            for turn in row.turns.all()
        ]

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_result(self, row: Comparison) -> Any:
        result = dict(row.result)
        pairs = result.pop("pairs", {})  # its keys are names of metrics
        told = camelized(result)
        return {**told, "pairs": {name: camelized(rows) for name, rows in pairs.items()}} if result else {}


class NewComparisonSerializer(CamelSerializer):
    """Which components take turns under which workload."""

    workload = serializers.CharField(max_length=50, help_text="Name of a workload.")
    components = serializers.ListField(child=serializers.CharField(max_length=50), max_length=20)
    rounds = serializers.IntegerField(required=False, default=ROUNDS, min_value=1, max_value=100)


class ChangePointSerializer(CamelModelSerializer):
    """Where a series changed its level, and what a curator made of it."""

    workload = serializers.CharField(source="workload.name", read_only=True)
    component = serializers.CharField(source="component.name", read_only=True, default=None)
    first_run = serializers.CharField(source="first_run.run.test_run_id", read_only=True)
    ratio = serializers.SerializerMethodField()
    answer = serializers.SerializerMethodField()

    class Meta:
        model = ChangePoint
        fields = (
            *("id", "workload", "component", "metric", "request", "first_run", "commit_sha", "before"),
            *("after", "ratio", "unit", "is_worse", "p", "votes", "is_alarm", "state", "note", "decided_by"),
            *("decided_at", "found_at", "answer"),
        )

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_ratio(self, row: ChangePoint) -> float | None:
        return row.ratio if row.before else None

    def get_answer(self, row: ChangePoint) -> str:
        return describe_change(row)


class DecisionSerializer(CamelSerializer):
    """Why, and the commit that it is tied to."""

    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    commit_sha = serializers.RegexField("^[0-9a-f]{7,40}$", required=False, default="")


def _side(row: Optimization, side: str) -> list[str]:
    return [str(one.run) for one in row.sides.all() if one.side == side]
