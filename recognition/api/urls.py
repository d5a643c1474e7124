"""Addresses of people in the API, below ``/api/``."""

from django.urls import path

from recognition.api.consent import ConsentsView, TextsView, WithdrawView
from recognition.api.importing import ImportReportView, ImportView
from recognition.api.merging import MergesView, UndoView
from recognition.api.people import ExportView, PeopleListView, PersonView, PhotoView
from recognition.api.privacy import ErasuresView, ErasureView, PrivacyView
from recognition.api.recognise import RecogniseView
from recognition.api.reviews import AnswerView, ReviewCropView, ReviewsView, ReviewView
from recognition.api.samples import (
    CropView,
    MoveView,
    NegativesView,
    SamplesView,
    SampleView,
    SplitView,
)

app_name = "people-api"

PERSON = "people/<uuid:pk>/"

urlpatterns = [
    path("recognize/", RecogniseView.as_view(), name="recognize"),
    path("people/", PeopleListView.as_view(), name="people"),
    path("people/import/", ImportView.as_view(), name="import"),
    path("people/import/<uuid:pk>/", ImportReportView.as_view(), name="import-report"),
    path("people/privacy/", PrivacyView.as_view(), name="privacy"),
    path("people/erasures/", ErasuresView.as_view(), name="erasures"),
    path("people/erasures/<uuid:pk>/", ErasureView.as_view(), name="erasure"),
    path("people/consent-texts/", TextsView.as_view(), name="consent-texts"),
    path(PERSON, PersonView.as_view(), name="person"),
    path(f"{PERSON}photo.jpg", PhotoView.as_view(), name="photo"),
    path(f"{PERSON}export.zip", ExportView.as_view(), name="export"),
    path(f"{PERSON}samples/", SamplesView.as_view(), name="samples"),
    path(f"{PERSON}samples/move/", MoveView.as_view(), name="samples-move"),
    path(f"{PERSON}samples/<uuid:sample_id>/", SampleView.as_view(), name="sample"),
    path(f"{PERSON}samples/<uuid:sample_id>/crop.jpg", CropView.as_view(), name="sample-crop"),
    path(f"{PERSON}split/", SplitView.as_view(), name="split"),
    path(f"{PERSON}negatives/", NegativesView.as_view(), name="negatives"),
    path(f"{PERSON}merges/", MergesView.as_view(), name="merges"),
    path(f"{PERSON}merges/<uuid:merge_id>/undo/", UndoView.as_view(), name="merge-undo"),
    path(f"{PERSON}consent/", ConsentsView.as_view(), name="consent"),
    path(f"{PERSON}consent/withdraw/", WithdrawView.as_view(), name="consent-withdraw"),
    path("reviews/", ReviewsView.as_view(), name="reviews"),
    path("reviews/<uuid:pk>/", ReviewView.as_view(), name="review"),
    path("reviews/<uuid:pk>/crop.jpg", ReviewCropView.as_view(), name="review-crop"),
    path("reviews/<uuid:pk>/answer/", AnswerView.as_view(), name="review-answer"),
]
