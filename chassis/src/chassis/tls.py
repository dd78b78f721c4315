"""Certificates in a folder: `ca.crt`, `tls.crt`, `tls.key`, as secrets of cert-manager have them."""

import ssl
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from prometheus_client import Gauge

from chassis.files import Reread

CA, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"

EXPIRES = Gauge(
    "rapport_certificate_expiry_timestamp_seconds", "When the certificate that the service shows others ends."
)


class Held(NamedTuple):
    """What a folder holds, each in PEM: whom to trust, and what to show."""

    ca: bytes
    certificate: bytes
    key: bytes


class Certificates:
    """What a folder holds now, read again when a file changes.

    What does not fit together, such as a new certificate whose key is still to come, is not taken: the one
    before it stays good. ValueError for a folder that does not hold all three at first.
    """

    def __init__(self, folder: Path) -> None:
        self._files = [folder / name for name in (CA, CERTIFICATE, KEY)]
        try:
            self._held = Reread(self._files, self._read)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder} must hold {CA}, {CERTIFICATE} and {KEY}, in PEM, that belong together: {error}"
            ) from None

    def newest(self) -> Held:
        """The newest that fit together: the same object while nothing has changed."""
        return self._held.newest()

    def _read(self) -> Held:
        """OSError for a file that is missing, ValueError for one that is no PEM or does not fit."""
        held = Held(*(file.read_bytes() for file in self._files))
        x509.load_pem_x509_certificates(held.ca)
        shown = x509.load_pem_x509_certificates(held.certificate)[0]
        try:
            key = load_pem_private_key(held.key, None)
        except (TypeError, UnsupportedAlgorithm) as error:  # such as one with a password
            raise ValueError(f"{KEY}: {error}") from None
        if key.public_key() != shown.public_key():
            raise ValueError(f"{KEY} is not the key of {CERTIFICATE}")
        EXPIRES.set(shown.not_valid_after_utc.timestamp())
        return held


def context(folder: Path) -> ssl.SSLContext:
    """For connections to a server that `ca.crt` vouches for. Ours is shown to it, where the folder has one.

    OSError for a folder that has none, or what is no certificate.
    """
    made = ssl.create_default_context(cafile=folder / CA)
    if (folder / CERTIFICATE).exists():
        made.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    return made
