"""Now that every workflow has a project, none may be without; apart from the filling, or PostgreSQL refuses."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0003_project_of_workflows")]

    operations = [
        migrations.AlterField(
            model_name="workflowrun",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="access.project",
            ),
        ),
    ]
