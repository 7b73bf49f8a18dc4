"""Questions about many batches."""

from __future__ import annotations

from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce


class BatchQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(workspace__project=project)

    def listed(self) -> Self:
        """With `edit_count`, `last_run` (id, null where none), `rolled_back` (id) and the workspace."""
        edits = apps.get_model("batches", "Edit").objects.filter(batch=OuterRef("pk")).order_by()
        runs = apps.get_model("batches", "BatchRun").objects.filter(batch=OuterRef("pk"), pattern="")
        rollbacks = apps.get_model("batches", "Rollback").objects.filter(
            batch=OuterRef("pk"), undoes=None, undone_by=None, finished_at__isnull=False
        )
        count = edits.values("batch").annotate(number=Count("pk")).values("number")
        return self.select_related("workspace").annotate(
            edit_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
            last_run=Subquery(runs.order_by("-id").values("pk")[:1]),
            rolled_back=Subquery(rollbacks.values("pk")[:1]),
        )
