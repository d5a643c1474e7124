"""Addresses of styles and of what is painted in them, below ``/api/``."""

from rest_framework.routers import SimpleRouter

from styletransfer.api.restylings import RestylingViewSet
from styletransfer.api.styles import StyleViewSet

app_name = "styles-api"

router = SimpleRouter(use_regex_path=False)
router.register("style", RestylingViewSet, basename="restyling")
router.register("styles", StyleViewSet, basename="style")

urlpatterns = router.urls
