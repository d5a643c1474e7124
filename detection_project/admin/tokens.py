"""API tokens: what each is for, what it may do, when it was last used."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from knox import admin as knox_admin
from knox.models import AuthToken
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

from common.accounts.services import LONGEST_TOKEN_DAYS, create_token, revoke_token
from common.admin import ListAdmin, act_on_each
from common.errors import ServiceError
from common.models import TokenDetails

assert knox_admin  # it has registered its page by now
admin.site.unregister(AuthToken)


class NewTokenForm(forms.ModelForm):
    """Whose, what for, and for how long."""

    name = forms.CharField(max_length=100, widget=TextInput, help_text="What it is for.")
    scope = forms.ChoiceField(choices=TokenDetails.Scope.choices, widget=UnfoldAdminSelectWidget)
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_TOKEN_DAYS,
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long it lives.",
    )

    class Meta:
        model = AuthToken
        fields = ("user",)


@admin.register(AuthToken)
class TokenAdmin(ListAdmin):
    """API tokens. A new one is shown once, in the message after saving; it is stored nowhere."""

    form = NewTokenForm
    heading = "API tokens"
    list_display = ("named", "user", "scope", "begins", "last_used", "created", "expiry")
    list_display_links = None
    list_filter = ("details__scope", ("expiry", RangeDateTimeFilter))
    list_select_related = ("user", "details")
    search_fields = ("details__name", "token_key__startswith", "user__username")
    autocomplete_fields = ("user",)
    ordering = ("-created",)
    actions = ("revoke",)
    fields = ("user", "name", "scope", "days")

    @display(description="name", ordering="details__name")
    def named(self, token: AuthToken) -> str:
        """What it is for."""
        details = _details(token)
        return details.name if details else "–"  # noqa: RUF001

    @display(description="scope", label={"read": "info", "write": "warning"})
    def scope(self, token: AuthToken) -> tuple[str, str]:
        """What programs may do with it; without details, look."""
        details = _details(token)
        value = TokenDetails.Scope(details.scope) if details else TokenDetails.Scope.READ
        return value.value, str(value.label)

    @display(description="begins")
    def begins(self, token: AuthToken) -> str:
        """The characters by which its owner knows it."""
        return f"{token.token_key}…"

    @display(description="last used", ordering="details__last_used_at")
    def last_used(self, token: AuthToken) -> Any:
        """When a program last came with it."""
        details = _details(token)
        return details.last_used_at if details else None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token is made and revoked, not changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is revoked, which is written down."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may look at all tokens may revoke them."""
        return self.has_view_permission(request)

    @action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Programs that use them are refused within seconds."""
        actor = request.user
        act_on_each(
            *(request, queryset, lambda token: revoke_token(actor=actor, token=token)),
            done="revoked",
        )

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> AuthToken:
        """Make the token as the account page does, and show it once."""
        given = form.cleaned_data
        token, text = create_token(
            owner=given["user"],
            name=given["name"],
            scope=given["scope"],
            days=given["days"],
            actor=request.user,
        )
        messages.warning(
            request, format_html("Copy it now, it is shown only once: <code>{}</code>", text)
        )
        return token

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is left to do: it is made in `save_form`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing is related to it but its details, which are made with it."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Make one; where the owner has too many, that is a message and not an error page."""
        try:
            return super().add_view(request, form_url, extra_context)
        except ServiceError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.path)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Back to the list; Django's own message would name the digest."""
        return self.response_post_save_add(request, obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has written it down; Django would write the key of the row, a digest."""


def _details(token: AuthToken) -> TokenDetails | None:
    return getattr(token, "details", None)
