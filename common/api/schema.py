"""What the OpenAPI document says about tokens and errors."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.utils import OpenApiResponse

from common.api.serializers import ErrorSerializer

REASONS = {
    400: "Something in the request is wrong; `fields` says what.",
    401: "No token or session, or not a valid one.",
    403: "Not allowed: by the role, by the token's scope, or the session's CSRF token is missing.",
    404: "There is no such thing, or it is not yours to see.",
    406: "The answer cannot be given in an accepted form.",
    409: "It is not in a state that allows this.",
    410: "The picture has been removed; what was found in it stays.",
    413: "The file, the picture or the request is too large.",
    415: "The file is of a kind that is not read, or the body is not of the right type.",
    422: "It cannot be read or reached; code and message say why.",
    429: "Too many requests; see Retry-After.",
    503: "It cannot be answered now; see Retry-After where there is one.",
    507: "The disk is full.",
}


def errors(*statuses: int) -> dict[Any, Any]:
    """Answers in the error shape for these statuses."""
    return {status: OpenApiResponse(ErrorSerializer, REASONS[status]) for status in statuses}


def add_common_errors(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Name the errors that no view has to think of: REST framework answers them before it.

    A postprocessing hook of drf-spectacular.
    """
    for path in result["paths"].values():
        for method, operation in path.items():
            answers = operation["responses"]
            for status in _common_statuses(method, operation):
                answers.setdefault(str(status), _error_answer(status))
            operation["responses"] = dict(sorted(answers.items()))
    return result


def _common_statuses(method: str, operation: dict[str, Any]) -> list[int]:
    forms = {
        form
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for form in answer.get("content", {})
    }
    statuses = [] if forms - {"application/json"} else [406]  # a file is given to whoever asks
    if method not in ("get", "head", "options"):
        statuses.append(403)  # a token that may only read, a browser without its CSRF token
    if "requestBody" in operation:
        statuses += [400, 413, 415]
    return statuses


def _error_answer(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"content": {"application/json": {"schema": schema}}, "description": REASONS[status]}


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    """The scheme of `common.api.authentication.TokenAuthentication`."""

    target_class = "common.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Token-based authentication: `Token <your token>`",
        }
