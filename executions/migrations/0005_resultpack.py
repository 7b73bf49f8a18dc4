import django.db.models.deletion
from django.db import migrations, models


def keep_plain(apps, schema_editor):
    """Numbers hardly shrink; to try it costs more than the space."""
    if schema_editor.connection.vendor == "postgresql":
        for column in ("cases", "outcomes", "durations"):
            schema_editor.execute(
                f"ALTER TABLE executions_resultpack ALTER COLUMN {column} SET STORAGE EXTERNAL"
            )


class Migration(migrations.Migration):

    dependencies = [
        ("executions", "0004_indexes_of_standing"),
    ]

    operations = [
        migrations.CreateModel(
            name="ResultPack",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("cases", models.BinaryField()),
                ("outcomes", models.BinaryField()),
                ("durations", models.BinaryField()),
                (
                    "set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="packs",
                        to="executions.resultset",
                    ),
                ),
            ],
        ),
        migrations.RunPython(keep_plain, migrations.RunPython.noop),
    ]
