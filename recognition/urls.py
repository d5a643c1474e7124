"""Pages of people, below ``/people/``."""

from django.urls import path

from recognition import (
    import_views,
    media_views,
    person_views,
    privacy_views,
    recognise_views,
    review_views,
    sample_views,
    views,
)

app_name = "people"

urlpatterns = [
    path("", views.show_list, name="list"),
    path("new/", views.create, name="new"),
    path("judge/", views.judge, name="judge"),
    path("suggest/", views.suggest, name="suggest"),
    path("recognise/", recognise_views.recognise, name="recognise"),
    path("recognise/not/", recognise_views.deny, name="recognise-not"),
    path("recognise/name/", recognise_views.name_face, name="recognise-name"),
    path("reviews/", review_views.show, name="reviews"),
    path("reviews/<uuid:review_id>/", review_views.answer, name="review"),
    path("reviews/<uuid:review_id>/face.jpg", media_views.review_crop, name="review-crop"),
    path("import/", import_views.show, name="import"),
    path("import/<uuid:job_id>/", import_views.show_job, name="import-job"),
    path("import/<uuid:job_id>/cancel/", import_views.cancel, name="import-cancel"),
    path("privacy/", privacy_views.privacy, name="privacy"),
    path("privacy/text/", privacy_views.publish, name="privacy-text"),
    path("erasures/<uuid:report_id>/", privacy_views.erasure, name="erasure"),
    path("samples/<uuid:sample_id>/face.jpg", media_views.sample_crop, name="sample-crop"),
    path("<uuid:person_id>/", person_views.show, name="person"),
    path("<uuid:person_id>/photo.jpg", media_views.photo, name="photo"),
    path("<uuid:person_id>/edit/", person_views.edit, name="edit"),
    path("<uuid:person_id>/consent/", person_views.consent, name="consent"),
    path("<uuid:person_id>/merge/", person_views.merge, name="merge"),
    path("<uuid:person_id>/merges/<uuid:merge_id>/undo/", person_views.unmerge, name="unmerge"),
    path("<uuid:person_id>/photos/", sample_views.show_adding, name="photos"),
    path("<uuid:person_id>/samples/", sample_views.add, name="samples"),
    path("<uuid:person_id>/samples/delete/", sample_views.delete, name="samples-delete"),
    path("<uuid:person_id>/samples/move/", sample_views.move, name="samples-move"),
    path("<uuid:person_id>/samples/split/", sample_views.split, name="samples-split"),
    path("<uuid:person_id>/export/", privacy_views.export, name="export"),
    path("<uuid:person_id>/erase/", privacy_views.erase, name="erase"),
]
