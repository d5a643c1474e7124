"""Groups: who is in them, which is all that they are for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import SELECT_CLASSES

from common.admin import ListAdmin

admin.site.unregister(Group)


class GroupForm(forms.ModelForm):
    """A name, and the members as names that are looked up while one types."""

    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.all(),
        required=False,
        help_text="They see what is shared with this group; operators among them may run it again.",
        widget=AutocompleteSelectMultiple(
            User.groups.through._meta.get_field("user"),
            admin.site,
            attrs={"class": " ".join(SELECT_CLASSES)},
        ),
    )

    class Meta:
        model = Group
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["members"].initial = self.instance.user_set.all()


@admin.register(Group)
class GroupAdmin(ListAdmin):
    """Groups that sessions are shared with."""

    form = GroupForm
    fields = ("name", "members")
    list_display = ("name", "member_count")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With the number of members."""
        return super().get_queryset(request).annotate(members_number=Count("user"))

    @display(description="members", ordering="members_number")
    def member_count(self, group: Any) -> int:
        """How many people are in it."""
        return int(group.members_number)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Say who is in it; who leaves sees no more of what is shared with it."""
        super().save_related(request, form, formsets, change)
        form.instance.user_set.set(form.cleaned_data["members"])
