"""Threads for synchronous views that outlive a request.

Under ASGI each request runs its synchronous code in one thread, so that it keeps one database
connection. Django makes that thread anew for every request; here it comes from a pool, and its
database connection stays open (`CONN_MAX_AGE`).
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext

IDLE_THREADS = 16


class RequestThreads:
    """ASGI middleware: lends each request a thread of its own from a pool.

    The thread that was used last is lent first, so that idle ones stay idle. A request waits for
    no other; there are as many threads as requests at once, and at most 16 are kept.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        # Only the event loop touches this list.
        self.idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run one request."""
        if self.idle:
            thread = self.idle.pop()
        else:
            thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.application(scope, receive, send)
        finally:
            if len(self.idle) < IDLE_THREADS:
                self.idle.append(thread)
            else:
                thread.shutdown(wait=False)
