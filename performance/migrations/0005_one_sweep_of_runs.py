"""The scheduler keeps in the database what was once in the timetable: take out what is no task any more."""

from django.db import migrations


def forget(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name="sweep-workload-runs").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("performance", "0004_track_handed_over"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
