from django.db import migrations, models


class Migration(migrations.Migration):
    """What thumbnails weigh; those that are there already are weighed by the next cleanup."""

    dependencies = [
        ("common", "0007_metrics_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="thumbnail_size",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
