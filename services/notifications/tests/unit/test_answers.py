"""What a mail server's refusal is about decides whether it is tried again."""

import pytest

from chassis.work import Later, Ours, Refused, Verdict
from notifications.channels.channel import Away, Unwanted
from notifications.channels.smtp import of_what_it_says, refusal


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (530, "5.7.0 Authentication Required"),
        (535, "5.7.8 Username and Password not accepted"),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
        (553, "5.7.1 Sender address rejected: not owned by user"),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts"),
        (554, "5.7.1 <maria@example.com>: Relay access denied"),
        (554, "Relay access denied"),
        (550, "relay not permitted"),
        (550, "5.4.5 Daily user sending limit exceeded"),
        (550, "Daily sending quota: too many messages"),
        (550, "5.1.8 Sender address rejected: Domain not found"),
        (550, "5.7.26 This message does not have authentication information"),
        (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a blocklist"),
        (554, "Message not accepted. Invalid Subject header"),
        (550, "5.0.0 sender not allowed"),
        (503, "5.5.1 Bad sequence of commands"),
    ],
)
def test_what_is_about_us_is_ours_to_mend(code: int, text: str) -> None:
    assert type(refusal(code, text, of_recipient=True)) is Ours


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (550, "no such mailbox"),
        (550, "5.1.1 User unknown"),
        (550, "5.1.10 Recipient address has null MX"),
        (550, "5.4.1 Recipient address rejected: Access denied"),
        (552, "5.2.2 Mailbox full"),
        (552, "Mailbox quota exceeded"),
        (553, "5.1.3 The recipient address is not a valid address"),
        (550, "5.5.0 Requested action not taken: mailbox unavailable"),
        (550, "5.6.7 an address of this kind is not permitted"),
    ],
)
def test_what_is_about_the_recipient_is_for_good(code: int, text: str) -> None:
    assert type(refusal(code, text, of_recipient=True)) is Refused
    assert type(refusal(code, text, of_recipient=False)) is Ours  # there was none yet


@pytest.mark.parametrize(
    ("code", "text", "what"),
    [
        (421, "4.7.0 try again", Away),
        (452, "4.3.1 insufficient system storage", Away),
        (452, "too many recipients", Away),
        (451, "4.7.28 unusual rate of unsolicited mail", Away),
        (450, "4.2.0 greylisted", Later),
        (452, "4.2.2 mailbox full", Later),
    ],
)
def test_what_is_busy_is_asked_later_and_a_mailbox_says_nothing_of_the_server(
    code: int, text: str, what: type[Later]
) -> None:
    assert type(refusal(code, text, of_recipient=True)) is what
    assert type(refusal(code, text, of_recipient=False)) is Away


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (554, "5.7.1 Message rejected as spam", Verdict.OURS),
        (552, "5.3.4 message too big for system", Verdict.OURS),
        (450, "4.7.1 looks like spam, try later", Verdict.LATER),
    ],
)
def test_what_is_said_after_the_message_is_about_that(code: int, text: str, verdict: Verdict) -> None:
    refused = of_what_it_says(refusal(code, text, of_recipient=True))
    assert (type(refused), refused.verdict) == (Unwanted, verdict)


@pytest.mark.parametrize(
    ("code", "text", "what"),
    [
        (421, "4.7.0 closing", Away),
        (452, "4.3.1 insufficient system storage", Away),
        (451, "4.7.28 unusual rate of unsolicited mail", Away),
        (550, "5.1.1 User unknown", Refused),
        (450, "4.2.0 greylisted", Later),
    ],
)
def test_unless_it_is_about_the_server_or_the_recipient(code: int, text: str, what: type) -> None:
    assert type(of_what_it_says(refusal(code, text, of_recipient=True))) is what


def test_the_code_is_kept_and_the_text_is_not() -> None:
    assert refusal(550, "5.1.1 <maria@example.com> unknown", of_recipient=True).code == "550 5.1.1"
    assert refusal(554, "maria@example.com refused", of_recipient=True).code == "554"
