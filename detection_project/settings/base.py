"""Settings of an embedded Sightline: one process on one machine, nothing to configure.

Everything that differs between machines is an environment variable; `.env.example` lists them.
"""

from datetime import timedelta

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from detection_project.keys import load_keys
from detection_project.settings import env
from detection_project.settings.accounts import *  # noqa: F403
from detection_project.settings.admin import *  # noqa: F403
from detection_project.settings.folders import *  # noqa: F403
from detection_project.settings.folders import BASE_DIR, DATA_DIR
from detection_project.settings.logs import *  # noqa: F403
from detection_project.settings.servers import *  # noqa: F403
from detection_project.settings.storage import *  # noqa: F403
from detection_project.settings.storage import MEDIA_STORAGE

# ------------------------------------------------------------------ secrets and hosts
DEBUG = env.flag("SIGHTLINE_DEBUG")
_keys_given = env.text("SIGHTLINE_SECRET_KEY") and env.text("SIGHTLINE_FIELD_KEY")
_keys = {} if _keys_given else load_keys(DATA_DIR)
SECRET_KEY: str = env.text("SIGHTLINE_SECRET_KEY") or _keys["secret_key"]
SECRET_KEY_FALLBACKS = env.items("SIGHTLINE_SECRET_KEY_FALLBACKS")
SIGHTLINE_FIELD_KEY: str = env.text("SIGHTLINE_FIELD_KEY") or _keys["field_key"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env.items("SIGHTLINE_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = env.items("SIGHTLINE_TRUSTED_ORIGINS")

# ------------------------------------------------------------------ Sightline itself
SIGHTLINE_DEFAULT_MODEL = env.text("SIGHTLINE_DEFAULT_MODEL", "yolov8n")
SIGHTLINE_DEFAULT_SEGMENT_MODEL = env.text("SIGHTLINE_DEFAULT_SEGMENT_MODEL", "yolov8n-seg")
SIGHTLINE_BACKEND = env.text("SIGHTLINE_BACKEND", "auto")
SIGHTLINE_DEVICE = env.text("SIGHTLINE_DEVICE", "auto")
SIGHTLINE_PRECISION = env.text("SIGHTLINE_PRECISION", "auto")
SIGHTLINE_THREADS = env.whole("SIGHTLINE_THREADS", 0, minimum=0) or None
SIGHTLINE_ALLOW_DOWNLOADS = env.flag("SIGHTLINE_ALLOW_DOWNLOADS", True)
SIGHTLINE_OPEN_DETECT = env.flag("SIGHTLINE_OPEN_DETECT")
SIGHTLINE_WORKER_THREADS = env.whole("SIGHTLINE_WORKER_THREADS", 3)
# Videos that a worker analyses at once, beside its other work.
SIGHTLINE_VIDEO_JOBS = env.whole("SIGHTLINE_VIDEO_JOBS", 1)
SIGHTLINE_TEST_DATA = env.folder("SIGHTLINE_TEST_DATA")
VISION_WEIGHTS_DIR = env.folder("VISION_WEIGHTS_DIR")
MODELS_DIR = DATA_DIR / "models"

# ------------------------------------------------------------------ cameras
# The model that looks at cameras which name none.
SIGHTLINE_LIVE_MODEL = env.text("SIGHTLINE_LIVE_MODEL") or SIGHTLINE_DEFAULT_MODEL
# Longer side of what that model sees, in pixels, a multiple of 32; 0: the model's own.
_sizes = ("0", *map(str, range(160, 1312, 32)))
SIGHTLINE_LIVE_INPUT_SIZE = int(env.choice("SIGHTLINE_LIVE_INPUT_SIZE", "0", _sizes)) or None
# Where the files of looping cameras lie.
SIGHTLINE_CAMERA_FILES = env.folder("SIGHTLINE_CAMERA_FILES") or DATA_DIR / "cameras"
# Hosts, addresses and networks that cameras may have although they are otherwise refused: those
# of this machine, link-local ones and those of clouds' metadata.
SIGHTLINE_CAMERA_HOSTS = env.items("SIGHTLINE_CAMERA_HOSTS")
# Authorities, beside the usual ones, that may vouch for cameras over https and rtsps (a PEM file).
SIGHTLINE_CAMERA_CERTIFICATES = env.folder("SIGHTLINE_CAMERA_CERTIFICATES")
# Cameras that one runner looks at, at most; 0: as many as there are.
SIGHTLINE_CAMERAS_PER_RUNNER = env.whole("SIGHTLINE_CAMERAS_PER_RUNNER", 0, minimum=0)
# Whether `serve` looks at cameras, too; 0 where `run_cameras` does.
SIGHTLINE_RUN_CAMERAS = env.flag("SIGHTLINE_RUN_CAMERAS", True)
SIGHTLINE_CAMERA_LEASE_SECONDS = 8.0
# Events, their pictures and the tracks of cameras are kept for so many days; 0: for ever.
SIGHTLINE_EVENT_DAYS = env.whole("SIGHTLINE_EVENT_DAYS", 30, minimum=0)

# ------------------------------------------------------------------ uploads
MIB = 1024 * 1024
SIGHTLINE_MAX_UPLOAD_BYTES = env.whole("SIGHTLINE_MAX_UPLOAD_BYTES", 50 * MIB)
SIGHTLINE_MAX_PIXELS = env.whole("SIGHTLINE_MAX_PIXELS", 80_000_000)
SIGHTLINE_MAX_FILES_PER_REQUEST = env.whole("SIGHTLINE_MAX_FILES_PER_REQUEST", 200)
SIGHTLINE_MAX_REQUEST_BYTES = env.whole("SIGHTLINE_MAX_REQUEST_BYTES", 256 * MIB)
# A ZIP of people's photos, and what is in it.
SIGHTLINE_MAX_IMPORT_BYTES = env.whole("SIGHTLINE_MAX_IMPORT_BYTES", 1024 * MIB)
SIGHTLINE_MAX_VIDEO_BYTES = env.whole("SIGHTLINE_MAX_VIDEO_BYTES", 4096 * MIB)
SIGHTLINE_MAX_VIDEO_SECONDS = env.whole("SIGHTLINE_MAX_VIDEO_SECONDS", 4 * 3600)
SIGHTLINE_MAX_VIDEO_PIXELS = env.whole("SIGHTLINE_MAX_VIDEO_PIXELS", 4096 * 2304)
# The longest body per path prefix, judged before it is read; the first that fits counts. Without
# the last slash: who forgets it is led to the right address, not told that the file is too large.
SIGHTLINE_BODY_LIMITS = [
    ("/api/detect", SIGHTLINE_MAX_REQUEST_BYTES),
    ("/api/segment", SIGHTLINE_MAX_REQUEST_BYTES),
    ("/api/sessions", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/sessions/create", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/api/recognize", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/api/people/import", SIGHTLINE_MAX_IMPORT_BYTES + MIB),
    ("/api/people", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/people/import", SIGHTLINE_MAX_IMPORT_BYTES + MIB),
    ("/people", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/api/styles", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/styles", SIGHTLINE_MAX_UPLOAD_BYTES + MIB),
    ("/", 5 * MIB),
]
# These very addresses, and none below them, take as much as a video may have.
SIGHTLINE_VIDEO_PATHS = [
    *("/api/videos", "/api/videos/", "/videos/create", "/videos/create/"),
    *("/api/style", "/api/style/", "/styles/create", "/styles/create/"),
]
# A picture within the limit stays in memory from socket to decoder.
FILE_UPLOAD_MAX_MEMORY_SIZE = SIGHTLINE_MAX_UPLOAD_BYTES + MIB
# What is larger goes where it can be moved to its place, and never into a /tmp in memory.
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "work"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * MIB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
DATA_UPLOAD_MAX_NUMBER_FILES = 500

# ------------------------------------------------------------------ applications
INSTALLED_APPS = [
    "detection_project",  # first: its runserver replaces staticfiles'
    "video_analysis",
    "video_analysis.cameras",
    "video_analysis.retail",
    "detector",
    "recognition",
    "styletransfer",
    "common",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "detection_project.apps.SightlineAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "allauth",
    "allauth.account",
    "csp",
    "channels",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
# Every entry works on the event loop without a thread of its own (detection_project.middleware).
MIDDLEWARE = [
    "detection_project.request_context.RequestContextMiddleware",
    "detection_project.middleware.SecurityMiddleware",
    "detection_project.middleware.PolicyMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "detection_project.middleware.SessionMiddleware",
    "detection_project.middleware.CommonMiddleware",
    "detection_project.middleware.CsrfViewMiddleware",
    "detection_project.middleware.AuthenticationMiddleware",
    "detection_project.middleware.MessageMiddleware",
    "detection_project.middleware.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "detection_project.middleware.RateLimitMiddleware",
]
# Django looks for its own middlewares by name and does not see that ours are subclasses of them.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
ROOT_URLCONF = "detection_project.urls"
ASGI_APPLICATION = "detection_project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ------------------------------------------------------------------ headers
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        # 'self' covers ws: and wss: of the same host in every current browser.
        "connect-src": [SELF],
        "media-src": [SELF, "blob:"],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
# unfold's Alpine evaluates expressions and writes style attributes: looser there, and there only.
SIGHTLINE_ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}
# The API's page is made by swagger-ui, whose template carries a style element.
SIGHTLINE_DOCS_POLICY = {"style-src": [SELF, UNSAFE_INLINE]}

# ------------------------------------------------------------------ static files
STATIC_URL = "/static/"
STATIC_ROOT = env.folder("SIGHTLINE_STATIC_ROOT") or BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": MEDIA_STORAGE,
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "detection_project.static.HashedStaticStorage"
        )
    },
}
SERVESTATIC_USE_FINDERS = DEBUG
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_MAX_AGE = 0 if DEBUG else 3600

# ------------------------------------------------------------------ language and time
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.text("TZ", "UTC").removeprefix(":")

# ------------------------------------------------------------------ REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "common.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "common.api.parsers.BoundedJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "common.api.pagination.NewestFirstPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttles.CallerThrottle"],
    # Callers are told apart by the address of their connection: X-Forwarded-For is whatever they
    # write, unless the server has read it from a proxy that it trusts.
    "NUM_PROXIES": 0,
    "DEFAULT_THROTTLE_RATES": {
        "user": env.text("SIGHTLINE_USER_RATE", "60000/min"),
        "token": env.text("SIGHTLINE_TOKEN_RATE") or env.text("SIGHTLINE_USER_RATE", "60000/min"),
        "anon": env.text("SIGHTLINE_ANON_RATE", "120/min"),
    },
    "EXCEPTION_HANDLER": "common.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,  # ?format= names an export, not a renderer
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105 - the name of a model
REST_KNOX = {"TOKEN_TTL": timedelta(days=90), "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sightline",
    "DESCRIPTION": "Pictures in, objects, faces and paintings out; videos in, tracks, motion and "
    "activities out.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Subjects first: nobody reads two hundred operations from the top.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "PersonKindEnum": "recognition.models.Profile.Kind",
        "SampleSourceEnum": "recognition.models.FaceSample.Source",
        "SourceEnum": "detector.models.DetectionSession.Source",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.api.schema.add_common_errors",
    ],
}
