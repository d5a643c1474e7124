"""Settings behind a proxy that speaks HTTPS with the world.

Needs `SIGHTLINE_ALLOWED_HOSTS`; secrets come from the environment or from the data folder.
"""

from django.core.exceptions import ImproperlyConfigured

from detection_project.settings import env
from detection_project.settings.base import *  # noqa: F403

DEBUG = False
ALLOWED_HOSTS = env.items("SIGHTLINE_ALLOWED_HOSTS")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "SIGHTLINE_ALLOWED_HOSTS must name the hosts that are answered, e.g. cam.example.org"
    )
CSRF_TRUSTED_ORIGINS = env.items("SIGHTLINE_TRUSTED_ORIGINS") or [
    f"https://{host.lstrip('.') if not host.startswith('.') else '*' + host}"
    for host in ALLOWED_HOSTS
    if host != "*"
]

# The proxy must set this header itself and drop what the caller sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SIGHTLINE_SSL_REDIRECT", True)
# Probes reach the process without the proxy.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.whole("SIGHTLINE_HSTS_SECONDS", 365 * 24 * 3600, minimum=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SIGHTLINE_HSTS_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = env.flag("SIGHTLINE_HSTS_PRELOAD", True)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# __Host- binds the cookie to this very host and to HTTPS.
SESSION_COOKIE_NAME = "__Host-sightline_session"
CSRF_COOKIE_NAME = "__Host-sightline_csrf"
