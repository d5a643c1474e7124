import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Worker processes and their signs of life."""

    dependencies = [
        ("common", "0003_audit_log"),
    ]

    operations = [
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('name', models.CharField(help_text='host:pid:token', max_length=120, primary_key=True, serialize=False)),
                ('host', models.CharField(max_length=80)),
                ('queues', models.JSONField(default=list)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_sign_at', models.DateTimeField(blank=True, null=True)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('info', models.JSONField(blank=True, default=dict, help_text='version, device, models, memory_bytes, pictures, inference timings')),
            ],
            options={
                'ordering': ['host', 'started_at'],
            },
        ),
    ]
