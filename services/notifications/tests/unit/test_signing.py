"""What we sign verifies for whoever asks DNS, and for nobody who changed it on the way."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chassis.api.addresses import Address
from notifications.channels.message import Mail, Mailbox, compose
from notifications.channels.signing import SIGNED, Signer
from notifications.settings import Settings
from notifications.usecases.words import Words

KEY = generate_private_key(65537, 2048)
OTHER = generate_private_key(65537, 2048)
LINK = "https://rapport.acme.example/c/abc/unsubscribe?purpose=newsletter"
CARE = Address("care@acme.example", False)
MAIL = Mail(
    "<1@acme.example>",
    Mailbox("Acme", CARE),
    Mailbox("Märia Anders", Address("maria@example.com", False)),
    CARE,
    Words("Späte Lieferung 😀", "Hallo.\n.\nTschüß  \n\n"),
    "de-DE",
    datetime(2026, 3, 2, 9, tzinfo=UTC),
    LINK,
)


def pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dns(name: bytes, timeout: float = 5) -> bytes | None:
    """The record that an administrator published."""
    if name != b"rapport1._domainkey.acme.example.":
        return None
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])


def verified(content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=dns))


SIGNED_MAIL = Signer("acme.example", "rapport1", pem(KEY)).sign(compose(MAIL))


def test_a_signed_message_verifies_by_dns() -> None:
    assert verified(SIGNED_MAIL)
    assert SIGNED_MAIL.endswith(compose(MAIL))
    old_format = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert verified(Signer("acme.example", "rapport1", old_format).sign(compose(MAIL)))


def test_the_headers_by_which_a_customer_leaves_are_signed() -> None:
    found = message_from_bytes(SIGNED_MAIL, policy=policy.default)
    assert found["List-Unsubscribe"] == f"<{LINK}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["Content-Language"] == "de-DE"
    names = re.search(r"\bh=([^;]+);", found["DKIM-Signature"])
    assert names
    signed = re.sub(r"\s", "", names[1]).split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= {*signed}
    assert signed.count("from") == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/c/abc/", b"/c/evil/"),
        (b"=One-Click", b"=Two-Click"),
        (b"Hallo", b"Hullo"),
        (b"Content-Language: de-DE", b"Content-Language: fr"),
        (b"Acme <care@", b"Acne <care@"),
    ],
)
def test_what_was_changed_on_the_way_does_not_verify(old: bytes, new: bytes) -> None:
    assert SIGNED_MAIL.count(old) >= 1
    assert not verified(SIGNED_MAIL.replace(old, new))


@pytest.mark.parametrize("name", sorted({*SIGNED} - {b"from"}))
def test_a_header_that_is_signed_cannot_be_added(name: bytes) -> None:
    bare = b"From: care@acme.example\r\n\r\nHallo\r\n"
    signed = Signer("acme.example", "rapport1", pem(KEY)).sign(bare)
    assert verified(signed)
    assert not verified(signed.replace(b"From: care", name + b": x\r\nFrom: care"))


def test_another_key_than_that_of_dns_does_not_verify() -> None:
    assert not verified(Signer("acme.example", "rapport1", pem(OTHER)).sign(compose(MAIL)))


def test_a_repeat_is_known_whatever_its_link_and_signature() -> None:
    later = Mail(*(getattr(MAIL, name) for name in list(MAIL.__slots__)[:-1]), "https://acme.example/c/new")
    assert later.fingerprint == MAIL.fingerprint
    assert compose(later) != compose(MAIL)


def settings(**given: str) -> Settings:
    needed = {
        "database_url": "postgresql://x@127.0.0.1/x",
        "nats_url": "nats://127.0.0.1",
        "jwks_url": "https://issuer.acme.example/jwks",
        "issuer": "acme",
        "smtp_host": "mail.acme.example",
        "mail_from": "Acme <care@mail.acme.example>",
    }
    return Settings(**needed | given)  # type: ignore[arg-type]


def test_settings_sign_or_do_not() -> None:
    assert settings().signer is None
    own = {"dkim_selector": "rapport1", "dkim_key": pem(KEY).decode()}
    signer = settings(dkim_domain="acme.example", **own).signer
    assert signer == Signer("acme.example", "rapport1", pem(KEY))
    assert "PRIVATE" not in repr(signer)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dkim_selector": "rapport1"}, "together"),
        ({"dkim_domain": "other.example"}, "mail_from"),
        ({"dkim_domain": "me.example"}, "mail_from"),
        ({"dkim_key": "no key"}, "PEM"),
        ({"dkim_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "PEM"),
    ],
)
def test_a_signature_that_nobody_could_verify_is_refused_at_the_start(
    given: dict[str, str], told: str
) -> None:
    whole = {"dkim_domain": "acme.example", "dkim_selector": "rapport1", "dkim_key": pem(KEY).decode()}
    with pytest.raises(ValueError, match=told):
        settings(**(given if told == "together" else whole | given))


def test_links_of_customers_travel_encrypted_or_stay_on_this_machine() -> None:
    for url in ("https://care.acme.example", "http://127.0.0.1:8080", "http://localhost:8080", ""):
        assert settings(customer_pages_url=url).customer_pages_url == url
    for url in ("http://care.acme.example", "http://localhost.acme.example"):
        with pytest.raises(ValueError, match="must begin with https://"):
            settings(customer_pages_url=url)
