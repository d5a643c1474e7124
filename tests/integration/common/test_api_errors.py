"""Errors of the API have one shape, whatever went wrong."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIClient
from rest_framework.views import APIView

from common.api.errors import flatten
from common.api.parsers import BoundedJSONParser
from common.api.throttles import CallerThrottle
from common.jobs.errors import JobConflict
from common.uploads.errors import UploadRejected
from detector.api.sessions import SessionViewSet
from vision.errors import ModelError

RAISED: dict[str, Exception] = {}


class RaisingView(APIView):
    parser_classes = [BoundedJSONParser]
    throttle_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        raise RAISED["error"]

    def post(self, request: Request) -> Response:
        return Response({"got": request.data})


class OncePerDay(CallerThrottle):
    def get_rate(self) -> str:
        return "1/day"


class ThrottledView(APIView):
    throttle_classes = [OncePerDay]

    def get(self, request: Request) -> Response:
        return Response({})


class OpenView(ThrottledView):
    permission_classes: list[Any] = []


class Crashing(APIView):
    def get(self, request: Request) -> Response:
        raise ZeroDivisionError("secret text")


def page(request: HttpRequest) -> HttpResponse:
    raise RAISED["error"]


urlpatterns = [
    path("page/", page),
    path("api/raising/", RaisingView.as_view()),
    path("api/throttled/", ThrottledView.as_view()),
    path("api/open/", OpenView.as_view()),
    path("api/crashing/", Crashing.as_view()),
]
handler404 = "detection_project.errors.not_found"
handler500 = "detection_project.errors.server_error"

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

ERRORS = [
    (Http404(), 404, "not_found"),
    (exceptions.NotFound(), 404, "not_found"),
    (PermissionDenied(), 403, "permission_denied"),
    (exceptions.PermissionDenied(), 403, "permission_denied"),
    (exceptions.ParseError(), 400, "parse_error"),
    (exceptions.NotAcceptable(), 406, "not_acceptable"),
    (exceptions.ValidationError({"iou": ["Too large."]}), 400, "invalid"),
    (serializers.ValidationError("No.", code="odd"), 400, "invalid"),
    (UploadRejected("disk_full", "Full."), 507, "disk_full"),
    (UploadRejected("file_too_large", "Large."), 413, "file_too_large"),
    (UploadRejected("something_new", "New."), 422, "something_new"),
    (ModelError("unknown_model", "There is no such model."), 400, "unknown_model"),
    (JobConflict("It is done."), 409, "conflict"),
    (RequestDataTooBig(), 413, "request_too_large"),
    (TooManyFilesSent(), 400, "too_many_files"),
    (OperationalError("secret text"), 503, "database_unavailable"),
    (InterfaceError("connection already closed"), 503, "database_unavailable"),
]


def check(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    body = response.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert sorted(error) == ["code", "fields", "message"]
    assert error["code"] == code
    assert error["message"].endswith((".", "`.", ")", '"'))
    return error


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_every_exception_has_the_same_shape(
    api: APIClient, error: Exception, status: int, code: str
) -> None:
    RAISED["error"] = error
    check(api.get("/api/raising/"), status, code)


def test_the_fields_of_an_invalid_request_are_named(api: APIClient) -> None:
    RAISED["error"] = exceptions.ValidationError({"iou": ["Too large."], "model": ["Unknown."]})
    error = check(api.get("/api/raising/"), 400, "invalid")
    assert error["fields"] == {"iou": "Too large.", "model": "Unknown."}
    assert error["message"] == "Too large. Unknown."


DETAILS = [
    ("No.", {"request": "No."}),
    (["One.", "Two."], {"request": "One. Two."}),
    ({"a": ["One.", "Two."]}, {"a": "One. Two."}),
    ({"a": {"b": ["Deep."]}}, {"a.b": "Deep."}),
    ({"a": [{}, {"b": ["Second."]}]}, {"a.1.b": "Second."}),
    ({"non_field_errors": ["Both."]}, {"request": "Both."}),
    ({"a": {"non_field_errors": ["Both."]}}, {"a": "Both."}),
    ({}, {}),
]


@pytest.mark.parametrize(("detail", "fields"), DETAILS)
def test_nested_details_become_one_sentence_per_field(detail: Any, fields: dict[str, str]) -> None:
    assert flatten(detail) == fields


def test_requests_that_cannot_be_read(api: APIClient) -> None:
    post = api.generic
    check(post("POST", "/api/raising/", "{bad", "application/json"), 400, "parse_error")
    check(post("POST", "/api/raising/", "x", "text/plain"), 415, "unsupported_media_type")
    check(api.delete("/api/raising/"), 405, "method_not_allowed")
    check(api.get("/api/nothing/here/"), 404, "not_found")


@pytest.mark.parametrize(
    "header", ["", "Token", "Token nonsense", "Token a b", "Token \xff\xfe", "Bearer x"]
)
def test_without_a_good_token_the_answer_is_401_with_a_challenge(header: str) -> None:
    response = Client().get("/api/raising/", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response.json()["error"]["code"] in ("not_authenticated", "authentication_failed")


def test_too_many_requests_are_told_when_to_come_back(api: APIClient) -> None:
    assert api.get("/api/throttled/").status_code == 200
    response = api.get("/api/throttled/")
    check(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 86400


def test_callers_are_counted_apart(api: APIClient, other_user: Any) -> None:
    assert api.get("/api/throttled/").status_code == 200
    second = APIClient()
    second.force_authenticate(other_user)
    assert second.get("/api/throttled/").status_code == 200


def test_an_address_that_a_caller_writes_itself_is_not_believed() -> None:
    answers = [
        Client().get("/api/open/", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(2)
    ]
    assert answers == [200, 429]


@pytest.mark.parametrize("document", ["[" * 100_000, '{"a":' * 100_000])
def test_json_that_is_nested_too_deeply_is_refused(api: APIClient, document: str) -> None:
    response = api.generic("POST", "/api/raising/", document, "application/json")
    check(response, 400, "parse_error")


def test_json_that_is_too_long_is_refused(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    post = api.generic
    assert post("POST", "/api/raising/", '"' + "x" * 18 + '"', "application/json").json()["got"]
    response = post("POST", "/api/raising/", '"' + "x" * 19 + '"', "application/json")
    check(response, 413, "request_too_large")


def test_the_own_json_parser_is_everywhere() -> None:
    assert JSONParser not in api_settings.DEFAULT_PARSER_CLASSES
    assert JSONParser not in SessionViewSet.parser_classes


def test_a_crash_is_a_500_that_tells_nothing(api: APIClient) -> None:
    api.raise_request_exception = False
    response = api.get("/api/crashing/")
    check(response, 500, "internal_error")
    assert b"secret text" not in response.content


AWAY = [OperationalError("secret text"), InterfaceError("secret text")]


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_a_page_without_a_database_asks_to_come_back(client: Client, error: Exception) -> None:
    RAISED["error"] = error
    client.raise_request_exception = False
    response = client.get("/page/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The database does not answer" in response.content.decode()
    assert b"secret text" not in response.content
    response = client.get("/page/", headers={"accept": "application/json"})
    check(response, 503, "database_unavailable")
    assert response["Retry-After"] == "5"
    RAISED["error"] = ZeroDivisionError()
    assert client.get("/page/").status_code == 500


async def test_the_same_holds_under_asgi() -> None:
    RAISED["error"] = OperationalError("secret text")
    client = AsyncClient(raise_request_exception=False)
    response = await client.get("/page/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_the_api_says_when_to_come_back(api: APIClient) -> None:
    RAISED["error"] = OperationalError("secret text")
    response = api.get("/api/raising/")
    assert response["Retry-After"] == "5"
    assert b"secret text" not in response.content
