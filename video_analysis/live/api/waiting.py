"""Views of the API that wait on the event loop, where an ordinary one would hold a thread."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from common.api.negotiation import AnyNegotiation


class WaitingView(APIView):
    """A view of REST framework whose ``get`` is a coroutine.

    Who asks, whether they may and how often is judged in the request's thread, as everywhere;
    errors have the same shape. A ``get`` that reads the database does so with ``in_thread``.
    """

    content_negotiation_class = AnyNegotiation

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, which Django awaits."""
        plain = super().as_view(**initkwargs)

        async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self = cls(**initkwargs)
            self.setup(request, *args, **kwargs)
            return await self._answer(request, *args, **kwargs)

        return update_wrapper(view, plain)

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run what blocks in the request's thread."""
        return await sync_to_async(call, thread_sensitive=True)(*args)

    async def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = self.initialize_request(request, *args, **kwargs)
        self.request = asked
        self.headers = self.default_response_headers
        response: Any
        try:
            await self.in_thread(self._judge, asked, *args)
            response = self._handler(asked)(asked, *args, **kwargs)
            if inspect.isawaitable(response):
                response = await response
        except Exception as error:
            response = await self.in_thread(self.handle_exception, error)
        return self.finalize_response(asked, response, *args, **kwargs)

    def _judge(self, request: Request, *args: Any) -> None:
        self.initial(request, *args, **self.kwargs)

    def _handler(self, request: Request) -> Callable[..., Any]:
        name = (request.method or "").lower()
        found = getattr(self, name, None) if name in self.http_method_names else None
        return found or self.http_method_not_allowed
