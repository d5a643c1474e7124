"""How allauth's pages act on this installation."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from common.accounts import services
from common.accounts.entrance import mail


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's flows, with our roles, our log and mail that nobody waits for."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell whether people may make accounts themselves."""
        return bool(settings.SIGHTLINE_SIGN_UP)

    def is_ajax(self, request: HttpRequest) -> bool:
        """Never: these are pages; programs have tokens."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: each of our pages says itself what happened."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return whom to count: the address of the connection, as everywhere else."""
        return str(request.META.get("REMOTE_ADDR") or "local")

    def format_email_subject(self, subject: str) -> str:
        """Name the sender."""
        return f"Sightline: {subject.strip()}"

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Make an account that may look at what is shared with it, and that is nothing yet."""
        with transaction.atomic():
            saved = super().save_user(request, user, form, commit=commit)
            services.admit(user=saved)
        return saved

    def set_password(self, user: Any, password: str) -> None:
        """Set a new password, and write it down."""
        services.change_password(user=user, password=password, how="reset by mail")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand a mail to the postman.

        The answer neither waits for the mail server nor tells by its time, or by an error, that
        there was somebody to write to.
        """
        request = current.request
        facts = {"request": request, "email": email, "host": request.get_host(), **context}
        mail.post(self.render_mail(template_prefix, email, facts))
