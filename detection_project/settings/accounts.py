"""Signing in, passwords, cookies, mail."""

from detection_project.settings import env
from detection_project.settings.mail import read_mail_url, read_sender

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
# A user name or an e-mail, and all of Django's permissions.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
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
# Wrong current passwords of somebody who is signed in, and new tokens per person.
SIGHTLINE_PASSWORD_CHECK_LIMIT = (5, 300)
SIGHTLINE_NEW_TOKEN_LIMIT = (20, 3600)
SIGHTLINE_TOKENS_PER_PERSON = 50
# Own names: browsers share the cookies of all ports of a host.
SESSION_COOKIE_NAME = "sightline_session"
CSRF_COOKIE_NAME = "sightline_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# ------------------------------------------------------------------ mail
_mail = read_mail_url(env.text("SIGHTLINE_MAIL_URL"))
SIGHTLINE_MAIL = "EMAIL_HOST" in _mail
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read_sender(env.text("SIGHTLINE_MAIL_FROM"), _mail)
globals().update(_mail)
PASSWORD_RESET_TIMEOUT = 3600

# ------------------------------------------------------------------ allauth
SIGHTLINE_SIGN_UP = env.flag("SIGHTLINE_SIGN_UP")
ACCOUNT_ADAPTER = "common.accounts.entrance.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# Names that would be taken for somebody else.
ACCOUNT_USERNAME_BLACKLIST = ["admin", "administrator", "root", "sightline", "system"]
# Who signs up proves their address where that is possible, and what is proved must be there.
_verified = SIGHTLINE_SIGN_UP and SIGHTLINE_MAIL
ACCOUNT_EMAIL_VERIFICATION = (
    "mandatory" if _verified else ("optional" if SIGHTLINE_MAIL else "none")
)
ACCOUNT_SIGNUP_FIELDS = [
    "username*",
    "email*" if _verified else "email",
    "password1*",
    "password2*",
]
ACCOUNT_CHANGE_EMAIL = True  # the new address replaces the old one when it is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = SIGHTLINE_MAIL
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody sends mail to strangers through us
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    # Our own counters, which forgive the right password and lock nobody out from elsewhere.
    "login": None,
    "login_failed": None,
    "signup": "10/m/ip,50/h/ip",
    "reset_password": "10/m/ip,5/10m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/3m/key",
}
