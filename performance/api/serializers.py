"""Workloads, their runs and what was measured, as they look over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.api.camel import CamelModelSerializer, CamelSerializer, camel, camelized
from access.api.parsing import OwnKeys
from performance.models import (
    Bottleneck,
    Component,
    Metric,
    MetricSeries,
    TargetHost,
    Workload,
    WorkloadRun,
)
from performance.reading import Table
from performance.specification_requests import check_headers
from tracking.identifiers import environment_name
from tracking.models import Environment


class ComponentSerializer(CamelModelSerializer):
    """A variant of the system under the same workload."""

    name = serializers.CharField(max_length=50)
    headers = OwnKeys(required=False)
    variables = OwnKeys(required=False)
    price_per_hour = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1e9)

    class Meta:
        model = Component
        fields = ("name", "target", "headers", "variables", "price_per_hour", "currency")

    def validate_headers(self, headers: dict[str, Any]) -> dict[str, Any]:
        faults: list[str] = []
        check_headers(
            {key: str(value) for key, value in headers.items()}, Table({}, "component", faults), "headers"
        )
        if faults:
            raise serializers.ValidationError(faults)
        return headers


class WorkloadSerializer(CamelModelSerializer):
    """What load is put on a system; `spec` and what lies in it travel untouched."""

    environment = serializers.CharField(max_length=50)
    spec = OwnKeys()
    same_within = serializers.FloatField(required=False, min_value=0, max_value=10)
    test_definition_id = serializers.UUIDField(source="definition_id", read_only=True)
    secrets = OwnKeys(child=serializers.CharField(max_length=2000), write_only=True, required=False)
    components = ComponentSerializer(many=True, required=False)
    has_secrets = serializers.BooleanField(read_only=True)

    class Meta:
        model = Workload
        fields = (
            *("id", "name", "description", "environment", "target", "generator", "spec", "secrets"),
            *("has_secrets", "version", "same_within", "is_archived", "components", "test_definition_id"),
            *("created_at", "updated_at"),
        )
        read_only_fields = ("version",)

    def validate_environment(self, name: str) -> Environment:
        project = self.context["view"].project
        found: Environment | None = (
            Environment.objects.in_project(project).filter(name=environment_name(name)).first()
        )
        if found is None:
            raise serializers.ValidationError(f"There is no environment {name!r} in {project}.")
        return found


class TriggerSerializer(CamelSerializer):
    """How a workload is started."""

    component = serializers.CharField(max_length=50, required=False, help_text="Name of a component.")
    branch = serializers.CharField(max_length=255, required=False)
    commit_sha = serializers.RegexField("^[0-9a-f]{7,40}$", required=False)
    triggered_by = serializers.CharField(max_length=255, required=False)
    metadata = OwnKeys(required=False)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class WorkloadRunSerializer(CamelModelSerializer):
    """One drive of a workload; times in seconds."""

    id = serializers.UUIDField(source="run_id", read_only=True)
    test_run_id = serializers.CharField(source="run.test_run_id", read_only=True)
    workload_id = serializers.UUIDField(read_only=True)
    workload = serializers.CharField(source="workload.name", read_only=True)
    component = serializers.CharField(source="component.name", read_only=True, default=None)
    status = serializers.CharField(source="run.status", read_only=True)
    reason = serializers.CharField(source="run.reason", read_only=True)
    completed_at = serializers.DateTimeField(source="run.completed_at", read_only=True)
    environment = serializers.CharField(source="run.environment.name", read_only=True)
    branch = serializers.CharField(source="run.branch", read_only=True)
    commit_sha = serializers.CharField(source="run.commit_sha", read_only=True)
    triggered_by = serializers.CharField(source="run.triggered_by", read_only=True)
    metadata = serializers.DictField(source="run.metadata", read_only=True)
    error_share = serializers.FloatField(read_only=True, allow_null=True)
    generator_facts = serializers.SerializerMethodField("get_generator_facts")
    progress = serializers.SerializerMethodField()

    class Meta:
        model = WorkloadRun
        fields = (
            *("id", "test_run_id", "workload_id", "workload", "component", "purpose", "status", "reason"),
            *("started_at", "completed_at", "load_started_at", "load_ended_at", "environment", "branch"),
            *("commit_sha", "triggered_by", "metadata", "generator", "tool", "version", "seed", "spec"),
            *("requests", "errors", "error_share", "generator_limit", "stopped_early", "generator_facts"),
            *("progress", "summarized_at", "analyzed_at"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.DictField)
    def get_generator_facts(self, run: WorkloadRun) -> Any:
        return camelized(run.generator_facts)

    @extend_schema_field(serializers.DictField)
    def get_progress(self, run: WorkloadRun) -> Any:
        return camelized(run.progress)


class MetricSerializer(CamelModelSerializer):
    """One figure of a run, for one request or (`request` empty) for all."""

    class Meta:
        model = Metric
        fields = (
            *("name", "request", "unit", "less_is_better", "n", "value", "low", "high", "mean"),
            *("p50", "p90", "p95", "p99", "p999", "intervals"),
        )


class SeriesSerializer(CamelModelSerializer):
    """A series over the time of a run: seconds since its start, and values."""

    times = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()

    class Meta:
        model = MetricSeries
        fields = ("source", "name", "unit", "saturated_at", "n", "problem", "times", "values")

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_times(self, series: MetricSeries) -> list[float | None]:
        return series.times_list

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(allow_null=True)))
    def get_values(self, series: MetricSeries) -> list[float | None]:
        return series.values_list


class BottleneckSerializer(CamelModelSerializer):
    """What held the run back, with its evidence."""

    evidence = serializers.SerializerMethodField()

    class Meta:
        model = Bottleneck
        fields = ("rank", "kind", "name", "score", "share", "text", "evidence")

    @extend_schema_field(serializers.DictField)
    def get_evidence(self, row: Bottleneck) -> Any:
        # Beside the picture, maps inside count by names: of requests, parts and kinds of errors.
        return {
            camel(name): camelized(value) if name == "picture" else value
            for name, value in row.evidence.items()
        }


class TargetHostSerializer(CamelModelSerializer):
    """A host that the project calls its own."""

    host = serializers.CharField(max_length=255)

    class Meta:
        model = TargetHost
        fields = ("id", "host", "note", "added_by", "added_at")
        read_only_fields = ("added_by", "added_at")
