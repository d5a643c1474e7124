"""The certificate that a machine makes for itself."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from detection_project import banner, certificate
from detection_project.certificate import ensure_certificate
from detection_project.server import server_config
from detection_project.setup import Administrator, Installation

NAMES = ["localhost", "127.0.0.1", "[::1]", "shop.local"]


def test_it_is_good_for_every_name_and_its_key_is_private(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path / "tls", [*NAMES, "*", ""])
    parsed = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "shop.local"]
    assert sorted(map(str, names.get_values_for_type(x509.IPAddress))) == ["127.0.0.1", "::1"]
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700
    # Both belong together, and the server takes them.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.certificate, made.key)
    assert server_config(made).is_ssl


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("fe80::1%en0", set()),
        ("FE80::1", set()),
        ("169.254.1.1", set()),
        ("2001:db8::1%eth0", {"2001:db8::1"}),
        ("::0001", {"::1"}),
        ("[2001:DB8:0::1]", {"2001:db8::1"}),
        ("Küche.local", {"xn--kche-0ra.local"}),
        (".example.com", {"example.com"}),
        ("a" * 64, set()),
        ("what is this", set()),
        ("machine%eth0", set()),
    ],
)
def test_names_are_held_as_browsers_say_them(tmp_path: Path, name: str, held: set[str]) -> None:
    first = ensure_certificate(tmp_path, ["localhost", name])
    parsed = x509.load_pem_x509_certificate(first.certificate.read_bytes())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {*names.get_values_for_type(x509.DNSName)}
    found |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert found == {"localhost"} | held
    # The next start keeps it: whoever has trusted it is not asked again.
    assert ensure_certificate(tmp_path, ["localhost", name]).fingerprint == first.fingerprint


def test_it_stays_while_it_is_good(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, NAMES)
    assert ensure_certificate(tmp_path, NAMES[:2]).fingerprint == first.fingerprint


@pytest.mark.parametrize("reason", ["new-name", "old", "damaged", "no-key"])
def test_it_is_made_anew(reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ensure_certificate(tmp_path, NAMES)
    names = NAMES
    if reason == "new-name":
        names = [*NAMES, "other.local"]
    elif reason == "old":
        monkeypatch.setattr(certificate, "RENEW_BEFORE", timedelta(days=400))
    elif reason == "damaged":
        first.certificate.write_text("no certificate")
    else:
        first.key.unlink()
    second = ensure_certificate(tmp_path, names)
    assert second.fingerprint != first.fingerprint
    parsed = x509.load_pem_x509_certificate(second.certificate.read_bytes())
    assert parsed.not_valid_after_utc - datetime.now(UTC) > timedelta(days=390)


def test_the_start_says_how_to_know_it_again(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path, NAMES)
    installation = Installation(Administrator("admin", None), "0" * 64)
    url = banner.base_url("0.0.0.0", 8000, secure=True)
    text = "\n".join(banner.start_lines(url, installation, made))
    assert "https://127.0.0.1:8000" in text
    assert made.fingerprint[:47] in text
    assert f"curl --cacert {made.certificate}" in text
