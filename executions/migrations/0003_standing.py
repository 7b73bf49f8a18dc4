import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    """Find out of each row what is kept from now on."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    last = "right({}, 1)" if is_postgres else "substr({}, -1, 1)"
    is_bad = last.format("rtrim(recent, 'SxM')") + " IN ('F', 'E')"
    proofs = (
        "SELECT count(*) FROM executions_samecode AS c WHERE c.case_id = executions_casestatistics.case_id"
        " AND c.space = executions_casestatistics.space AND c.passes > 0 AND c.failures > 0"
    )
    schema_editor.execute(
        "UPDATE executions_casestatistics SET project_id ="
        " (SELECT project_id FROM executions_testcase AS c WHERE c.id = case_id),"
        f" same_code = ({proofs}), retries = ({proofs} AND c.code LIKE 'run-%%'),"
        " standing = CASE WHEN failed + error = 0 THEN 0"
        f" WHEN {is_bad} THEN CASE WHEN passed + xpassed > 0 THEN 2 ELSE 3 END"
        " WHEN passed + xpassed > 0 THEN 1 ELSE 4 END",
        [],
    )


class Migration(migrations.Migration):

    dependencies = [
        ("executions", "0002_room_for_statistics"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="casestatistics", name="statistics_flips_idx"),
        migrations.AddField(
            model_name="casestatistics",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="access.project",
            ),
        ),
        migrations.AddField(
            model_name="casestatistics",
            name="standing",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "Never Failed"),
                    (1, "Failed Before"),
                    (2, "Failing"),
                    (3, "Never Passed"),
                    (4, "Unjudged"),
                ],
                default=0,
            ),
        ),
        migrations.AddField(
            model_name="casestatistics", name="same_code", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="casestatistics", name="retries", field=models.PositiveIntegerField(default=0)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
