"""The ASGI application: HTTP, WebSockets, and the loop that messages are delivered on."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
django_application = get_asgi_application()

# Imports of models have to wait for the application above.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from common.broadcast.consumers import UserEventsConsumer  # noqa: E402
from common.broadcast.origins import SameOriginOnly  # noqa: E402
from common.metrics.sockets import CountedSockets  # noqa: E402
from detection_project.body_limit import BodyLimit  # noqa: E402
from detection_project.large_bodies import LargeBodies  # noqa: E402
from detection_project.lifespan import Lifespan  # noqa: E402
from detection_project.request_threads import (  # noqa: E402
    RequestThreads,
    look_after_connections_in_threads,
)
from video_analysis.live import routing as live_routing  # noqa: E402
from video_analysis.webcam import routing as webcam_routing  # noqa: E402

look_after_connections_in_threads()
websocket_urlpatterns = [
    path("ws/events/", UserEventsConsumer.as_asgi()),
    *live_routing.websocket_urlpatterns,
    *webcam_routing.websocket_urlpatterns,
]

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(RequestThreads(LargeBodies(django_application))),
        "websocket": CountedSockets(
            SameOriginOnly(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
        ),
        "lifespan": Lifespan(),
    }
)
