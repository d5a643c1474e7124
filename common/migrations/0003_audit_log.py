import django.utils.timezone
from django.db import migrations, models

REFUSAL = "The audit log is append-only."


# The statements that have the database itself refuse, whoever asks, and those that take it back.
FORBID = {
    "postgresql": [
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON common_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON common_auditentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ],
    "sqlite": [
        f"CREATE TRIGGER audit_append_only_{verb.lower()} BEFORE {verb} "
        f"ON common_auditentry BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
}
ALLOW = {
    "postgresql": [
        "DROP TRIGGER audit_no_truncate ON common_auditentry",
        "DROP TRIGGER audit_append_only ON common_auditentry",
        "DROP FUNCTION audit_append_only()",
    ],
    "sqlite": [
        "DROP TRIGGER audit_append_only_update",
        "DROP TRIGGER audit_append_only_delete",
    ],
}


def forbid_changes(apps, schema_editor):
    """Have the database itself refuse, whoever asks."""
    for statement in FORBID.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def allow_changes(apps, schema_editor):
    """Take the triggers away, so that the table can be dropped."""
    for statement in ALLOW.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """The audit log, append-only in the database too."""

    dependencies = [
        ("common", "0002_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('action', models.CharField(choices=[('sign_in', 'Signed in'), ('sign_in_failed', 'Failed to sign in'), ('sign_out', 'Signed out'), ('password', 'Changed a password'), ('account', 'Changed an account'), ('token_created', 'Made a token'), ('token_revoked', 'Revoked a token'), ('shared', 'Changed who may see'), ('viewed', "Viewed somebody else's media"), ('exported', 'Exported'), ('deleted', 'Deleted'), ('settings', 'Changed settings'), ('maintenance', 'Maintenance')], max_length=32)),
                ('actor_id', models.BigIntegerField(blank=True, null=True)),
                ('actor_name', models.CharField(blank=True, help_text='Empty: the system.', max_length=150)),
                ('object_type', models.CharField(blank=True, max_length=64)),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('object_name', models.CharField(blank=True, max_length=200)),
                ('owner_name', models.CharField(blank=True, help_text='Whose object it was.', max_length=150)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('via', models.CharField(blank=True, help_text="browser, the token's name, or a command", max_length=120)),
                ('details', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit log',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['-at', '-id'], name='audit_newest'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['action', '-at', '-id'], name='audit_action_newest'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['actor_name', '-at', '-id'], name='audit_actor_newest'),
        ),
        migrations.RunPython(forbid_changes, allow_changes),
    ]
