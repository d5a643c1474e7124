import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Sessions can be shared with a group."""

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('common', '0005_retention'),
        ('detector', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='detectionsession',
            name='shared_with',
            field=models.ForeignKey(blank=True, help_text='The group whose members may see it; empty: the owner alone.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='shared_sessions', to='auth.group'),
        ),
        migrations.AddIndex(
            model_name='detectionsession',
            index=models.Index(fields=['shared_with', '-created_at', '-id'], name='session_shared_newest'),
        ),
    ]
