"""One process or many: Redis, PostgreSQL, Celery, Channels."""

from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from detection_project.settings import env
from detection_project.settings.folders import DATA_DIR

REDIS_URL = env.address("REDIS_URL", ("redis", "rediss", "unix"), "redis://:password@host:6379/0")
DATABASE_URL = env.address(
    "DATABASE_URL",
    ("postgres", "postgresql", "sqlite"),
    "postgres://name:password@host:5432/database",
)
# Where /api/detect/ is answered: in this process, or by the workers (needs REDIS_URL).
INFERENCE = env.choice("INFERENCE", "local", ("local", "worker"))
SIGHTLINE_INFERENCE_WAIT_SECONDS = 30.0
# So many pictures, and so many bytes of them, may wait for the workers at once.
SIGHTLINE_INFERENCE_QUEUE = env.whole("SIGHTLINE_INFERENCE_QUEUE", 500)
SIGHTLINE_INFERENCE_QUEUE_BYTES = env.whole("SIGHTLINE_INFERENCE_QUEUE_BYTES", 512 * 1024 * 1024)
# Pictures that a worker looks at beside its jobs at once; 0: as many as keep its engine busy.
SIGHTLINE_INFERENCE_THREADS = env.whole("SIGHTLINE_INFERENCE_THREADS", 0, minimum=0)


def channel_prefix(url: str) -> str:
    """Return a prefix for messages that names the database: Redis delivers to all of them."""
    return f"sightline-{urlsplit(url).path.strip('/') or 0}-"


DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)
    if DATABASE_URL
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        "CONN_MAX_AGE": 60,  # request threads are kept: detection_project.request_threads
        "OPTIONS": {
            "timeout": 20,
            # A transaction that starts by reading and then writes fails at once when another
            # one wrote meanwhile; IMMEDIATE waits for its turn instead.
            "transaction_mode": "IMMEDIATE",
            "init_command": ("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"),
        },
    }
}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        # A server that has silently gone is noticed within half a minute, not in two hours.
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        # Compiling a query takes longer than any of ours takes to run.
        "options": "-c jit=off",
        **DATABASES["default"].get("OPTIONS", {}),  # what stands in the address counts more
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "common.cache.ResilientRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "sightline",
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# Longer than any job may take: what a worker has not begun by then goes to another one. The Job row
# knows what is to be done long before.
VISIBILITY_SECONDS = 6 * 3600
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.005}  # the default of 1 s is felt
    if not REDIS_URL
    else {
        "global_keyprefix": "sightline:",
        "visibility_timeout": VISIBILITY_SECONDS,
        # Whoever asks for work must not wait for a broker that is away: one try, given up soon.
        "socket_connect_timeout": 1,
        "socket_timeout": 1,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "max_retries": 0,
        "connect_retries_timeout": 1,
    }
)
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker never gives up its broker
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_TIMER_PRECISION = 1.0
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
SIGHTLINE_QUEUES = ["inference", "default", "videos", "styles"]
SIGHTLINE_JOB_LEASE_SECONDS = 15.0
SIGHTLINE_SWEEP_SECONDS = 10.0
SIGHTLINE_HEARTBEAT_SECONDS = 10.0
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        # A page that stops reading loses messages beyond this; it never grows the process. By
        # default a page that is open for a day is dropped from its groups.
        "CONFIG": {"capacity": 2000, "expiry": 120, "group_expiry": 10 * 365 * 86400},
    }
    if not REDIS_URL
    else {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": 2, "socket_timeout": 5}],
            "prefix": channel_prefix(REDIS_URL),
        },
    }
}
