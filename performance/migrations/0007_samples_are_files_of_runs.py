from django.db import migrations


def name_the_samples(apps, schema_editor):
    RunFile = apps.get_model("tracking", "RunFile")
    runs = apps.get_model("performance", "WorkloadRun").objects.exclude(samples="")
    waiting = []
    for run_pk, name in runs.order_by("pk").values_list("pk", "samples").iterator(chunk_size=1000):
        waiting.append(RunFile(run_id=run_pk, name=name))
        if len(waiting) == 1000:
            RunFile.objects.bulk_create(waiting, ignore_conflicts=True)
            waiting = []
    RunFile.objects.bulk_create(waiting, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("performance", "0006_findings_hold_their_runs"),
        ("tracking", "0011_files_of_runs"),
    ]

    operations = [migrations.RunPython(name_the_samples, migrations.RunPython.noop)]
