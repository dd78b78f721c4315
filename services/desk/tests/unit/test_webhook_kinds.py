"""What each kind of webhook is read as: pure functions of bytes."""

import contextlib
import json
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.api.text import NOT_TEXT
from desk.edge.webhooks.contact import SUMMARY_MAX, Contact, Handle, NotUnderstood, words
from desk.edge.webhooks.kind import CallState
from desk.edge.webhooks.kinds import KINDS
from desk.edge.webhooks.kinds.mail import HEADER_MAX, PARAMETERS_MAX, _Brief, _Words

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def read(kind: str, *payloads: dict[str, Any], region: str = "") -> Contact:
    return KINDS[kind].read([json.dumps(each).encode() for each in payloads], region)


def problems(kind: str, body: bytes) -> list[str]:
    with pytest.raises(NotUnderstood) as told:
        KINDS[kind].read([KINDS[kind].keep(body)], "")
    return told.value.problems


def test_there_are_the_kinds_that_the_readme_lists() -> None:
    assert sorted(KINDS) == [
        "chat", "delivery-receipt", "email", "event", "fax", "letter", "sms", "social", "telephony",
        "vonage-status", "web-form"
    ]  # fmt: skip


def test_a_department_tells_of_a_contact_in_our_terms() -> None:
    told = read(
        "event",
        {
            "channel": "FIELD_VISIT",
            "direction": "OUTBOUND",
            "customer": "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60",
            "summary": "Meter read.\r\nAll is well.",
            "topic": "Meter reading",
            "reference": "visits/17",
            "time": "2026-03-02T10:00:00+01:00",
        },
    )
    assert (told.channel, told.direction, told.topic) == ("FIELD_VISIT", "OUTBOUND", "meter-reading")
    assert told.customer == "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"
    assert (told.summary, told.reference, told.occur_time) == ("Meter read.\nAll is well.", "visits/17", NINE)


def test_a_form_brings_its_fields_and_whom_it_is_from() -> None:
    told = read(
        "web-form",
        {
            "form": "Contact us",
            "email": "Erika@Example.com",
            "phone": "030 901820",
            "name": "Erika\nSommer",
            "message": "Where is it?",
            "fields": {"Order": "10248", "Wishes": ["call", "mail"]},
        },
        region="DE",
    )
    assert told.handles == (Handle("EMAIL", "Erika@Example.com"), Handle("PHONE", "+4930901820"))
    assert (told.channel, told.name, told.topic) == ("WEB", "Erika Sommer", "contact-us")
    assert told.summary == "Where is it?\n\nOrder: 10248\nWishes: call, mail"


def test_a_chat_is_its_transcript() -> None:
    told = read(
        "chat",
        {
            "email": "erika@example.com",
            "messages": [
                {"from": "customer", "name": "Erika", "text": "Hello?", "time": "2026-03-02T09:00:00Z"},
                {"from": "bot", "text": "One moment."},
                {"from": "agent", "name": "Alice", "text": "Yes?"},
            ],
        },
    )
    assert told.summary == "Erika: Hello?\nBot: One moment.\nAlice: Yes?"
    assert (told.direction, told.occur_time) == ("INBOUND", NINE)


@pytest.mark.parametrize(("direction", "number"), [("INBOUND", "+491711234567"), ("OUTBOUND", "+4930901820")])
def test_a_text_message_is_with_the_other_end(direction: str, number: str) -> None:
    told = read(
        "sms", {"from": "+49 171 1234567", "to": "+49 30 901820", "text": "Late?", "direction": direction}
    )
    assert (told.handles, told.direction) == ((Handle("PHONE", number),), direction)


def test_a_mention_is_found_by_its_network_and_handle() -> None:
    told = read(
        "social",
        {
            "network": "mastodon",
            "handle": "@Erika@example.social",
            "text": "!",
            "url": "https://example.social/1",
        },
    )
    assert told.handles == (Handle("SOCIAL", "@Erika@example.social", "mastodon"),)
    assert told.summary == "!\n\nhttps://example.social/1"


@pytest.mark.parametrize(("kind", "channel"), [("fax", "FAX"), ("letter", "LETTER")])
def test_a_document_is_referred_to_with_its_text(kind: str, channel: str) -> None:
    told = read(
        kind, {"from": "+49 30 901821", "document": "archive/2026/17.pdf", "text": "I object.", "pages": 2}
    )
    assert (told.channel, told.reference, told.summary) == (
        channel,
        "archive/2026/17.pdf",
        "I object.\n\nPages: 2",
    )
    assert told.handles == ((Handle("FAX", "+4930901821"),) if kind == "fax" else ())
    long = read(kind, {"document": "https://archive.example/a b"})
    assert (long.reference, long.summary) == ("", "Document: https://archive.example/a b")


CALL = [
    {"event": "menu", "menu": ["Billing", "Invoice"], "time": "2026-03-02T09:00:00Z", "from": "+4930901820"},
    {"event": "ringing", "agent": "alice", "time": "2026-03-02T09:00:10Z", "from": "+4930901820"},
    {"event": "answered", "agent": "alice", "time": "2026-03-02T09:00:22Z"},
    {"event": "ended", "time": "2026-03-02T09:03:42Z", "note": "Wants a copy."},
]


def test_a_call_is_one_contact_in_whatever_order_it_is_told_of() -> None:
    events = [{"call": "c-7", "id": str(n)} | each for n, each in enumerate(CALL)]
    (told,) = {read("telephony", *order) for order in permutations(events)}
    assert (told.channel, told.direction, told.occur_time, told.reference) == (
        "VOICE",
        "INBOUND",
        NINE,
        "c-7",
    )
    assert told.handles == (Handle("PHONE", "+4930901820"),)
    assert told.summary == (
        "The customer called. In the menu: Billing > Invoice. Answered by alice after 12 s."
        " It lasted 3 min 20 s.\n\nWants a copy."
    )
    assert (told.outcome_code, told.duration) == ("reached", timedelta(minutes=3, seconds=20))


OUTBOUND = {"event": "ended", "duration_s": 3700, "direction": "OUTBOUND", "to": "+4930901820"}


@pytest.mark.parametrize(
    ("events", "channel", "said", "ended", "lasted_s"),
    [
        (CALL[:1] + CALL[3:], "IVR", "In the menu: Billing > Invoice.", "", None),
        (CALL[1:2] + CALL[3:], "VOICE", "Nobody answered; it rang at alice.", "no-answer", None),
        (CALL[1:3], "VOICE", "Its end was not told.", "reached", None),
        ([OUTBOUND], "VOICE", "It lasted 1 h 1 min 40 s.", "", 3700),
        ([OUTBOUND | {"duration_s": 0}], "VOICE", "We called.", "", None),
    ],
)  # fmt: skip
def test_a_call_says_how_far_it_came(
    events: list[dict[str, Any]], channel: str, said: str, ended: str, lasted_s: int | None
) -> None:
    told = read("telephony", *({"call": "c-7"} | each for each in events))
    assert (told.channel, told.outcome_code) == (channel, ended)
    assert (told.duration and told.duration.total_seconds()) == lasted_s
    assert said in told.summary
    assert told.handles == (Handle("PHONE", "+4930901820"),)


RINGS = {"event": "ringing", "agent": "alice", "time": "2026-03-02T09:00:00Z", "from": "+4930901820"}
TRANSFER = [
    RINGS,
    {"event": "answered", "agent": "alice", "time": "2026-03-02T09:00:10Z"},
    RINGS | {"agent": "bob", "time": "2026-03-02T09:01:00Z"},
]
UNTIMED = [{name: value for name, value in each.items() if name != "time"} for each in TRANSFER]


def state(*payloads: dict[str, Any]) -> CallState:
    told = [json.dumps({"call": "c-7", "id": str(n)} | each).encode() for n, each in enumerate(payloads)]
    return KINDS["telephony"].call(told, "")


def test_a_call_that_is_transferred_rings_at_the_second_agent_in_whatever_order_it_is_told() -> None:
    assert {state(*order) for order in permutations(TRANSFER)} == {
        CallState(frozenset({"alice", "bob"}), frozenset({"alice"}), "+4930901820")
    }
    for late in (UNTIMED[1::-1], TRANSFER[1::-1]):  # known by who answered, or by its time
        assert state(*late).talking == state(*late).agents == {"alice"}
    assert state(*UNTIMED).agents - state(*UNTIMED).talking == {"bob"}


def test_a_call_that_is_over_rings_at_nobody() -> None:
    over = state({"event": "ended"}, *TRANSFER)
    assert (over.agents, over.talking, over.is_over) == (frozenset(), frozenset(), True)


def test_a_call_that_we_make_rings_with_the_number_of_the_customer() -> None:
    ours = RINGS | {"direction": "OUTBOUND", "from": "+493011111111", "to": "+4930901820"}
    assert state(ours).number == "+4930901820"


@pytest.mark.parametrize("kind", ["sms", "telephony", "web-form"])
def test_a_number_that_nobody_can_be_found_by_is_told_as_it_came(kind: str) -> None:
    told = read(
        kind, {"call": "c", "event": "ended", "from": "030 901820", "phone": "030 901820", "text": "?"}
    )
    assert (told.handles, told.told) == ((), "030 901820")


def test_a_withheld_number_is_none() -> None:
    assert read("telephony", {"call": "c", "event": "ended", "from": "anonymous"}).handles == ()


def mail(html: str = "", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Erika Sömmer <erika@example.com>"
    message["Subject"] = "Wo ist es? ü"
    message["Message-ID"] = "<17@example.com>"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(html or "Guten Tag,\r\n\r\nwo ist es?\r\n", subtype="html" if html else "plain")
    return message


def of_mail(raw: bytes) -> Contact:
    kind = KINDS["email"]
    return kind.read([kind.keep(raw)], "")


def test_a_mail_is_its_subject_and_text_and_its_attachments_are_named() -> None:
    message = mail()
    message.add_attachment(b"harm" * 1000, maintype="application", subtype="pdf", filename="Rechnung ü.pdf")
    kept = KINDS["email"].keep(message.as_bytes())
    assert b"aGFybW" not in kept
    assert len(kept) < 1000
    told = KINDS["email"].read([kept], "")
    assert told.summary == "Wo ist es? ü\n\nGuten Tag,\n\nwo ist es?\n\nAttachments: Rechnung ü.pdf"
    assert (told.handles, told.name) == ((Handle("EMAIL", "erika@example.com"),), "Erika Sömmer")
    assert (told.occur_time, told.is_automatic) == (NINE, False)
    assert KINDS["email"].glance(kept, "").id == "<17@example.com>"


def test_a_mail_of_html_alone_is_what_is_read_of_it() -> None:
    head = "<html><head><style>p {}</style></head>"
    body = "<body><p>Wo&nbsp;ist <b>es</b>?</p><script>1</script>Gr&uuml;&szlig;e</body></html>"
    assert of_mail(mail(head + body).as_bytes()).summary == "Wo ist es? ü\n\nWo ist es?\nGrüße"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("2 < 3 <p>and 4 > 3", "2 < 3\nand 4 > 3"),
        ("<b>a</b><a <a <a ", "a<a <a <a"),
        ("a<!-- b --><!-- c > d", "a"),
        ("<![if mso]>a<![endif]><![CDATA[b", "a"),
    ],
)
def test_html_that_is_not_closed_is_read_at_one_go(
    monkeypatch: pytest.MonkeyPatch, html: str, text: str
) -> None:
    """A parser that seeks the end of each tag or comment in all that follows takes hours for a megabyte."""
    given: list[str] = []
    feed = _Words.feed

    def note(words: _Words, data: str) -> None:
        given.append(data)
        feed(words, data)

    monkeypatch.setattr(_Words, "feed", note)
    assert of_mail(mail(html).as_bytes()).summary == f"Wo ist es? ü\n\n{text}"
    assert re.findall(r"<!--|<!\[|<[^>]*(?=<|\Z)", given[0]) == []


def test_headers_are_read_as_long_as_anybody_writes_them() -> None:
    read = _Brief().header_source_parse
    assert len(read(["From: " + "a@b.c, " * 50_000])[1]) == HEADER_MAX
    assert read(["Content-Type: text/plain" + "; a=b" * 300])[1].count(";") < PARAMETERS_MAX


def test_eight_bit_mail_and_mail_of_no_known_character_set_is_read() -> None:
    raw = (
        "From: erika@example.com\r\nContent-Type: text/plain; charset={}\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße"
    )
    assert of_mail(raw.format("utf-8").encode()).summary == "Grüße"
    assert of_mail(raw.format("iso-8859-1").encode("latin-1")).summary == "Grüße"
    assert of_mail(raw.format("made-up").encode("latin-1")).summary == "Grüße"


ATTACHED = b"\r\n".join((
    b"From: erika@example.com",
    b"Content-Type: multipart/mixed; boundary=b",
    b"",
    b"--b\r\n\r\nHello",
    b"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png",
    b"Content-Transfer-Encoding: base64\r\n\r\n%s--b",
    b"Content-Type: image/png\r\nContent-Disposition: attachment; filename=b.png\r\n\r\n--b--",
))  # fmt: skip


@pytest.mark.parametrize(
    ("line", "names"),
    [(b"a" * 76 + b"\r\n", "a.png, b.png"), (b"a\r\n", "a.png, b.png"), (b"!\r\n", "a.png")],
)
def test_a_large_mail_takes_little_more_than_its_size_while_it_is_read(line: bytes, names: str) -> None:
    size = 6_000_000
    message = ATTACHED % (line * (size // len(line)))
    tracemalloc.start()
    kept = KINDS["email"].keep(message)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * size
    assert KINDS["email"].read([kept], "").summary == f"Hello\n\nAttachments: {names}"


NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(300))


@pytest.mark.parametrize("parts", [b"--b\r\n\r\nx\r\n" * 20_000, NESTED], ids=["many", "nested"])
def test_a_mail_whose_parts_would_take_the_parser_long_is_for_a_person(parts: bytes) -> None:
    message = b"From: erika@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts
    kept = KINDS["email"].keep(message)
    assert message.startswith(kept)
    with pytest.raises(NotUnderstood):
        KINDS["email"].read([kept], "")


@pytest.mark.parametrize("headers", [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}])
def test_what_a_machine_wrote_is_known(headers: dict[str, str]) -> None:
    assert of_mail(mail(**headers).as_bytes()).is_automatic


NO_ZONE = "time: must have a time zone, as 2026-03-02T09:00:00Z"


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("event", b"<xml/>", "body: must be JSON in UTF-8"),
        ("event", b"[]", "body: must be an object"),
        ("event", b"[" * 100_000, "body: must be JSON in UTF-8"),
        ("event", b"{}", "channel: is missing"),
        ("sms", b'{"from": "+4930901820"}', "text: is missing"),
        ("event", b'{"channel": "WEB", "time": "2026-03-02T09:00:00"}', NO_ZONE),
        ("email", b"no mail at all", "body: must be a message with a sender in `From` (RFC 5322)"),
        ("email", b"", "body: must be a message with a sender in `From` (RFC 5322)"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_says_why_and_repeats_nothing(kind: str, body: bytes, problem: str) -> None:
    assert problem in problems(kind, body)


def test_no_problem_repeats_what_was_sent() -> None:
    told = problems(
        "event", b'{"channel": "canary", "customer": "canary", "identifiers": [{"type": "canary"}]}'
    )
    assert len(told) >= 3
    assert not [each for each in told if "canary" in each]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["channel", "call", "event", "from", "to", "text", "messages", "document", "network", "handle", "time",
     "identifiers", "fields", "menu", "name", "customer"]
)  # fmt: skip
GARBAGE = st.binary(max_size=300) | st.dictionaries(FIELDS, JSON, max_size=6).map(
    lambda each: json.dumps(each).encode()
)


@settings(max_examples=40)
@given(body=GARBAGE)
def test_whatever_comes_is_a_contact_or_not_understood(body: bytes) -> None:
    for kind in KINDS.values():
        for read in (kind.glance, lambda kept, region, kind=kind: kind.read([kept], region)):
            with contextlib.suppress(NotUnderstood):
                read(kind.keep(body), "DE")


@given(st.lists(st.text(max_size=3000), max_size=4))
def test_a_summary_is_text_that_a_timeline_takes(parts: list[str]) -> None:
    told = words(*parts)
    assert len(told) <= SUMMARY_MAX
    assert not NOT_TEXT.search(told)


def test_a_summary_that_is_cut_says_so() -> None:
    assert words("a" * 5000).endswith("a\n\n[The first part of 5,000 characters.]")


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("submitted", "DELAYED"),
        ("delivered", "DELIVERED"),
        ("read", "DELIVERED"),
        ("rejected", "TEMPORARY_FAILURE"),
        ("undeliverable", "TEMPORARY_FAILURE"),
    ],
)
def test_what_vonage_says_of_a_message_is_what_became_of_it(status: str, delivery: str) -> None:
    told = {
        "channel": "sms",
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "client_ref": "0199b2a4.0",
        "to": "4930901820",
        "status": status,
        "timestamp": "2026-03-02T09:00:00.000Z",
        "error": {"title": "1320", "type": "https://example.com/errors", "detail": "The number 49..."},
    }
    body = json.dumps(told).encode()
    receipt = KINDS["vonage-status"].receipt([body])
    assert receipt is not None
    assert receipt.provider == "providers/vonage"
    assert (receipt.provider_key, receipt.delivery, receipt.code) == ("0199b2a4.0", delivery, "1320")
    assert receipt.recipient == "+4930901820"
    assert KINDS["vonage-status"].glance(body, "").id == f"{told['message_uuid']} {status}"
