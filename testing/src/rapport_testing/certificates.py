"""Certificates for tests: an authority, and what it issues, in folders as a secret of Kubernetes has them."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.tls import CA, CERTIFICATE, KEY

HERE = ("127.0.0.1", "localhost")


class Authority:
    """Issues certificates that are good for a day."""

    def __init__(self, name: str = "tests") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        is_authority = x509.BasicConstraints(ca=True, path_length=0)
        own = _unsigned(self._name, self._name, self._key).add_extension(is_authority, critical=True)
        self.certificate = own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issue(self, folder: Path, name: str = "service", hosts: tuple[str, ...] = HERE) -> Path:
        """Write a new certificate and its key, and whom to trust, each at once. Returns the folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _unsigned(_name(name), self._name, key).add_extension(
            x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False
        )
        certificate = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in ((CA, self.certificate), (CERTIFICATE, certificate), (KEY, private)):
            write(folder / file, content)
        return folder


def write(file: Path, content: bytes) -> None:
    """Put a file in place whole, readable by its owner alone."""
    beside = file.with_suffix(".new")
    beside.touch(0o600)
    beside.write_bytes(content)
    os.replace(beside, file)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
