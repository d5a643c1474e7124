"""What the views of people share: who may come in, whom they find, how a body is read."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpResponseBase
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from common.accounts.roles import LOOK_ONLY, may_create
from common.api.pagination import CursorPages
from common.media import serve_file
from common.permissions import Verb, get_visible_or_404
from recognition.errors import InvalidError
from recognition.models import FaceSample, Profile
from recognition.services.auditing import note_people_listed, note_person_viewed

Body = TypeVar("Body", bound=serializers.BaseSerializer[Any])

MOST_SAMPLES = 500


class MayWorkWithPeople(BasePermission):
    """Operators and administrators; viewers see nobody."""

    code = "not_allowed_to_create"
    message = LOOK_ONLY

    def has_permission(self, request: Any, view: Any) -> bool:
        """Say whether the request may go on."""
        return may_create(request.user)


class PeopleView(APIView):
    """Base of all views about people."""

    permission_classes = [IsAuthenticated, MayWorkWithPeople]

    def person(self, request: Request, pk: UUID, verb: Verb = "view") -> Profile:
        """Return a person to do `verb` to them.

        Raises:
            Http404: There is none.
            PermissionDenied: The caller may look at them, but not do that.
        """
        return get_visible_or_404(request.user, Profile.objects.all(), verb=verb, pk=pk)


class NewestPages(CursorPages):
    """Pages of 50, the newest first."""

    ordering = ("-created_at", "-id")
    max_page_size = 200


class AuditedList:
    """A mixin for lists: each page that is shown is one line of the audit log."""

    listed = "people"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return one page, and write down that it was looked at."""
        answer = super().list(request, *args, **kwargs)  # type: ignore[misc]
        count = len(answer.data["results"])
        pk = kwargs.get("pk")
        if pk is None:
            note_people_listed(actor=request.user, count=count, what=self.listed)
        else:
            note_person_viewed(actor=request.user, profile_id=pk, what=self.listed)
        return answer


def read_body(kind: type[Body], request: Request) -> dict[str, Any]:
    """Judge a body; what is wrong is told per field."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data  # type: ignore[attr-defined]
    return values


def read_picture(request: Request) -> tuple[bytes, str]:
    """Return the one picture of a multipart body as bytes, and its name.

    Raises:
        InvalidError: ``missing_image`` or ``too_many_files``.
    """
    files = request.FILES.getlist("image")
    if not files:
        raise InvalidError({"image": "Send a picture as multipart field image."}, "missing_image")
    if len(files) > 1:
        raise InvalidError({"image": "Send one picture in a request."}, "too_many_files")
    (file,) = files
    return file.read(), file.name or ""


def find_other(request: Request, pk: UUID, *, field: str, verb: Verb = "change") -> Profile:
    """Return a person that a body names.

    Raises:
        InvalidError: ``unknown_person``.
    """
    try:
        return get_visible_or_404(request.user, Profile.objects.all(), verb=verb, pk=pk)
    except Http404:
        raise InvalidError({field: "There is no such person."}, "unknown_person") from None


def find_samples(profile: Profile, ids: list[UUID]) -> list[FaceSample]:
    """Return the samples of a person that a body names.

    Raises:
        InvalidError: ``unknown_sample``: one of them is not there, or somebody else's.
    """
    found = {sample.pk: sample for sample in profile.samples.filter(pk__in=ids)}
    missing = [str(pk) for pk in ids if pk not in found]
    if missing:
        text = f"This person has no sample {missing[0]}."
        raise InvalidError({"samples": text}, "unknown_sample")
    return list(found.values())


def send_face(request: Request, file: FieldFile, name: str) -> HttpResponseBase:
    """Answer with the picture of a face; nobody keeps it, so that it is gone when it is erased.

    Raises:
        Http404: There is none.
    """
    if not file:
        raise Http404("There is no picture.")
    answer = serve_file(request._request, file=file, media_type="image/jpeg", filename=name)
    answer["Cache-Control"] = "private, no-store"
    return answer
