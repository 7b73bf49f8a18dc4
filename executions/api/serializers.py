"""Results, reports, cases and their statistics as they look over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from access.api.camel import CamelModelSerializer, CamelSerializer
from executions.models import Outcome, Report, Result, TestCase

OUTCOMES = [outcome.word for outcome in Outcome]
MOST_AT_ONCE = 10_000


class AnyCaseChoice(serializers.ChoiceField):
    """Readers take any case: `PASSED` is `passed`."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.lower() if isinstance(data, str) else data)


class NewExecutionSerializer(CamelSerializer):
    """One result that a client reports."""

    nodeid = serializers.CharField(max_length=4000)
    outcome = AnyCaseChoice(choices=OUTCOMES)
    duration = serializers.FloatField(min_value=0, max_value=31_536_000, required=False, allow_null=True)
    suite = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    attempt = serializers.IntegerField(min_value=1, max_value=99, required=False)
    message = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    details = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    stdout = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    stderr = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    file = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    line = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)


class StoredSerializer(CamelSerializer):
    """How a list of results was taken."""

    test_run_id = serializers.CharField()
    stored = serializers.IntegerField()
    report = serializers.IntegerField()


class ExecutionSerializer(CamelModelSerializer):
    """One try of one test in one run."""

    case_id = serializers.IntegerField()
    nodeid = serializers.CharField(source="case.nodeid")
    suite = serializers.CharField(source="case.suite")
    outcome = serializers.CharField(source="outcome_word")
    is_final = serializers.BooleanField(source="decides", help_text="Whether this try decides.")
    message = serializers.SerializerMethodField()

    class Meta:
        model = Result
        fields = ("case_id", "nodeid", "suite", "outcome", "attempt", "is_final", "duration", "message")
        read_only_fields = fields

    def get_message(self, result: Result) -> str:
        """What it had to say, in one line."""
        texts = self.context.get("texts", {})
        return str(texts.get((result.case_id, result.ordinal, result.attempt), ""))


class ReportSerializer(CamelModelSerializer):
    """A test report that came in; `total` and the outcomes count cases by the try that decides."""

    test_run_id = serializers.CharField(source="run.test_run_id", default=None, allow_null=True)

    class Meta:
        model = Report
        fields = (
            *("id", "test_run_id", "format", "status", "reason", "total", "passed", "failed", "error"),
            *("skipped", "xfailed", "xpassed", "attempts", "unplaced", "duration", "problems"),
            *("name", "size", "sent_by", "received_at"),
        )
        read_only_fields = fields


class CaseSerializer(CamelModelSerializer):
    """A test of the project."""

    class Meta:
        model = TestCase
        fields = ("id", "nodeid", "suite", "file", "first_seen_at", "note")
        read_only_fields = ("id", "nodeid", "suite", "file", "first_seen_at")


class HistorySerializer(CamelSerializer):
    """How a test went in one run."""

    test_run_id = serializers.CharField(source="set.run.test_run_id")
    space = serializers.CharField(source="set.space")
    environment = serializers.CharField(source="set.run.environment.name")
    branch = serializers.CharField(source="set.run.branch")
    commit_sha = serializers.CharField(source="set.run.commit_sha")
    started_at = serializers.DateTimeField()
    outcome = serializers.CharField(source="outcome_word")
    attempt = serializers.IntegerField()
    duration = serializers.FloatField(allow_null=True)


class StatisticsSerializer(CamelSerializer):
    """What is counted of a test; times in seconds, rates 0 to 1, null where nothing can be said."""

    runs = serializers.IntegerField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    error = serializers.IntegerField()
    skipped = serializers.IntegerField()
    xfailed = serializers.IntegerField()
    xpassed = serializers.IntegerField()
    failure_rate = serializers.FloatField(allow_null=True)
    rate_low = serializers.FloatField(allow_null=True)
    rate_high = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    last_run_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    last_change_at = serializers.DateTimeField(allow_null=True)
    flip_rate = serializers.FloatField(allow_null=True)
    recent = serializers.ListField(child=serializers.CharField())


class FlakySerializer(CamelSerializer):
    """A test that both passes and fails, with what speaks for it."""

    case_id = serializers.IntegerField(source="case")
    nodeid = serializers.CharField()
    suite = serializers.CharField()
    space = serializers.CharField()
    kind = serializers.CharField(help_text="flaky: on the same code; unstable: across changes.")
    runs = serializers.IntegerField()
    failure_rate = serializers.FloatField()
    rate_low = serializers.FloatField()
    rate_high = serializers.FloatField()
    flip_rate = serializers.FloatField()
    evidence = serializers.ListField(child=serializers.CharField())
