"""Looking for names where nobody should have written them: in all texts of the database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast

MOST_ROWS = 10_000
TEXTS = (models.CharField, models.TextField, models.JSONField)
# Of accounts, which are people, too, but not those that are known by their faces.
ACCOUNTS = frozenset({"auth", "account", "knox", "socialaccount"})
OF_ACCOUNTS = frozenset(
    {"actor_name", "owner_name", "erased_by_name", "recorded_by_name", "withdrawn_by_name"}
)


def find_texts(texts: Iterable[str]) -> dict[str, int]:
    """Count the rows of all tables in which one of these texts stands as words of their own.

    JSON counts as the text that it is stored as. Accounts and copies of their names are left out:
    who has one may have the same name.

    Returns:
        By "app.model.field"; what has none is left out.
    """
    wanted = [text for text in dict.fromkeys(" ".join(t.split()) for t in texts) if text]
    if not wanted:
        return {}
    pattern = _pattern(wanted)
    found: dict[str, int] = {}
    for model in apps.get_models():
        if model._meta.app_label in ACCOUNTS or model._meta.proxy or not model._meta.managed:
            continue
        for field in _text_fields(model):
            count = sum(1 for value in _candidates(model, field, wanted) if pattern.search(value))
            if count:
                found[f"{model._meta.label_lower}.{field.name}"] = count
    return found


def _text_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, TEXTS)
        and not isinstance(field, models.FilePathField)
        and not field.choices
        and field.name not in OF_ACCOUNTS
    ]


def _candidates(
    model: type[models.Model], field: models.Field[Any, Any], texts: Sequence[str]
) -> Iterator[str]:
    """Yield values that hold one of the texts, not necessarily as words."""
    condition = Q()
    for form in _forms(texts):
        condition |= Q(_sought__icontains=form)
    rows = model._default_manager.order_by().annotate(_sought=Cast(field.name, models.TextField()))
    values = rows.filter(condition).values_list("_sought", flat=True)
    yield from (value or "" for value in values[:MOST_ROWS])


def _pattern(texts: Sequence[str]) -> re.Pattern[str]:
    either = "|".join(re.escape(form) for form in _forms(texts))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def _forms(texts: Sequence[str]) -> list[str]:
    """Return texts as they stand in columns and, where that differs, in stored JSON."""
    forms = (form for text in texts for form in (text, json.dumps(text)[1:-1]))
    return list(dict.fromkeys(forms))
