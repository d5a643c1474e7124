"""Faces of which nobody is certain, over REST: a person decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from common.permissions import Verb, get_visible_or_404, visible
from recognition.api.base import (
    AuditedList,
    NewestPages,
    PeopleView,
    find_other,
    read_body,
    send_face,
)
from recognition.api.people import choice
from recognition.api.serializers import AnswerSerializer, ReviewSerializer
from recognition.errors import InvalidError
from recognition.models import FaceReview
from recognition.services.auditing import note_person_viewed
from recognition.services.reviews import answer_review

FILTERS = [
    OpenApiParameter("state", enum=FaceReview.State.values),
    OpenApiParameter("origin", enum=FaceReview.Origin.values),
]


def all_reviews() -> QuerySet[FaceReview]:
    """Return all reviews with the people that they name."""
    return FaceReview.objects.select_related("candidate", "runner_up").defer("embedding")


class ReviewsView(AuditedList, PeopleView, generics.ListAPIView[FaceReview]):
    """The queue, and what came of it."""

    serializer_class = ReviewSerializer
    pagination_class = NewestPages
    filter_backends = []
    listed = "reviews"

    def get_queryset(self) -> QuerySet[FaceReview]:
        """Narrow as the query says."""
        if getattr(self, "swagger_fake_view", False):
            return FaceReview.objects.none()
        rows = visible(self.request.user, all_reviews())
        for name, choices in (("state", FaceReview.State), ("origin", FaceReview.Origin)):
            value = choice(self.request, name, list(choices.values), "")
            if value:
                rows = rows.filter(**{name: value})
        return rows

    @extend_schema(
        operation_id="reviews_list",
        summary="List uncertain faces",
        tags=["people"],
        parameters=FILTERS,
        responses={200: ReviewSerializer(many=True), **errors(400, 401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)


class _ReviewPart(PeopleView):
    def review(self, request: Request, pk: UUID, verb: Verb = "view") -> FaceReview:
        """Return a review to do `verb` to it.

        Raises:
            Http404: There is none.
        """
        return get_visible_or_404(request.user, all_reviews(), verb=verb, pk=pk)


class ReviewView(_ReviewPart):
    """One uncertain face."""

    @extend_schema(
        operation_id="reviews_read",
        summary="Look at an uncertain face",
        tags=["people"],
        responses={200: ReviewSerializer, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Whom it may show."""
        review = self.review(request, pk)
        _note(request, review)
        return Response(ReviewSerializer(review).data)


class ReviewCropView(_ReviewPart):
    """The picture of an uncertain face."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="reviews_crop",
        summary="Download the picture of an uncertain face",
        tags=["people"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A JPEG."""
        review = self.review(request, pk)
        _note(request, review)
        return send_face(request, review.crop, "face.jpg")


class AnswerView(_ReviewPart):
    """What somebody says of an uncertain face."""

    @extend_schema(
        operation_id="reviews_answer",
        summary="Answer an uncertain face",
        description='"yes" enrols it for the candidate, "no" is remembered as not them, "other" '
        "says who it is. The first answer counts: after it 409.",
        tags=["people"],
        request=AnswerSerializer,
        responses={200: ReviewSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Answer it."""
        review = self.review(request, pk, "change")
        body = read_body(AnswerSerializer, request)
        person = body.get("person")
        if (body["answer"] == "other") != (person is not None):
            raise InvalidError({"person": 'Say who it is with "other", and only then.'})
        profile = None if person is None else find_other(request, person, field="person")
        answer_review(actor=request.user, review=review, answer=body["answer"], profile=profile)
        return Response(ReviewSerializer(self.review(request, pk)).data)


def _note(request: Request, review: FaceReview) -> None:
    note_person_viewed(actor=request.user, profile_id=review.candidate_id, what="review")
