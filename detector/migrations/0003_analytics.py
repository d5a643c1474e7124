"""Figures by day for the charts, and the triggers that mark what has to be counted again."""

from django.db import migrations, models

# What the figures are made of: a change of anything else (the name, say) marks nothing.
COUNTED = (
    "owner_id, shared_with_id, model, backend, precision, created_at, object_count, class_counts, "
    "timings_ms, finished_at"
)
SESSIONS = "detector_detectionsession"
MARK = "INSERT INTO detector_changedsession (owner_id, group_id, at)"
OLD = f"{MARK} SELECT OLD.owner_id, OLD.shared_with_id, OLD.created_at WHERE OLD.model <> ''"
NEW = f"{MARK} SELECT NEW.owner_id, NEW.shared_with_id, NEW.created_at WHERE NEW.model <> ''"

POSTGRESQL = f"""
CREATE FUNCTION mark_changed_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN {OLD}; END IF;
    IF TG_OP <> 'DELETE' THEN {NEW}; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_changed_session
    AFTER INSERT OR DELETE OR UPDATE OF {COUNTED} ON {SESSIONS}
    FOR EACH ROW EXECUTE FUNCTION mark_changed_session();
"""
SQLITE = {
    "insert": f"AFTER INSERT ON {SESSIONS} BEGIN {NEW}; END",
    "update": f"AFTER UPDATE OF {COUNTED} ON {SESSIONS} BEGIN {OLD}; {NEW}; END",
    "delete": f"AFTER DELETE ON {SESSIONS} BEGIN {OLD}; END",
}


def mark_changes(apps, schema_editor):
    """Have the database mark changes itself, whoever makes them and however."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
    else:
        for verb, body in SQLITE.items():
            schema_editor.execute(f"CREATE TRIGGER mark_changed_session_{verb} {body}")


def mark_nothing(apps, schema_editor):
    """Take the triggers away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER mark_changed_session ON {SESSIONS}")
        schema_editor.execute("DROP FUNCTION mark_changed_session()")
    else:
        for verb in SQLITE:
            schema_editor.execute(f"DROP TRIGGER mark_changed_session_{verb}")


class Migration(migrations.Migration):
    """Analytics over everything that one may see, and the indexes of long lists."""

    dependencies = [
        ('detector', '0002_sharing'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('time_zone', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'analytics state',
                'verbose_name_plural': 'analytics state',
            },
        ),
        migrations.CreateModel(
            name='ChangedSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_id', models.BigIntegerField()),
                ('group_id', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField(help_text='When the session was made.')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='changed_session_at')],
            },
        ),
        migrations.CreateModel(
            name='DailyClassFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('owner_id', models.BigIntegerField(null=True)),
                ('group_id', models.BigIntegerField(null=True)),
                ('model', models.CharField(max_length=64)),
                ('backend', models.CharField(max_length=32)),
                ('precision', models.CharField(max_length=16)),
                ('sessions', models.PositiveIntegerField()),
                ('objects_found', models.PositiveIntegerField()),
                ('confidence_sum', models.BigIntegerField(help_text='In millionths, so that sums are exact.')),
                ('confidence_bins', models.BinaryField(help_text='Twenty counts, int32.')),
                ('class_name', models.CharField(max_length=100)),
            ],
            options={
                'verbose_name': 'daily class figures',
                'verbose_name_plural': 'daily class figures',
                'indexes': [models.Index(fields=['day'], name='daily_class_day'), models.Index(fields=['owner_id', 'day', 'group_id', 'class_name', 'model', 'sessions', 'objects_found', 'confidence_sum'], name='daily_class_owner'), models.Index(fields=['owner_id', 'class_name', 'day'], name='daily_class_owner_name'), models.Index(condition=models.Q(('owner_id__isnull', True)), fields=['group_id', 'day', 'class_name', 'model', 'sessions', 'objects_found', 'confidence_sum'], name='daily_class_group'), models.Index(condition=models.Q(('owner_id__isnull', True)), fields=['group_id', 'class_name', 'day'], name='daily_class_group_name')],
            },
        ),
        migrations.CreateModel(
            name='DailyFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('owner_id', models.BigIntegerField(null=True)),
                ('group_id', models.BigIntegerField(null=True)),
                ('model', models.CharField(max_length=64)),
                ('backend', models.CharField(max_length=32)),
                ('precision', models.CharField(max_length=16)),
                ('sessions', models.PositiveIntegerField()),
                ('objects_found', models.PositiveIntegerField()),
                ('confidence_sum', models.BigIntegerField(help_text='In millionths, so that sums are exact.')),
                ('confidence_bins', models.BinaryField(help_text='Twenty counts, int32.')),
                ('times', models.BinaryField(help_text='Of every session, hundredths of a millisecond, uint32.')),
            ],
            options={
                'verbose_name': 'daily figures',
                'verbose_name_plural': 'daily figures',
                'indexes': [models.Index(fields=['day'], name='daily_figures_day'), models.Index(fields=['owner_id', 'day'], name='daily_figures_owner'), models.Index(condition=models.Q(('owner_id__isnull', True)), fields=['group_id', 'day'], name='daily_figures_group')],
            },
        ),
        migrations.AddIndex(
            model_name='detectionsession',
            index=models.Index(fields=['-created_at', '-id'], name='session_newest'),
        ),
        migrations.AddIndex(
            model_name='detectionsession',
            index=models.Index(fields=['name', '-created_at', '-id'], name='session_by_name'),
        ),
        migrations.AddIndex(
            model_name='detectionsession',
            index=models.Index(fields=['-object_count', '-created_at', '-id'], name='session_most_objects'),
        ),
        migrations.RunPython(mark_changes, mark_nothing),
    ]
