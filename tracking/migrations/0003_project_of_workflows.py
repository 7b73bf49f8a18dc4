"""Give every workflow the project of its run; what was there before has none yet."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    WorkflowRun = apps.get_model("tracking", "WorkflowRun")
    TestRun = apps.get_model("tracking", "TestRun")
    of_run = TestRun.objects.filter(pk=OuterRef("run_id")).values("project_id")[:1]
    WorkflowRun.objects.filter(project=None).update(project_id=Subquery(of_run))


class Migration(migrations.Migration):
    dependencies = [("tracking", "0002_github")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
