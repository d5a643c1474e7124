"""Dumping the database as it is at one moment, and putting a dump in its place."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, connections, transaction

from common.backup.errors import BackupError

DUMP_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PROGRAM_FOLDERS = "/usr/lib/postgresql/*/bin"

Row = tuple[Any, ...]

# Also what the dump does not know: tables of a newer version would stand in the way of migrations.
_WIPE = """
DO $$
DECLARE item record;
BEGIN
  FOR item IN SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname = current_schema() LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || item.name || ' CASCADE';
  END LOOP;
  FOR item IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p
    WHERE p.pronamespace = current_schema()::text::regnamespace AND NOT EXISTS
      (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' || item.name || ' CASCADE';
  END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Snapshot:
    """The database at one moment.

    Attributes:
        engine: A key of `DUMP_NAMES`.
        path: The dump.
        query: Reads rows of that very moment.
    """

    engine: str
    path: Path
    query: Callable[[str], list[Row]]


def engine() -> str:
    """Return the kind of the database in use.

    Raises:
        BackupError: It is one that is not known here.
    """
    if connection.vendor not in DUMP_NAMES:
        raise BackupError(f"A database of the kind {connection.vendor} is not backed up from here.")
    return connection.vendor


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """Dump the database into a folder, beside whoever works with it.

    Raises:
        BackupError: It cannot be dumped; the message says what is missing.
    """
    path = folder / DUMP_NAMES[engine()]
    if engine() == "sqlite":
        _copy_sqlite(path)
        with closing(sqlite3.connect(path)) as copy:
            yield Snapshot("sqlite", path, lambda sql: copy.execute(sql).fetchall())
        return
    # The dump and our own reading see the database at the same moment: that of one transaction.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        name = str(cursor.fetchone()[0])
        _dump_postgres(path, name)

        def query(sql: str) -> list[Row]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        yield Snapshot("postgresql", path, query)


def _copy_sqlite(path: Path) -> None:
    with (
        closing(sqlite3.connect(f"{sqlite_path().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        _check_sqlite(target, path)
    path.chmod(0o600)


def _check_sqlite(database: sqlite3.Connection, path: Path) -> None:
    try:
        verdict = database.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupError(f"The database in {path} is damaged: {verdict}.")


def sqlite_path() -> Path:
    """Return where the SQLite database lies."""
    return Path(str(connection.settings_dict["NAME"])).resolve()


def check_dump(kind: str, path: Path) -> None:
    """See whether a dump can be read before anything is replaced by it.

    Raises:
        BackupError: It cannot.
    """
    if kind == "sqlite":
        with closing(sqlite3.connect(path)) as database:
            _check_sqlite(database, path)
        return
    contents = _run([_program("pg_restore"), "--list", str(path)], "read the dump")
    if not re.search(r" TABLE DATA \S+ django_migrations ", contents):
        raise BackupError("The dump in the backup is not one of Sightline's database.")


def close_sqlite() -> None:
    """Close our connections to SQLite and make sure that nobody else has one.

    Raises:
        BackupError: Somebody has.
    """
    connections.close_all()
    path = sqlite_path()
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=2.0)) as database:
        try:
            # Leaving WAL needs the file for oneself alone, and takes the journal away.
            database.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise BackupError(
                "Sightline is running with this database. Stop it, then restore."
            ) from error
        except sqlite3.DatabaseError:
            return  # it is damaged: a good reason to restore
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def restore_postgres(dump: Path) -> None:
    """Replace everything in the database by a dump, in one transaction.

    Raises:
        BackupError: Somebody else is connected, or it failed; nothing was changed then.
    """
    _refuse_company()
    connections.close_all()
    script = dump.with_name("restore.sql")
    _run(
        [
            *(_program("pg_restore"), "--no-owner", "--no-privileges"),
            *(f"--file={script}", str(dump)),
        ],
        "read the dump",
    )
    wipe = dump.with_name("wipe.sql")
    wipe.write_text(_WIPE)
    _run(
        [
            *(_program("psql"), "--no-psqlrc", "--quiet", "--single-transaction"),
            *("--set=ON_ERROR_STOP=1", f"--file={wipe}", f"--file={script}"),
        ],
        "restore the database",
    )


def _refuse_company() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        others = int(cursor.fetchone()[0])
    if others:
        raise BackupError(
            f"{others} other connection{'s are' if others > 1 else ' is'} open to this database. "
            "Stop the web servers and workers, then restore."
        )


def _dump_postgres(path: Path, snapshot_name: str) -> None:
    program = _program("pg_dump")
    _require_fitting(program)
    _run(
        [
            *(program, "--format=custom", "--no-owner", "--no-privileges", "--no-password"),
            *(f"--snapshot={snapshot_name}", f"--file={path}"),
        ],
        "dump the database",
    )
    path.chmod(0o600)


def _require_fitting(program: str) -> None:
    said = _run([program, "--version"], "ask pg_dump for its version")
    found = re.search(r"(\d+)[.\d]*", said)
    server = int(connection.cursor().connection.info.server_version) // 10000
    if found and int(found.group(1)) < server:
        raise BackupError(
            f"pg_dump {found.group(1)} is older than the server, PostgreSQL {server}. Install "
            f"its client: apt-get install postgresql-client-{server}"
        )


def _program(name: str) -> str:
    """Find a client program; the newest where there are several."""
    installed = sorted(
        Path("/").glob(PROGRAM_FOLDERS.lstrip("/") + f"/{name}"),
        key=lambda path: int(re.sub(r"\D", "", path.parent.parent.name) or 0),
    )
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not installed; it comes with PostgreSQL's client: "
            "apt-get install postgresql-client"
        )
    return found


def _run(command: list[str], purpose: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        command, env={**os.environ, **_environment()}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BackupError(f"{Path(command[0]).name} could not {purpose}: {' '.join(said[:3])}")
    return done.stdout


def _environment() -> dict[str, str]:
    """How PostgreSQL's programs are led to our database; the password is on no command line."""
    given = connection.settings_dict
    variables = {
        "PGHOST": given.get("HOST"),
        "PGPORT": given.get("PORT"),
        "PGUSER": given.get("USER"),
        "PGPASSWORD": given.get("PASSWORD"),
        "PGDATABASE": given.get("NAME"),
    }
    names = ("sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile")
    options = given.get("OPTIONS", {})
    variables |= {f"PG{name.upper()}": options.get(name) for name in names}
    return {name: str(value) for name, value in variables.items() if value}
