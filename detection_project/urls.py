"""Addresses: pages, REST, accounts, admin, probes."""

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from common.accounts.entrance.views import to_sign_in
from common.metrics.views import MetricsView
from detection_project import health

swagger = SpectacularSwaggerSplitView.as_view(url_name="api-schema")

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("accounts/", include("common.accounts.entrance.urls")),
    # One page to sign in, with one limit on wrong passwords.
    path("admin/login/", to_sign_in),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs/",
        csp_update(settings.SIGHTLINE_DOCS_POLICY)(login_required(swagger)),
        name="api-docs",
    ),
    path("api/", include("detector.api.urls")),
    path("api/", include("detector.analytics.api.urls")),
    path("api/", include("video_analysis.api.urls")),
    path("api/", include("video_analysis.cameras.api.urls")),
    path("api/", include("video_analysis.live.api.urls")),
    path("api/", include("video_analysis.retail.api.urls")),
    path("api/", include("recognition.api.urls")),
    path("api/", include("styletransfer.api.urls")),
    path("api/", include("common.accounts.api.urls")),
    path("api/", include("common.audit.api.urls")),
    path("api/", include("common.jobs.api.urls")),
    path("api/", include("common.storage.api.urls")),
    path("account/", include("common.accounts.urls")),
    path("analytics/", include("detector.analytics.urls")),
    path("audit/", include("common.audit.urls")),
    path("cameras/", include("video_analysis.cameras.urls")),
    path("live/", include("video_analysis.live.urls")),
    path("people/", include("recognition.urls")),
    path("storage/", include("common.storage.urls")),
    path("styles/", include("styletransfer.urls")),
    path("videos/", include("video_analysis.urls")),
    path("visits/", include("video_analysis.retail.urls")),
    path("webcam/", include("video_analysis.webcam.urls")),
    path("workers/", include("common.jobs.urls")),
    path("", include("detector.urls")),
]

handler400 = "detection_project.errors.bad_request"
handler403 = "detection_project.errors.forbidden"
handler404 = "detection_project.errors.not_found"
handler429 = "common.accounts.entrance.views.too_many_requests"  # allauth's, not Django's
handler500 = "detection_project.errors.server_error"
