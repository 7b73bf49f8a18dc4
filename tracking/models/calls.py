"""What asking costs: calls to CI services by the hour."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F


class CallCountQuerySet(models.QuerySet["CallCount"]):
    def add(self, identity: str, tally: dict[str, int], waited: float, *, at: datetime) -> None:
        """Add to the hour of `at`; several workers may do so at once."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        self.get_or_create(hour=hour, identity=identity)
        self.filter(hour=hour, identity=identity).update(
            calls=F("calls") + tally.get("calls", 0),
            not_modified=F("not_modified") + tally.get("not_modified", 0),
            limited=F("limited") + tally.get("limited", 0),
            waited=F("waited") + waited,
        )


class CallCount(models.Model):
    """Calls of one identity in one hour."""

    hour = models.DateTimeField()
    identity = models.CharField(max_length=40, help_text="A hash; the token itself is not kept here.")
    calls = models.PositiveIntegerField(default=0)
    not_modified = models.PositiveIntegerField(default=0, help_text="Answers that had not changed: free.")
    limited = models.PositiveIntegerField(default=0, help_text="Answers that a limit was hit.")
    waited = models.FloatField(default=0, help_text="Seconds waited for a turn.")

    objects = CallCountQuerySet.as_manager()

    class Meta:
        ordering = ["-hour", "identity"]
        constraints = [models.UniqueConstraint(fields=["hour", "identity"], name="call_count_once")]

    def __str__(self) -> str:
        return f"{self.calls} calls in {self.hour:%Y-%m-%d %H} h"
