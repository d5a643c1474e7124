import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """How long pictures and results are kept."""

    dependencies = [
        ("common", "0004_workers"),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('picture_days', models.PositiveIntegerField(blank=True, null=True)),
                ('result_days', models.PositiveIntegerField(blank=True, null=True)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_run_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_run', models.JSONField(blank=True, default=dict, editable=False)),
            ],
            options={
                'verbose_name': 'retention policy',
                'verbose_name_plural': 'retention policy',
            },
        ),
        migrations.AddField(
            model_name='upload',
            name='removed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When retention took the file away.', null=True),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['created_at', 'id'], name='upload_oldest'),
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='retention_policy_single'),
        ),
    ]
