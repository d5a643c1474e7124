"""The end of a transactional test: all tables but those that never change are emptied.

Django's own flush empties content types and permissions too, and writes them anew, which takes
twenty times as long as the rest. Here they stay; the styles that come along are brought back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, Final
from unittest.mock import patch

from django.core.management.commands import flush
from django.db.backends.base.operations import BaseDatabaseOperations

from styletransfer.services.built_in import install_styles

AUDIT_LOG: Final = "common_auditentry"
KEPT: Final = frozenset({"django_content_type", "auth_permission"})


@contextmanager
def quick_flushes() -> Iterator[None]:
    """Flush what tests change, also the audit log, which its triggers protect from all."""
    with ExitStack() as stack:
        for owner, name, replacement in (
            (flush, "sql_flush", _statements),
            (flush, "emit_post_migrate_signal", _bring_back),
            (BaseDatabaseOperations, "execute_sql_flush", _execute),
        ):
            stack.enter_context(patch.object(owner, name, replacement))
        yield


def _statements(style: Any, connection: Any, **options: Any) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # PostgreSQL's TRUNCATE makes new files of a hundred tables; few have rows, and foreign keys are
    # looked at when the transaction ends.
    names = (connection.ops.quote_name(table) for table in tables if table not in KEPT)
    return [f"DELETE FROM {name};" for name in names]


def _bring_back(verbosity: int, interactive: bool, database: str) -> None:
    install_styles(using=database)


_execute_all = BaseDatabaseOperations.execute_sql_flush


def _execute(operations: BaseDatabaseOperations, statements: Sequence[str]) -> None:
    if any(AUDIT_LOG in statement for statement in statements):
        migration = import_module("common.migrations.0003_audit_log")
        vendor = operations.connection.vendor
        statements = [*migration.ALLOW[vendor], *statements, *migration.FORBID[vendor]]
    _execute_all(operations, statements)
