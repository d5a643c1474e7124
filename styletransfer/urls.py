"""Addresses of the pages."""

from django.urls import path

from styletransfer import create_views, gallery_views, result_views

app_name = "styles"

RESULT = "results/<uuid:restyling_id>/"

urlpatterns = [
    path("", gallery_views.gallery, name="gallery"),
    path("new/", gallery_views.new, name="new"),
    path("create/", create_views.create, name="create"),
    path("example/", create_views.example, name="example"),
    path("preview/", create_views.preview, name="preview"),
    path("results/", gallery_views.results, name="results"),
    path("results/delete/", gallery_views.delete_many, name="delete_many"),
    path(RESULT, result_views.result, name="result"),
    path(f"{RESULT}card/", gallery_views.card, name="card"),
    path(f"{RESULT}state/", result_views.state, name="state"),
    path(f"{RESULT}picture", result_views.result_picture, name="result_picture"),
    path(f"{RESULT}before", result_views.before, name="before"),
    path(f"{RESULT}thumbnail", result_views.result_thumbnail, name="result_thumbnail"),
    path(f"{RESULT}live", result_views.live, name="live"),
    path(f"{RESULT}cancel/", result_views.result_cancel, name="result_cancel"),
    path(f"{RESULT}retry/", result_views.result_retry, name="result_retry"),
    path(f"{RESULT}rename/", result_views.result_rename, name="result_rename"),
    path(f"{RESULT}share/", result_views.result_share, name="result_share"),
    path(f"{RESULT}delete/", result_views.result_delete, name="result_delete"),
    path("<uuid:style_id>/", gallery_views.style, name="style"),
    path("<uuid:style_id>/picture", gallery_views.picture, name="picture"),
    path("<uuid:style_id>/thumbnail", gallery_views.thumbnail, name="thumbnail"),
    path("<uuid:style_id>/change/", gallery_views.change, name="change"),
    path("<uuid:style_id>/share/", gallery_views.share, name="share"),
    path("<uuid:style_id>/delete/", gallery_views.delete, name="delete"),
]
