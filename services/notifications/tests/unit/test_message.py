"""Every message parses back to what was meant, by the standard library's own parser."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.api.addresses import address_of
from notifications.channels.message import Mail, Mailbox, compose
from notifications.usecases.words import Words, one_line

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
INJECTION = "=?utf-8?q?=0d=0aX-Injected:_yes=0d=0aBcc:_evil=40example.com=0d=0a=0d=0a<h1>forged</h1>?="
TEXTS = st.one_of(
    st.text(max_size=150),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn"]), max_size=80),
    st.lists(st.sampled_from(["=?utf-8?q?", "?=", "=0d=0a", "<a@b>", '"', "\\", ",", "a b", "ß", "😀"])).map(
        "".join
    ),
)
HEADERS = {
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}


def message(
    name: str = "Maria Anders", subject: str = "A new date", body: str = "Hello.\n", html: str = ""
) -> bytes:
    sender, to, reply_to = map(address_of, ("care@acme.example", "maria@example.com", "sam@acme.example"))
    assert sender
    assert to
    mail = Mail(
        "<1@acme.example>",
        Mailbox("Acme", sender),
        Mailbox(name, to),
        reply_to,
        Words(subject, body, html),
        "de-DE",
        NOW,
    )
    return compose(mail)


def parsed(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@given(TEXTS, TEXTS, TEXTS)
@example(INJECTION, INJECTION, INJECTION)
@example("بیژن\u200cپور", "שלום, " * 30, "क\u094d\u200dष\n.\nFrom me\n")
@example(
    "山田\u3000太郎",
    "Ihre Lieferung nach Düsseldorf verschiebt sich auf Freitag, den 12. März " * 2,
    "\r\n.\r\n",
)
@example("\ud800", "a\u2028b", "x" * 5000)
@settings(max_examples=200, deadline=None)
def test_a_message_parses_back_to_what_was_meant(name: str, subject: str, text: str) -> None:
    body = (
        one_line(text) if "\n" not in text else "\n".join(map(one_line, text.replace("\r", "").split("\n")))
    )
    content = message(name, subject, body)
    found = parsed(content)
    assert set(found.keys()) == HEADERS
    assert len(found.keys()) == len(HEADERS)
    assert not any(header.defects for header in found.values())
    assert found["Subject"] == one_line(subject)
    [to] = found["To"].addresses
    assert to.addr_spec == "maria@example.com"
    assert to.display_name == one_line(name)
    assert found["Content-Language"] == "de-DE"
    assert found.get_content() == body.rstrip("\n").replace("\n", "\r\n") + "\r\n"
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.isascii()


@given(TEXTS, TEXTS)
@example("--=_a--", "--=_a--\r\n\r\n")
@settings(max_examples=100, deadline=None)
def test_what_has_html_has_the_plain_text_before_it(subject: str, text: str) -> None:
    line = one_line(text)
    content = message("Maria", subject, f"plain {line}", f"<p>{line}</p>")
    found = parsed(content)
    assert set(found.keys()) == HEADERS - {"Content-Transfer-Encoding"}
    assert (found.get_content_type(), found["Subject"]) == ("multipart/alternative", one_line(subject))
    assert found["Content-Language"] == "de-DE"
    plain, html = found.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content() == f"plain {line}\r\n"
    assert html.get_content() == f"<p>{line}</p>\r\n"
    assert not found.defects
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content == message("Maria", subject, f"plain {line}", f"<p>{line}</p>")


def test_a_header_that_would_begin_another_is_refused() -> None:
    to = address_of("maria@example.com")
    assert to
    mail = Mail("<1@x>\r\nBcc: a@b", Mailbox("", to), Mailbox("", to), None, Words("s", "b"), "en", NOW)
    with pytest.raises(ValueError, match="begin another"):
        compose(mail)
