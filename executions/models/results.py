"""How each test went each time: the rows of which there are a hundred million."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from access.models import Project
from executions.models.cases import TestCase
from executions.querysets import ResultQuerySet, ResultSetQuerySet
from tracking.models import Space, TestRun


class Outcome(models.IntegerChoices):
    """As stored; the names are the ones over HTTP."""

    PASSED = 0
    FAILED = 1
    ERROR = 2
    SKIPPED = 3
    XFAILED = 4
    XPASSED = 5

    @property
    def word(self) -> str:
        return self.name.lower()


class Flag(models.IntegerChoices):
    """Bits of a result row."""

    DECIDES = 1  # the one row of a case in a run that counts
    FINAL = 2  # the last try
    RETRIED = 4  # there were tries before it
    DUPLICATE = 8  # the report has the case more than once
    CI = 16  # ran in CI; else at a desk
    CALL_ONLY = 32  # the duration is that of the call alone, not comparable to the others
    MASS = 64  # most tests of its report failed, so that this one is no news of the test
    LEFT_OUT = 128  # of a run that a person took out of the statistics


class ResultSet(models.Model):
    """The results of one run, under a short number; `test_runs` keeps its UUID."""

    id = models.AutoField(primary_key=True)
    run = models.OneToOneField(TestRun, models.CASCADE, related_name="result_set")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    space = models.CharField(max_length=8, choices=Space, default=Space.CI)
    started_at = models.DateTimeField(help_text="The run's start, within 400 days before it was received.")
    code = models.CharField(max_length=40, blank=True, help_text="The tree that was tested, else the commit.")
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    error = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    xfailed = models.PositiveIntegerField(default=0)
    xpassed = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    duration = models.FloatField(default=0, help_text="Seconds, summed over cases.")
    shards = models.PositiveIntegerField(null=True, blank=True, help_text="How many reports it waits for.")
    is_counted = models.BooleanField(
        default=True, db_default=True, help_text="Whether the statistics of its tests have it."
    )

    objects = ResultSetQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-started_at"], name="set_project_idx"),
            models.Index(fields=["project", "code"], name="set_code_idx"),
            models.Index(fields=["run"], name="set_left_out_idx", condition=Q(is_counted=False)),
        ]

    def __str__(self) -> str:
        return f"results of {self.run_id}"

    @property
    def total(self) -> int:
        """Cases, each by the try that decides."""
        return self.passed + self.failed + self.error + self.skipped + self.xfailed + self.xpassed

    @property
    def bad(self) -> int:
        return self.failed + self.error


class RealField(models.FloatField):
    """A float of four bytes where the database has one: seven digits are enough for a duration."""

    def db_type(self, connection: Any) -> str:
        return "real"


class Result(models.Model):
    """One try of one case in one run.

    Partitioned by month of `started_at` on PostgreSQL; no constraint holds the keys, because each
    costs more than the row (docs/decisions).  Written by `executions.bulk` only.
    """

    pk = models.CompositePrimaryKey("case_id", "set_id", "started_at", "attempt", "ordinal")
    case = models.ForeignKey(
        TestCase, models.DO_NOTHING, related_name="results", db_constraint=False, db_index=False
    )
    set = models.ForeignKey(
        ResultSet, models.DO_NOTHING, related_name="results", db_constraint=False, db_index=False
    )
    started_at = models.DateTimeField()
    attempt = models.SmallIntegerField(default=1)
    ordinal = models.SmallIntegerField(default=0, help_text="Tells apart what one run reports twice.")
    report = models.IntegerField(default=0)
    duration = RealField(null=True, help_text="Seconds: set-up, call and teardown.")
    outcome = models.SmallIntegerField(choices=Outcome)
    flags = models.SmallIntegerField(default=0)

    objects = ResultQuerySet.as_manager()

    class Meta:
        db_table = "executions"
        ordering = ["set_id", "case_id", "ordinal", "attempt"]

    def __str__(self) -> str:
        return f"case {self.case_id} in set {self.set_id}: {self.outcome_word}"

    @property
    def outcome_word(self) -> str:
        return Outcome(self.outcome).word

    @property
    def decides(self) -> bool:
        return bool(self.flags & Flag.DECIDES)


class ResultPack(models.Model):
    """What decided about some thousand cases of a run, as numbers side by side; see `executions.packs`."""

    id = models.BigAutoField(primary_key=True)
    set = models.ForeignKey(ResultSet, models.CASCADE, related_name="packs")
    cases = models.BinaryField()
    outcomes = models.BinaryField()
    durations = models.BinaryField()

    def __str__(self) -> str:
        return f"pack of set {self.set_id}"


class ResultText(models.Model):
    """What a try had to say; most tries, which passed, have none."""

    id = models.BigAutoField(primary_key=True)
    set = models.ForeignKey(ResultSet, models.CASCADE, related_name="texts", db_index=False)
    case = models.ForeignKey(TestCase, models.CASCADE, related_name="texts", db_index=False)
    started_at = models.DateTimeField()
    attempt = models.SmallIntegerField(default=1)
    ordinal = models.SmallIntegerField(default=0)
    message = models.TextField(blank=True)
    details = models.TextField(blank=True)
    stdout = models.TextField(blank=True)
    stderr = models.TextField(blank=True)
    file = models.CharField(max_length=1000, blank=True)
    line = models.IntegerField(null=True, blank=True)

    class Meta:
        ordering = ["set_id", "case_id", "ordinal", "attempt"]
        indexes = [
            models.Index(fields=["set", "case"], name="text_set_idx"),
            models.Index(fields=["case", "-started_at"], name="text_case_idx"),
        ]

    def __str__(self) -> str:
        return self.message[:80]
