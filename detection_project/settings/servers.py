"""One process or many: Redis, PostgreSQL, Celery, Channels."""

import dj_database_url

from detection_project.settings import env
from detection_project.settings.folders import DATA_DIR

REDIS_URL = env.text("REDIS_URL")
DATABASE_URL = env.text("DATABASE_URL")
# Where /api/detect/ is answered: in this process, or by the workers (needs REDIS_URL).
INFERENCE = env.choice("INFERENCE", "local", ("local", "worker"))

DATABASES = {
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

CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.005}  # the default of 1 s is felt
    if not REDIS_URL
    else {"global_keyprefix": "sightline:", "socket_connect_timeout": 2, "socket_timeout": 10}
)
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
SIGHTLINE_QUEUES = ["inference", "default"]
SIGHTLINE_JOB_LEASE_SECONDS = 15.0
SIGHTLINE_SWEEP_SECONDS = 10.0
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
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "sightline", "capacity": 2000},
    }
}
