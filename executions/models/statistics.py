"""What is counted of each case, in the transaction that brings its results."""

from __future__ import annotations

from django.db import models

from access.models import Project
from executions.models.cases import TestCase
from executions.querysets import CaseStatisticsQuerySet
from tracking.models import Space


class Counts(models.Model):
    """How often a case ended how; a case counts once per run."""

    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    error = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    xfailed = models.PositiveIntegerField(default=0)
    xpassed = models.PositiveIntegerField(default=0)
    timed = models.PositiveIntegerField(default=0, help_text="Results with a duration.")
    duration_us = models.BigIntegerField(default=0, help_text="Microseconds, so that sums are exact.")
    last_run_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def runs(self) -> int:
        return self.passed + self.failed + self.error + self.skipped + self.xfailed + self.xpassed

    @property
    def judged(self) -> int:
        """Runs that say whether the test is well: skipped and xfailed ones do not."""
        return self.passed + self.xpassed + self.failed + self.error

    @property
    def bad(self) -> int:
        return self.failed + self.error

    @property
    def failure_rate(self) -> float | None:
        """(failed + error) / (passed + xpassed + failed + error), 0 to 1; None where nothing was judged."""
        return self.bad / self.judged if self.judged else None

    @property
    def mean(self) -> float | None:
        """Seconds; None where no duration is known."""
        return self.duration_us / 1e6 / self.timed if self.timed else None


class Standing(models.IntegerChoices):
    """What a test is worth looking at for; it changes rarely, so that indexes may know it."""

    NEVER_FAILED = 0
    FAILED_BEFORE = 1  # well now, as far as its last runs judge it
    FAILING = 2
    NEVER_PASSED = 3  # and failing now
    UNJUDGED = 4  # failed, never passed, and its last runs do not judge it


class CaseStatistics(Counts):
    """A case in one space: counts over all runs, and the last 64 of them in order.

    `recent` has a letter per run, oldest first: P passed, F failed, E error, S skipped, x xfailed,
    p xpassed, M failed together with most of its report.  `durations` are float32 seconds, NaN where unknown.
    `flips` counts the changes between well and not well in `recent`; `changed_at` is the start of the run
    in which the present state began, null where that lies further back than `recent`.  `same_code` is
    on how many codes it both passed and failed, `retries` those of them that are one run of unknown code.
    """

    # Known from the case; kept here for the indexes, and held by no constraint, as each costs with every row.
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    case = models.ForeignKey(TestCase, models.CASCADE, related_name="statistics", db_index=False)
    space = models.CharField(max_length=8, choices=Space)
    recent = models.CharField(max_length=64, blank=True)
    durations = models.BinaryField(default=bytes)
    flips = models.PositiveSmallIntegerField(default=0)
    last_set = models.IntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    standing = models.PositiveSmallIntegerField(choices=Standing, default=Standing.NEVER_FAILED)
    same_code = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)

    objects = CaseStatisticsQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "space"], name="statistics_once")]
        indexes = [
            # No column that a passing test changes: its row is then rewritten without touching an index.
            models.Index(
                fields=["project", "-same_code", "-flips", "-last_failure_at"],
                name="statistics_unstable_idx",
                condition=models.Q(standing__in=[1, 2]),
            ),
            models.Index(
                fields=["project", "standing", "-changed_at"],
                name="statistics_standing_idx",
                condition=models.Q(standing__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.case_id} in {self.space}"


class CaseArchive(Counts):
    """What dropped months held of a case, so that counts outlive the rows."""

    case = models.ForeignKey(TestCase, models.CASCADE, related_name="archive", db_index=False)
    space = models.CharField(max_length=8, choices=Space)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "space"], name="archive_once")]

    def __str__(self) -> str:
        return f"archive of case {self.case_id} in {self.space}"


class SameCode(models.Model):
    """A case that failed on a certain code, and how often it also passed on that very code.

    Failures only: a row appears with the first failure, so the table stays small.
    """

    case = models.ForeignKey(TestCase, models.CASCADE, related_name="same_code", db_index=False)
    code = models.CharField(max_length=40)
    space = models.CharField(max_length=8, choices=Space)
    failures = models.PositiveIntegerField(default=0)
    passes = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "code", "space"], name="same_code_once")]
        indexes = [
            models.Index(fields=["code", "space"], name="same_code_idx"),
            models.Index(
                fields=["case", "space"], name="same_code_proof_idx", condition=models.Q(passes__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.case_id} at {self.code[:7]}"
