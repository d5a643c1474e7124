"""The admin: who gets in, people, groups, tokens, and the page that is opened in the morning."""

from importlib import import_module

from django.apps import apps

# Each registers its pages.
for _name in ("people", "groups", "tokens"):
    import_module(f"detection_project.admin.{_name}")

# What others' apps are called for people.
for _label, _title in (("auth", "People"), ("knox", "API")):
    apps.get_app_config(_label).verbose_name = _title
