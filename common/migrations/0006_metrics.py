import django.utils.timezone
from django.db import migrations, models


def start_from_creation(apps, schema_editor):
    """Jobs that are there have waited since they were made, as far as is known."""
    apps.get_model("common", "Job").objects.update(queued_at=models.F("created_at"))


class Migration(migrations.Migration):
    """Since when a job waits, and an index to count jobs by kind and state."""

    dependencies = [
        ("common", "0005_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="queued_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.RunPython(start_from_creation, migrations.RunPython.noop, elidable=True),
    ]
