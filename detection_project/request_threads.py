"""Threads for synchronous views that outlive a request.

Under ASGI each request runs its synchronous code in one thread, so that it keeps one database
connection. Django makes that thread anew for every request; here it comes from a pool, and its
database connection stays open (`CONN_MAX_AGE`).
"""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries

IDLE_THREADS = 16


def look_after_connections_in_threads() -> None:
    """Do what Django does at the start of a request with its first real call instead.

    Its receivers are synchronous: each request would go to a thread and back for them alone.
    """
    for receiver in (close_old_connections, reset_queries):
        request_started.disconnect(receiver)


def _with_usable_connections(call: Any, *args: Any, **kwargs: Any) -> Any:
    reset_queries()
    close_old_connections()
    return call(*args, **kwargs)


class RequestThread(ThreadPoolExecutor):
    """One thread that tells whether it is still at work."""

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="request")
        self.last: Future[Any] | None = None
        self.is_new_request = True

    def submit(self, call: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; the first of a request looks after the thread's connections."""
        if self.is_new_request:
            self.is_new_request = False
            call = partial(_with_usable_connections, call)
        self.last = super().submit(call, *args, **kwargs)
        return self.last

    @property
    def busy(self) -> bool:
        """Whether a call has not ended; there is one thread, so the last one ends last."""
        return self.last is not None and not self.last.done()


class RequestThreads:
    """ASGI middleware: lends each request a thread of its own from a pool.

    The thread that was used last is lent first, so that idle ones stay idle. A request waits for
    no other; there are as many threads as requests at once, and at most 16 are kept. A request
    whose caller has gone ends before its view does: such a thread is lent to nobody again.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        # Only the event loop touches this list.
        self.idle: list[RequestThread] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run one request."""
        thread = self.idle.pop() if self.idle else RequestThread()
        thread.is_new_request = True
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.application(scope, receive, send)
        finally:
            if len(self.idle) < IDLE_THREADS and not thread.busy:
                self.idle.append(thread)
            else:
                thread.shutdown(wait=False)
