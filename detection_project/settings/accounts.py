"""Signing in, passwords, cookies, mail."""

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Wrong passwords: (attempts, seconds) per address and name, and per address alone.
SIGHTLINE_SIGN_IN_LIMIT = (5, 300)
SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS = (50, 300)
# Own names: browsers share the cookies of all ports of a host.
SESSION_COOKIE_NAME = "sightline_session"
CSRF_COOKIE_NAME = "sightline_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
