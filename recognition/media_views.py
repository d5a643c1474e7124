"""Pictures of faces, for those who may see the person. A browser asks anew every time."""

from __future__ import annotations

from uuid import UUID

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from common.media import serve_file
from recognition.page_access import media_of_people
from recognition.selectors import get_profile, get_review, get_sample


@require_safe
@media_of_people
def photo(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """The photo of a person."""
    profile = get_profile(request.user, person_id)
    return _send(request, profile.photo, "photo.jpg")


@require_safe
@media_of_people
def sample_crop(request: HttpRequest, sample_id: UUID) -> HttpResponseBase:
    """One face of a person."""
    sample = get_sample(request.user, sample_id)
    return _send(request, sample.crop, "face.jpg")


@require_safe
@media_of_people
def review_crop(request: HttpRequest, review_id: UUID) -> HttpResponseBase:
    """A face of which nobody is certain."""
    review = get_review(request.user, review_id)
    return _send(request, review.crop, "face.jpg")


def _send(request: HttpRequest, file: FieldFile, name: str) -> HttpResponseBase:
    if not file:
        raise Http404("There is no picture.")
    response = serve_file(request, file=file, media_type="image/jpeg", filename=name)
    # Kept only to be asked about: a face that was erased must not be shown for ten minutes more.
    response["Cache-Control"] = "private, no-cache"
    return response
