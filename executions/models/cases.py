"""A test, under one name whoever reports it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from access.models import Project
from executions.querysets import TestCaseQuerySet


class TestCase(models.Model):
    """One test of a project: (`suite`, `nodeid`), the same at a desk and in CI.

    JUnit XML knows no node ids.  `junit_key` is what a JUnit report would call the test; a case first
    seen that way is `is_derived` and gets its real name when a report with node ids brings it.
    """

    __test__ = False  # or pytest tries to collect this class

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="cases", db_index=False)
    suite = models.CharField(max_length=512, blank=True)
    nodeid = models.CharField(max_length=1024)
    junit_key = models.CharField(max_length=1024, blank=True)
    is_derived = models.BooleanField(default=False, help_text="Its name was rebuilt from a JUnit report.")
    file = models.CharField(max_length=1000, blank=True)
    canonical = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="aliases", help_text="Renamed to."
    )
    first_seen_at = models.DateTimeField(default=timezone.now)
    note = models.TextField(blank=True, help_text="What a curator has to say of it.")

    objects = TestCaseQuerySet.as_manager()

    class Meta:
        ordering = ["project_id", "nodeid", "suite"]
        constraints = [
            models.UniqueConstraint(fields=["project", "nodeid", "suite"], name="case_named_once"),
        ]
        indexes = [models.Index(fields=["project", "junit_key"], name="case_junit_idx")]

    def __str__(self) -> str:
        return f"{self.suite} › {self.nodeid}" if self.suite else self.nodeid

    @property
    def name(self) -> str:
        """The last part of the node id: what a person calls the test."""
        return self.nodeid.rsplit("::", 1)[-1]

    @property
    def place(self) -> str:
        """The node id without its last part: the file or class in which the test stands."""
        return self.nodeid.rpartition("::")[0]
