"""Lets the end of a transactional test empty the audit log, which its triggers refuse to all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from unittest.mock import patch

from django.db.backends.base.operations import BaseDatabaseOperations

TABLE = "common_auditentry"


@contextmanager
def audit_log_may_be_flushed() -> Iterator[None]:
    """Have each flush take the triggers away and bring them back, in its own transaction."""
    migration = import_module("common.migrations.0003_audit_log")
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(operations: BaseDatabaseOperations, statements: Sequence[str]) -> None:
        if any(TABLE in statement for statement in statements):
            vendor = operations.connection.vendor
            statements = [*migration.ALLOW[vendor], *statements, *migration.FORBID[vendor]]
        flush(operations, statements)

    with patch.object(BaseDatabaseOperations, "execute_sql_flush", flush_all):
        yield
