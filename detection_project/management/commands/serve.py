"""`manage.py serve`: web server and worker in one process."""

import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.inference import needs_engine, warm_up
from detection_project import banner, setup
from detection_project.certificate import Certificate, ensure_certificate
from detection_project.embedded import Embedded
from detection_project.server import allow_host, open_socket, run_server


class Command(BaseCommand):
    help = "Run the web server and the worker in one process until Ctrl+C."
    embedded = True  # worker and sweeper beside the web server

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address (default 127.0.0.1).")
        parser.add_argument("--port", type=int, default=8000, help="Port (default 8000).")
        parser.add_argument(
            "--tls",
            action="store_true",
            help="HTTPS with a certificate of this machine's own: what browsers want of a page "
            "that uses the camera.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.serve(options["host"], options["port"], tls=options["tls"])

    def serve(
        self, host: str, port: int, *, tls: bool = False, exit_when_stuck: bool = True
    ) -> None:
        """Prepare what is missing, and serve."""
        if not 0 <= port <= 65535:
            raise CommandError(f"{port} is not a port; ports are 0 to 65535.")
        listener = open_socket(host, port)  # first: a taken port is the likeliest reason to stop
        allow_host(host)
        installation = setup.prepare(self.stdout.write, setup.ProgressLines(self.stdout.write))
        certificate = own_certificate() if tls else None
        url = banner.base_url(host, listener.getsockname()[1], secure=tls)

        def ready() -> None:
            self.say(banner.start_lines(url, installation, certificate))
            threading.Thread(target=self.load_model, name="warm-up", daemon=True).start()

        beside = Embedded() if self.embedded else None
        run_server(
            listener,
            beside,
            on_ready=ready,
            exit_when_stuck=exit_when_stuck,
            certificate=certificate,
        )

    def load_model(self) -> None:
        """Load the default model and say what it runs on; the pages are up meanwhile."""
        if self.embedded or needs_engine():
            self.say(banner.model_lines(warm_up()))

    def say(self, lines: list[str]) -> None:
        """Print now, also into a pipe."""
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def own_certificate() -> Certificate:
    """Return the certificate for all names that this server answers to.

    Raises:
        CommandError: The data folder cannot be written.
    """
    # What is sent over HTTPS is not to be sent over HTTP as well.
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    try:
        return ensure_certificate(settings.DATA_DIR / "tls", settings.ALLOWED_HOSTS)
    except OSError as error:
        raise CommandError(f"The certificate cannot be kept: {error.strerror}.") from None
