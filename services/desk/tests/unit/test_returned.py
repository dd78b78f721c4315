"""Of mail about our mail only what says so to programs counts; an answer of a person who is away does not."""

import contextlib
import email
import email.policy
import json
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.edge.webhooks.contact import NotUnderstood, Receipt
from desk.edge.webhooks.kinds.mail import DECLARED
from desk.edge.webhooks.returned import receipt_in

KEY = "<0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60@acme.example>"
OURS = f"From: care@acme.example\nMessage-ID: {KEY}\nSubject: A new date\n"
DSN = """\
From: MAILER-DAEMON@mx.example
To: care@acme.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <dsn-1@mx.example>
Date: Mon, 2 Mar 2026 09:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message came back.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Original-Recipient: rfc822;anna@example.com
Final-Recipient: rfc822;anna.k@elsewhere.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 User unknown

--b
Content-Type: {what}

{ours}
--b--
"""
ARF = """\
From: fbl@mx.example
To: care@acme.example
Subject: Complaint
Message-ID: <arf-1@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is a complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Loop/1.0
Version: 1
Original-Rcpt-To: <anna@example.com>

--b
Content-Type: message/rfc822

{ours}

Hello
--b--
"""


def parsed(text: str) -> EmailMessage:
    found = email.message_from_string(text, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def dsn(action: str = "failed", status: str = "5.1.1", what: str = "text/rfc822-headers") -> str:
    return DSN.format(action=action, status=status, what=what, ours=OURS)


@pytest.mark.parametrize(
    ("action", "status", "delivery"),
    [
        ("failed", "5.1.1", "PERMANENT_FAILURE"),
        ("Failed", "5.1.10 (no such user)", "PERMANENT_FAILURE"),
        ("failed", "5.2.1", "PERMANENT_FAILURE"),
        ("failed", "5.2.2", "TEMPORARY_FAILURE"),  # a full mailbox is somebody's
        ("failed", "5.7.1", "TEMPORARY_FAILURE"),  # a filter says something of us
        ("failed", "4.4.7", "TEMPORARY_FAILURE"),  # a relay gave up
        ("failed", "5.0.0", "TEMPORARY_FAILURE"),
        ("failed", "", "TEMPORARY_FAILURE"),
        ("delayed", "4.2.2", "DELAYED"),
        ("delayed", "5.1.1", "DELAYED"),
        ("delivered", "2.0.0", "DELIVERED"),
    ],
)
@pytest.mark.parametrize("what", ["text/rfc822-headers", "message/rfc822"])
def test_what_came_back_is_told_by_its_status(action: str, status: str, delivery: str, what: str) -> None:
    told = receipt_in(parsed(dsn(action, status, what)))
    assert told is not None
    assert (told["provider_key"], told["delivery"]) == (KEY, delivery)
    assert told["code"] == status.partition(" ")[0]
    assert told["recipient"] == "anna@example.com"


@pytest.mark.parametrize("to", ["anna@example.com", "Anna K <Anna@Example.com>"])
def test_what_came_back_from_somebody_else_hides_nothing_of_whom_it_was_to(to: str) -> None:
    other = "Final-Recipient: rfc822;list@example.com\nAction: failed\nStatus: 5.1.1\n\n"
    text = dsn("delivered", "2.0.0").replace("Original-Recipient:", f"{other}Original-Recipient:")
    told = receipt_in(parsed(text.replace("From: care@acme.example\nM", f"To: {to}\nM")))
    assert told is not None
    assert (told["delivery"], told["recipient"]) == ("DELIVERED", "anna@example.com")
    elsewhere = receipt_in(parsed(text))
    assert elsewhere is not None
    assert (elsewhere["delivery"], elsewhere["recipient"]) == ("PERMANENT_FAILURE", "list@example.com")


@pytest.mark.parametrize("action", ["relayed", "expanded", "", "fired"])
def test_what_is_on_its_way_elsewhere_tells_nothing(action: str) -> None:
    assert receipt_in(parsed(dsn(action))) is None


@pytest.mark.parametrize(
    ("kind", "complains"),
    [("abuse", True), ("Fraud", True), ("opt-out", True), ("not-spam", False), ("", False)],
)
def test_who_calls_our_mail_unwanted_complains(kind: str, complains: bool) -> None:
    told = receipt_in(parsed(ARF.format(kind=kind, ours=OURS)))
    assert (told is not None) == complains
    if told:
        expected = {"delivery": "DELIVERED", "complaint": True, "recipient": "anna@example.com"}
        assert told == {**expected, "provider_key": KEY}


AWAY = f"""\
From: anna@example.com
Subject: Automatic reply: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
In-Reply-To: {KEY}
References: {KEY}
X-Failed-Recipients: anna@example.com
Content-Type: text/plain

I am away until Monday. 550 5.1.1 User unknown. Please unsubscribe me.
"""


@pytest.mark.parametrize(
    "text",
    [
        AWAY,
        AWAY.replace("text/plain", "multipart/report; report-type=disposition-notification"),
        dsn().replace("multipart/report", "multipart/mixed"),
        dsn().replace("message/delivery-status", "text/plain"),
        dsn().replace(KEY, ""),
        dsn().replace("Message-ID: " + KEY, "In-Reply-To: " + KEY),
    ],
)
def test_an_answer_of_somebody_who_is_away_is_no_mail_that_came_back(text: str) -> None:
    assert receipt_in(parsed(text)) is None


def test_our_message_is_not_taken_for_the_report_and_its_words_are_not_kept() -> None:
    inner = OURS + "Content-Type: text/plain\n\nHallo canary"
    told = receipt_in(parsed(DSN.format(action="failed", status="5.1.1", what="message/rfc822", ours=inner)))
    assert told is not None
    assert "canary" not in str(told)


@given(st.binary(max_size=200), st.integers(0, 1200), st.integers(0, 400))
def test_whatever_is_wrong_with_it_nothing_breaks(junk: bytes, at: int, length: int) -> None:
    raw = dsn().encode()
    broken = raw[:at] + junk + raw[at + length :]
    kind = DECLARED[0]
    kept = kind.keep(broken)
    told: Receipt | None = None
    with contextlib.suppress(NotUnderstood):
        told = kind.receipt([kept])
    assert told is None or told.provider_key


@pytest.mark.parametrize(
    "receipt", ["x", {"provider_key": ""}, {"provider_key": KEY, "delivery": "LOST"}, [1]]
)
def test_what_only_looks_like_what_we_keep_is_not_understood(receipt: Any) -> None:
    kind = DECLARED[0]
    kept = kind.keep(json.dumps({"sender": "a@b.example", "receipt": receipt}).encode())
    with pytest.raises(NotUnderstood):
        kind.receipt([kept])
