import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def give_roles(apps, schema_editor):
    """Whoever had an account could do everything with their own things, and goes on to do so."""
    user_model = apps.get_model(*settings.AUTH_USER_MODEL.split("."))
    account = apps.get_model("common", "Account")
    account.objects.bulk_create(
        [
            account(user_id=pk, role="administrator" if superuser else "operator")
            for pk, superuser in user_model.objects.values_list("pk", "is_superuser")
        ],
        batch_size=500,
    )


def describe_tokens(apps, schema_editor):
    """Tokens could write before they had a scope, and go on to do so."""
    token_model = apps.get_model(*settings.KNOX_TOKEN_MODEL.split("."))
    details = apps.get_model("common", "TokenDetails")
    details.objects.bulk_create(
        [
            details(token_id=pk, name="Token", scope="write", created_at=created)
            for pk, created in token_model.objects.values_list("pk", "created")
        ],
        batch_size=500,
    )


class Migration(migrations.Migration):
    """Roles of people, names and scopes of tokens."""

    dependencies = [
        ("common", "0001_initial"),
        ("knox", "0009_extend_authtoken_field"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='account', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('role', models.CharField(choices=[('administrator', 'Administrator'), ('operator', 'Operator'), ('viewer', 'Viewer')], default='viewer', max_length=16)),
            ],
        ),
        migrations.CreateModel(
            name='TokenDetails',
            fields=[
                ('token', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='details', serialize=False, to=settings.KNOX_TOKEN_MODEL)),
                ('name', models.CharField(max_length=100)),
                ('scope', models.CharField(choices=[('read', 'Read'), ('write', 'Read and write')], default='read', max_length=8)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'verbose_name': 'token details',
                'verbose_name_plural': 'token details',
            },
        ),
        migrations.RunPython(give_roles, migrations.RunPython.noop),
        migrations.RunPython(describe_tokens, migrations.RunPython.noop),
    ]
