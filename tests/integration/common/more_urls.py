"""The addresses of the project, and two more."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from detection_project.urls import urlpatterns as known


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@require_http_methods(["PUT"])
def put(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse()


urlpatterns = [*known, path("new/", look), path("new/<int:number>/", put)]
