import django.db.models.deletion
from django.db import migrations, models


def index_what_did_not_pass(apps, schema_editor):
    """A run's failed tests come first, and are few; passed ones cost nothing by it."""
    schema_editor.execute(
        "CREATE INDEX executions_not_passed_idx ON executions (set_id, outcome, case_id) WHERE outcome <> 0"
    )


class Migration(migrations.Migration):
    """A migration of its own: PostgreSQL changes no table whose rows were changed in the same transaction."""

    dependencies = [
        ("executions", "0003_standing"),
    ]

    operations = [
        migrations.AlterField(
            model_name="casestatistics",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="access.project",
            ),
        ),
        migrations.AddIndex(
            model_name="casestatistics",
            index=models.Index(
                condition=models.Q(("standing__in", [1, 2])),
                fields=["project", "-same_code", "-flips", "-last_failure_at"],
                name="statistics_unstable_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="casestatistics",
            index=models.Index(
                condition=models.Q(("standing__gt", 0)),
                fields=["project", "standing", "-changed_at"],
                name="statistics_standing_idx",
            ),
        ),
        migrations.RunPython(index_what_did_not_pass, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="samecode",
            index=models.Index(
                condition=models.Q(("passes__gt", 0)),
                fields=["case", "space"],
                name="same_code_proof_idx",
            ),
        ),
    ]
