"""A real RTSP server for tests: GStreamer's, in a process of the system's own Python.

`RtspServer` starts this very file with the Python that has GStreamer's bindings (Debian's
`python3-gi`, `gir1.2-gst-rtsp-server-1.0` and the plugins good, bad and ugly). Pictures of a ball
that moves are made and encoded only while somebody watches, once for all who do.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE = 20.0
_NEEDED = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("videotestsrc", "rtph264pay", "h264parse", "x264enc")))
"""
_ENCODERS = {
    "h264": (
        "x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max={fps} "
        "! rtph264pay name=pay0 pt=96 config-interval=-1"
    ),
    "mjpeg": "jpegenc quality=80 ! rtpjpegpay name=pay0 pt=26",
}


@functools.cache
def missing() -> str:
    """Return why there can be no server, or nothing."""
    if not Path(SYSTEM_PYTHON).exists():
        return f"GStreamer's RTSP server needs {SYSTEM_PYTHON}"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", _NEEDED], capture_output=True, check=False)
    packages = (
        "python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base, -good, -bad, -ugly"
    )
    return f"GStreamer's RTSP server ({packages})" if tried.returncode else ""


class RtspServer:
    """Serves `rtsp://127.0.0.1:PORT/live`, and other paths; a test that enters it may skip.

    Args:
        size: Width and height of the pictures; even.
        fps: Pictures in a second.
        codec: "h264" or "mjpeg".
        paths: Where streams are served; each is made on its own.
        user: Who may watch; empty: everybody.
        password: Of that user.
        method: How they are asked, "basic" or "digest".
        port: 0 for a free one.
        file: An MP4 with H.264 to send, once, instead of the ball.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (320, 240),
        fps: int = 15,
        codec: str = "h264",
        paths: Sequence[str] = ("/live",),
        user: str = "",
        password: str = "",
        method: str = "basic",
        port: int = 0,
        file: Path | None = None,
    ) -> None:
        self._options = {
            **{"size": size, "fps": fps, "codec": codec, "paths": list(paths), "port": port},
            **{"user": user, "password": password, "method": method},
            "file": "" if file is None else str(file),
        }
        self.port = port
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Address of the first stream."""
        return self.address(self._options["paths"][0])

    @property
    def pid(self) -> int:
        """Number of the process; it must run."""
        assert self._process is not None
        return self._process.pid

    def address(self, path: str) -> str:
        """Address of a stream."""
        return f"rtsp://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Start, and wait until it listens; again on the same port after `stop`."""
        import pytest

        if missing():
            pytest.skip(f"needs {missing()}")
        options = json.dumps({**self._options, "port": self.port})
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(Path(__file__).resolve()), options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._listen()["port"]

    def stop(self) -> None:
        """End it at once; who watches is cut off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def resize(self, width: int, height: int) -> None:
        """Change the size of the pictures while streams go on."""
        self._options["size"] = (width, height)
        self._tell(size=[width, height])

    def recode(self, codec: str) -> None:
        """Change the codec; who watches is cut off and finds it when connecting again."""
        self._options["codec"] = codec
        self._tell(codec=codec)

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _tell(self, **command: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        self._listen()

    def _listen(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        # A server that hangs must not hang the tests as well.
        guard = threading.Timer(PATIENCE, self._process.kill)
        guard.start()
        try:
            line = self._process.stdout.readline()
        finally:
            guard.cancel()
        assert line, "GStreamer's RTSP server has not started"
        answer: dict[str, Any] = json.loads(line)
        return answer


class _Server:
    """What runs in the other process."""

    def __init__(self, options: dict[str, Any]) -> None:
        import gi

        for name in ("Gst", "GstRtsp", "GstRtspServer"):
            gi.require_version(name, "1.0")
        from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

        self.glib, self.gst, self.rtsp, self.library = GLib, Gst, GstRtsp, GstRtspServer
        Gst.init(None)
        self.options = options
        self.filters: list[Any] = []
        self.server = GstRtspServer.RTSPServer.new()
        self.server.set_address("127.0.0.1")
        self.server.set_service(str(options["port"]))
        if options["user"]:
            self.server.set_auth(self.make_auth())
        self.mount()

    def run(self) -> None:
        loop = self.glib.MainLoop()
        assert self.server.attach(None), "the port is taken"
        answer({"port": self.server.get_bound_port()})
        threading.Thread(target=self.obey, args=(loop,), daemon=True).start()
        loop.run()

    def obey(self, loop: Any) -> None:
        for line in sys.stdin:
            self.glib.idle_add(self.change, json.loads(line))
        loop.quit()  # who started us is gone

    def change(self, command: dict[str, Any]) -> bool:
        self.options.update(command)
        if "size" in command:
            for element in self.filters:
                element.set_property("caps", self.caps())
        if "codec" in command:
            self.filters.clear()
            self.mount()
            self.server.client_filter(lambda *_: self.library.RTSPFilterResult.REMOVE)
        answer({})
        return False

    def mount(self) -> None:
        points = self.library.RTSPMountPoints()
        for path in self.options["paths"]:
            factory = self.library.RTSPMediaFactory()
            factory.set_launch(self.pipeline())
            factory.set_shared(True)
            factory.connect("media-configure", self.configured)
            if self.options["user"]:
                factory.set_permissions(self.permissions())
            points.add_factory(path, factory)
        self.server.set_mount_points(points)

    def pipeline(self) -> str:
        if self.options["file"]:
            source = f'filesrc location="{self.options["file"]}" ! qtdemux ! h264parse'
            return f"( {source} ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
        encoder = _ENCODERS[self.options["codec"]].format(fps=self.options["fps"])
        return (
            "( videotestsrc is-live=true pattern=ball ! capsfilter name=size "
            f'caps="{self.caps().to_string()}" ! {encoder} )'
        )

    def caps(self) -> Any:
        width, height = self.options["size"]
        return self.gst.Caps.from_string(
            f"video/x-raw,format=I420,width={width},height={height},"
            f"framerate={self.options['fps']}/1"
        )

    def configured(self, _factory: Any, media: Any) -> None:
        element = media.get_element().get_by_name_recurse_up("size")
        if element is None:
            element = media.get_element().get_by_name("size")
        if element is not None:
            element.set_property("caps", self.caps())
            self.filters.append(element)

    def make_auth(self) -> Any:
        auth = self.library.RTSPAuth()
        token = self.library.RTSPToken()
        token.set_string("media.factory.role", "watcher")
        user, password = self.options["user"], self.options["password"]
        if self.options["method"] == "digest":
            auth.set_supported_methods(self.rtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(self.library.RTSPAuth.make_basic(user, password), token)
        return auth

    def permissions(self) -> Any:
        permissions = self.library.RTSPPermissions()
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("watcher", right, True)
        return permissions


def answer(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", help="as JSON")
    _Server(json.loads(parser.parse_args().options)).run()
