"""What is logged, and how. No line carries a secret: `common.logs.redaction`."""

from detection_project.settings import env

# "line" for eyes, "json" for programs that collect logs.
SIGHTLINE_LOG_FORMAT = env.choice("SIGHTLINE_LOG_FORMAT", "line", ("line", "json"))
# A line per request: method, path without query, status, time.
SIGHTLINE_ACCESS_LOG = env.flag("SIGHTLINE_ACCESS_LOG")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "common.logs.formatters.LineFormatter"},
        "json": {"()": "common.logs.formatters.JSONFormatter"},
    },
    "filters": {"probes": {"()": "detection_project.health.ExpectedAnswers"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": SIGHTLINE_LOG_FORMAT},
    },
    "root": {"handlers": ["console"], "level": env.text("SIGHTLINE_LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # 4xx answers are the caller's business, not the operator's.
        "django.request": {"level": "ERROR", "filters": ["probes"]},
        "django.security": {"level": "ERROR"},
        "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery": {"level": "WARNING"},
        "sightline.access": {"level": "INFO"},
    },
}
