from django.db import migrations, models


def take_from_the_metadata(apps, schema_editor):
    WorkloadRun = apps.get_model("performance", "WorkloadRun")
    seen = set()
    imported = WorkloadRun.objects.exclude(tool="").order_by("started_at", "pk")
    for pk, workload, metadata in imported.values_list("pk", "workload_id", "run__metadata").iterator():
        digest = metadata.get("sha256")
        if isinstance(digest, str) and len(digest) == 64 and (workload, digest) not in seen:
            seen.add((workload, digest))
            WorkloadRun.objects.filter(pk=pk).update(digest=digest)


class Migration(migrations.Migration):
    dependencies = [("performance", "0007_samples_are_files_of_runs")]

    operations = [
        migrations.AddField(
            model_name="workloadrun",
            name="digest",
            field=models.CharField(
                blank=True,
                default="",
                help_text="SHA-256 of the file that it was taken from; empty: measured here.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(take_from_the_metadata, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="workloadrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("digest", ""), _negated=True),
                fields=("workload", "digest"),
                name="workload_run_imported_once",
            ),
        ),
    ]
