"""What a person needs to know when the server has started."""

from typing import Any

from django.conf import settings

from detection_project.certificate import Certificate
from detection_project.setup import Installation
from vision.sources.examples import find_example


def base_url(host: str, port: int, *, secure: bool = False) -> str:
    """Return the address to open in a browser on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def start_lines(
    url: str, installation: Installation, certificate: Certificate | None = None
) -> list[str]:
    """Return the lines for the moment when the server listens."""
    name, password = installation.administrator.name, installation.administrator.password
    sign_in = f"{name} / {password}   (the password is shown only now)" if password else name
    picture = find_example()
    lines = [
        "",
        f"  Sightline  {url}",
        f"  Sign in    {sign_in}",
        f"  Data       {settings.DATA_DIR}",
        f"  API        {url}/api/docs/",
    ]
    trust = ""
    if certificate is not None:
        trust = f"--cacert {certificate.certificate} "
        lines += [
            "",
            "  The certificate is this machine's own: the browser asks once. Its SHA-256 is",
            f"  {certificate.fingerprint[:47]}",
            f"  {certificate.fingerprint[48:]}",
        ]
    if picture is not None:
        lines += [
            "",
            f'  curl {trust}-H "Authorization: Token {installation.token}" \\',
            f'       -F "image=@{picture}" {url}/api/detect/',
        ]
    return [*lines, ""]


def model_lines(info: Any) -> list[str]:
    """Return the line for the moment when the default model is loaded."""
    if info is None:
        return ["  Model      not available; the log says why"]
    line = f"  Model      {info.model} on {info.device} ({info.backend}, {info.precision})"
    if info.fallback:
        line += f"\n             instead of {info.requested}: {info.reason}"
    return [line]
