"""A certificate of this machine's own, for `serve --tls`.

Browsers give a page the camera over HTTPS only. Nobody vouches for this certificate: the browser
asks once, and the fingerprint that the start prints is what to compare.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase, digits

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

VALID = timedelta(days=397)  # browsers take none that is valid for longer
RENEW_BEFORE = timedelta(days=30)
HOST_LETTERS = frozenset(f"{ascii_lowercase}{digits}.-_")


@dataclass(frozen=True)
class Certificate:
    """The files, and how to know the certificate again.

    Attributes:
        certificate: PEM.
        key: PEM, readable by its owner only.
        fingerprint: SHA-256 in pairs of hexadecimal digits.
    """

    certificate: Path
    key: Path
    fingerprint: str


def ensure_certificate(folder: Path, names: Iterable[str]) -> Certificate:
    """Return the certificate for these host names and addresses, making one where it is needed.

    The one that is there stays while it is good for another month and for every name.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = sorted({good for name in names if (good := _normal(name))})
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    with FileLock(f"{folder / 'lock'}", timeout=20, mode=0o600):
        found = _read(certificate)
        if found is None or not key.is_file() or not _is_good(found, wanted):
            found = _make(certificate, key, wanted)
    return Certificate(certificate, key, found.fingerprint(hashes.SHA256()).hex(":").upper())


def _normal(name: str) -> str:
    """Return a name or address as the certificate holds it; empty for one that it cannot name.

    No page is opened by a link-local address: its scope means something on this machine only.
    """
    name = name.strip().strip("[]").lower().lstrip(".")
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _host(name)
    return "" if address.is_link_local else str(address)


def _host(name: str) -> str:
    try:
        host = name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return host if set(host) <= HOST_LETTERS else ""


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _is_good(certificate: x509.Certificate, wanted: list[str]) -> bool:
    if certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE:
        return False
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    known = {*names.get_values_for_type(x509.DNSName)}
    known |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return known >= set(wanted)


def _make(certificate_path: Path, key_path: Path, names: list[str]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sightline on this machine")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key_path, secret)
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes) -> None:
    # As with the other secrets: 0600 from birth, and never half a file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
