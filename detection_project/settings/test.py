"""Settings of the tests: a data folder of their own per process, real WAL files, no network."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Each process of a parallel run has its own folder: they share no file but the weights.
_data = Path(tempfile.mkdtemp(prefix="sightline-test-"))
_owner = os.getpid()


def _remove() -> None:
    if os.getpid() == _owner:  # a forked child leaves its parent's folder alone
        shutil.rmtree(_data, ignore_errors=True)


atexit.register(_remove)
os.environ["SIGHTLINE_DATA_DIR"] = str(_data)
os.environ["SIGHTLINE_SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["SIGHTLINE_FIELD_KEY"] = "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg="
os.environ.setdefault("SIGHTLINE_ALLOW_DOWNLOADS", "0")

# Parallel runs share one Redis server, not one of its databases.
_number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw") or "0"
if os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rpartition("/")[0] + f"/{_number}"

from detection_project.settings.base import *  # noqa: E402, F403
from detection_project.settings.base import DATABASE_URL, DATABASES, STORAGES  # noqa: E402

DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1", "[::1]"]
# A file, not memory: threads must meet the same locks as in the real thing.
if not DATABASE_URL:
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 0  # no connection outlives the test that opened it
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Hashed names need a collected folder; the tests of `setup` make one for themselves.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Each client of a test would look for all static files again, which took half of a test's time.
SERVESTATIC_USE_FINDERS = SERVESTATIC_USE_STATIC_ROOT = SERVESTATIC_AUTOREFRESH = False
# Leases run out and sweeps happen within a test's patience.
SIGHTLINE_JOB_LEASE_SECONDS = 2.0
SIGHTLINE_SWEEP_SECONDS = 0.5
