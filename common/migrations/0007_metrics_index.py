from django.db import migrations, models


class Migration(migrations.Migration):
    """An index to count jobs by kind and state.

    On its own: PostgreSQL makes no index on a table with rows changed in the same transaction.
    """

    dependencies = [
        ("common", "0006_metrics"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["kind", "state"], name="job_kind_state"),
        ),
    ]
