"""People: their role, their groups, when they last came, and what to do about their account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress, EmailConfirmation
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from common.accounts.administration import (
    delete_account,
    keep_reason,
    others_sessions,
    require_another_administrator,
    send_password_reset,
    set_role,
    sign_out_everywhere,
    switch_account,
)
from common.accounts.roles import role_of
from common.admin import ListAdmin, act_on_each
from common.errors import ServiceError
from common.models import Account, Job, Upload
from detector.models import DetectionSession

assert allauth_admin  # it has registered its pages by now
for model in (User, EmailAddress, EmailConfirmation):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

ROLE_LABELS = {"administrator": "danger", "operator": "info", "viewer": "default"}


class RoleForm(forms.ModelForm):
    """Asks for the role beside what Django asks for."""

    role = forms.ChoiceField(
        choices=Account.Role.choices,
        initial=Account.Role.VIEWER,
        widget=UnfoldAdminSelectWidget,
        help_text="Administrators run the installation, operators upload and detect, viewers look "
        "at what is shared with their groups.",
    )


class NewPersonForm(RoleForm, UserCreationForm):  # type: ignore[misc]
    """A new account."""


class PersonForm(RoleForm, UserChangeForm):  # type: ignore[misc]
    """An account that exists."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields and self.instance.pk:
            self.fields["role"].initial = _role(self.instance)

    def clean_role(self) -> str:
        """Refuse to leave the installation without an administrator."""
        role: str = self.cleaned_data["role"]
        if role != Account.Role.ADMINISTRATOR:
            try:
                require_another_administrator(self.instance)
            except ServiceError as error:
                raise ValidationError(error.message) from error
        return role


class RoleFilter(admin.SimpleListFilter):
    """By role, whether it stands in the account or follows from being a superuser."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The roles that there are."""
        return [(value, str(label)) for value, label in Account.Role.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """Those who have it."""
        role = self.value()
        if role == Account.Role.ADMINISTRATOR:
            return queryset.filter(is_superuser=True)
        if role == Account.Role.VIEWER:  # also who has no role at all
            return queryset.filter(is_superuser=False).exclude(account__role="operator")
        return queryset.filter(account__role=role) if role else queryset


@admin.register(User)
class PersonAdmin(DjangoUserAdmin, ListAdmin):  # type: ignore[misc, type-arg]
    """Accounts. Switching one off is kinder than deleting it: results stay with their sessions."""

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    heading = "People"
    list_display = ("username", "email", "role_label", "is_active", "last_login", "date_joined")
    list_filter = ("is_active", RoleFilter, ("last_login", RangeDateTimeFilter))
    list_select_related = ("account",)
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    autocomplete_fields = ("groups",)
    filter_horizontal = ()
    readonly_fields = ("is_active", "last_login", "date_joined")
    actions = ("switch_off", "switch_on", "sign_out", "reset_password")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "groups")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Account", {"fields": ("is_active", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "role", "password1", "password2")}),)

    @display(description="role", label=ROLE_LABELS)
    def role_label(self, user: User) -> tuple[str, str]:
        """In colour; superusers are administrators, and who has no role is a viewer."""
        role = _role(user)
        return role.value, str(role.label)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, and give the role as the service does."""
        super().save_model(request, obj, form, change)
        if "role" in form.cleaned_data:
            set_role(user=obj, role=form.cleaned_data["role"])

    def get_actions(self, request: HttpRequest) -> Any:
        """Mail is offered where there is some; many are not deleted at once."""
        offered = super().get_actions(request)
        offered.pop("delete_selected", None)
        if not settings.SIGHTLINE_MAIL:
            offered.pop("reset_password", None)
        return offered

    @action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """They may do nothing then, and are signed out."""
        actor = request.user
        act_on_each(
            *(request, queryset, lambda user: switch_account(actor=actor, user=user, on=False)),
            done="switched off",
        )

    @action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let them in again."""
        actor = request.user
        act_on_each(
            *(request, queryset, lambda user: switch_account(actor=actor, user=user, on=True)),
            done="switched on",
        )

    @action(description="Sign out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End their browser sessions and delete their tokens."""
        actor = request.user
        act_on_each(
            *(request, queryset, lambda user: sign_out_everywhere(actor=actor, user=user)),
            done="signed out, tokens included",
        )

    @action(description="Send a password reset", permissions=["change"])
    def reset_password(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Send the mail with which they choose a new password."""
        act_on_each(
            *(request, queryset, lambda user: send_password_reset(request=request, user=user)),
            done="sent",
            limit=50,
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what goes along in numbers: it may be a hundred thousand rows."""
        listed, protected = [], []
        counts = {"sessions": 0, "pictures": 0, "jobs": 0}
        for user in objs:
            own = {
                "sessions": DetectionSession.objects.filter(owner=user).count(),
                "pictures": Upload.objects.filter(owner=user).count(),
                "jobs": Job.objects.filter(owner=user).count(),
            }
            listed.append(f"{user}: " + ", ".join(f"{count} {name}" for name, count in own.items()))
            counts = {name: counts[name] + count for name, count in own.items()}
            if others_sessions(user).exists():
                protected.append(keep_reason(user))
        return listed, {"people": len(listed), **counts}, set(), protected

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Delete; a reason against it is a message on the page, not an error page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ServiceError as error:
            messages.error(request, error.message)
            return self.response_post_save_change(request, self.get_object(request, object_id))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete as the service does."""
        delete_account(actor=request.user, user=obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the role, which every row shows."""
        return super().get_queryset(request).select_related("account")


def _role(user: User) -> Account.Role:
    """The role as it will be once the account is switched on."""
    if user.is_active:
        return role_of(user) or Account.Role.VIEWER
    if user.is_superuser:
        return Account.Role.ADMINISTRATOR
    account: Account | None = getattr(user, "account", None)
    return Account.Role(account.role) if account is not None else Account.Role.VIEWER
