"""One shape for every error: `{"error": {"code", "message", "fields"}}`."""

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from common.errors import ServiceError
from common.jobs.errors import JobConflict
from common.uploads.errors import UploadRejected
from vision.errors import PictureError, VisionError

logger = logging.getLogger(__name__)

# The server is away or starts anew, a lock was not to be had, two waited for each other.
DATABASE_ERRORS = (OperationalError, InterfaceError)
RETRY_SECONDS = 5
MESSAGES = {
    "database_unavailable": "The database cannot be used at the moment. Try again in a little.",
    "not_found": "There is nothing here, or nothing that you may see.",
    "method_not_allowed": "This address does not know that method.",
    "not_authenticated": "Sign in, or send a token: `Authorization: Token <token>`.",
    "authentication_failed": "The token is wrong or has expired.",
    "permission_denied": "You may not do that.",
    "unsupported_media_type": "This address does not read that content type.",
    "not_acceptable": "This address cannot answer in the format asked for.",
}


def error_body(
    code: str, message: str, fields: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the body of an error answer.

    Args:
        code: Stable machine code in snake case.
        message: One sentence for a person.
        fields: What is wrong with which field.
    """
    return {"error": {"code": code, "message": message, "fields": dict(fields or {})}}


def error_json(
    code: str, message: str, *, status: int, fields: Mapping[str, str] | None = None
) -> JsonResponse:
    """Return an error answer from outside Django REST framework."""
    return JsonResponse(error_body(code, message, fields), status=status)


def database_unavailable_json() -> JsonResponse:
    """Return the answer from outside Django REST framework while the database is away."""
    code = "database_unavailable"
    response = error_json(code, MESSAGES[code], status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def error_response(
    status: int, code: str, message: str, *, fields: Mapping[str, str] | None = None
) -> Response:
    """Return an error answer from an API view."""
    return Response(error_body(code, message, fields), status=status)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of an API view; None passes it on as a 500.

    Set as `EXCEPTION_HANDLER` of REST framework.
    """
    answer = _own_error(error)
    if answer is None:
        api_error = _as_api_exception(error)
        if api_error is None:
            return None
        answer = _api_error(api_error)
    _roll_back()
    return answer


def _own_error(error: Exception) -> Response | None:
    if isinstance(error, ServiceError):
        body = error_body(error.code, error.message, error.fields)
        return Response(body, status=error.status, headers=_retry_after(error.retry_after))
    if isinstance(error, UploadRejected):
        body = error_body(error.code, error.message, {error.field: error.message})
        return Response(body, status=error.status)
    if isinstance(error, VisionError):
        return Response(error_body(error.code, error.message), status=_vision_status(error))
    if isinstance(error, JobConflict):
        return Response(error_body("conflict", str(error)), status=status.HTTP_409_CONFLICT)
    if isinstance(error, RequestDataTooBig):
        message = "The request is larger than this server takes."
        return Response(error_body("request_too_large", message), status=413)
    if isinstance(error, TooManyFilesSent):
        message = "The request carries more files than this server takes at once."
        return Response(error_body("too_many_files", message), status=400)
    if isinstance(error, DATABASE_ERRORS):
        logger.error("The database could not be used", exc_info=error)
        code = "database_unavailable"
        body = error_body(code, MESSAGES[code])
        return Response(body, status=503, headers=_retry_after(RETRY_SECONDS))
    return None


def _vision_status(error: VisionError) -> int:
    if error.code in ("unknown_model", "unknown_class"):
        return status.HTTP_400_BAD_REQUEST
    if isinstance(error, PictureError):
        return status.HTTP_422_UNPROCESSABLE_ENTITY
    return status.HTTP_503_SERVICE_UNAVAILABLE


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))}


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error if isinstance(error, exceptions.APIException) else None


def _api_error(error: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    headers |= _retry_after(getattr(error, "wait", None))
    if isinstance(error, exceptions.ValidationError):
        fields = flatten(error.detail)
        message = " ".join(dict.fromkeys(fields.values())) or "The request is not valid."
        body = error_body("invalid", message, fields)
    else:
        code = _code_of(error)
        sentence = MESSAGES.get(code) if _is_stock_message(error) else None
        body = error_body(code, sentence or str(error.detail))
    return Response(body, status=error.status_code, headers=headers)


def flatten(detail: Any, name: str = "") -> dict[str, str]:
    """Turn REST framework's nested details into one sentence per field.

    A nested field is named with dots ("options.iou", "items.3"); what belongs to no field is
    named "request".
    """
    if isinstance(detail, Mapping):
        pairs = [(str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(entry, dict | list) for entry in detail):
        pairs = [(str(index), value) for index, value in enumerate(detail) if value]
    else:
        sentences = detail if isinstance(detail, list) else [detail]
        return {name or "request": " ".join(str(sentence) for sentence in sentences)}
    flat: dict[str, str] = {}
    for key, value in pairs:
        if key == "non_field_errors":
            flat |= flatten(value, name)
        else:
            flat |= flatten(value, f"{name}.{key}" if name else key)
    return flat


def _code_of(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _is_stock_message(error: exceptions.APIException) -> bool:
    if isinstance(error, exceptions.Throttled):
        return False
    detail = str(error.detail)
    stock = str(error.default_detail)
    # Some stock messages carry a value: 'Method "{method}" not allowed.'
    return detail == stock or ("{" in stock and detail.startswith(stock.partition("{")[0]))


def _roll_back() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)
