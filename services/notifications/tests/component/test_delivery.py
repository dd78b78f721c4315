"""Delivery: consent at the moment of use, retries, refusals, and processes that die in between."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from opentelemetry.sdk.trace import ReadableSpan
from structlog.testing import capture_logs

from chassis.db.schema import METADATA as CHASSIS
from chassis.db.statement import Statement
from chassis.work import Later
from notifications.store.tables import METADATA
from rapport.cases.v1 import agent_pb2
from rapport.common.v1 import channel_pb2
from rapport_testing.wait import eventually

WORK = Statement[Any](sa.select(CHASSIS.tables["work"]))
LONG_ENOUGH = timedelta(minutes=10)  # for any pause between attempts


@pytest.mark.parametrize("reason", ["consent-denied", "no-address"])
async def test_without_consent_or_address_the_notice_is_suppressed_with_the_reason(
    desk: Any, reason: str
) -> None:
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = reason
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert (notice.reason_code, notice.attempt_count) == (reason, 0)
    assert desk.mail.received == []
    [requested] = await desk.told("NoticeRequested")
    [suppressed] = await desk.told("NoticeSuppressed")
    assert (suppressed.data.reason_code, suppressed.causation_id) == (reason, requested.id)
    [asked] = desk.peers.customers.asked
    assert (asked.name, asked.purpose) == (desk.customer, "purposes/service")
    assert list(asked.channels) == [
        channel_pb2.CHANNEL_EMAIL,
        channel_pb2.CHANNEL_SMS,
        channel_pb2.CHANNEL_APP,
    ]


async def test_a_customer_nobody_knows_is_not_written_to(desk: Any) -> None:
    desk.peers.customers.absent = desk.customer
    event = desk.at_risk()
    await desk.hear(event)
    assert (await desk.notice_in("SUPPRESSED", event.promise)).reason_code == "customer-not-found"


async def test_a_purpose_nobody_created_is_ours_to_mend(desk: Any) -> None:
    desk.peers.customers.absent = "purposes/service"
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "purpose-not-found")]


async def test_a_consent_withdrawn_between_two_attempts_counts(desk: Any) -> None:
    desk.mail.replies = ["451 try later"]
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "consent-denied"
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SUPPRESSED", event.promise)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "451")]
    assert desk.mail.accepted == []


async def test_a_temporary_refusal_is_tried_again_under_the_same_message_id(desk: Any) -> None:
    desk.mail.replies = ["451 try later", "421 not now"]
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    desk.clock.advance(LONG_ENOUGH)
    await tried(desk, event.promise, 2)
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SENT", event.promise)
    assert await desk.outcomes(notice) == [
        ("TEMPORARY_FAILURE", "451"),
        ("TEMPORARY_FAILURE", "421"),
        ("ACCEPTED", "250"),
    ]
    assert len({mail["Message-ID"] for mail in desk.mail.received}) == 1
    assert {attempt.provider_key for attempt in await desk.attempts(notice)} == {
        desk.mail.received[0]["Message-ID"]
    }
    assert len(await desk.told("NoticeSent")) == 1


async def test_whatever_success_a_server_answers_the_message_is_sent_once(desk: Any) -> None:
    desk.mail.replies = ["252 taken, and will be tried"]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert await desk.outcomes(notice) == [("ACCEPTED", "252")]


async def test_a_message_that_the_provider_refuses_has_failed_for_good(desk: Any) -> None:
    desk.mail.replies = ["550 no such mailbox"]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("FAILED", event.promise)
    assert (notice.reason_code, await desk.outcomes(notice)) == ("refused", [("PERMANENT_FAILURE", "550")])
    desk.clock.advance(LONG_ENOUGH)
    [failed] = await desk.told("NoticeFailed")
    assert failed.data.reason_code == "refused"
    other = desk.at_risk()
    await desk.hear(other)
    await desk.notice_in("SENT", other.promise)
    assert len(desk.mail.received) == 2


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "530 5.7.0 Authentication Required"),
        ("MAIL", "550 5.1.1 sender unknown"),
        ("RCPT", "554 5.7.1 Relay access denied"),
        ("RCPT", "553 5.7.1 Sender address rejected: not owned by user"),
        ("DATA", "550 5.4.5 Daily user sending limit exceeded"),
        ("DATA", "554 Message not accepted. Invalid Subject header"),
    ],
)
async def test_what_a_server_refuses_about_us_is_shown_and_tried_until_we_have_mended_it(
    desk: Any, command: str, answer: str
) -> None:
    desk.mail.replies = [answer] if command == "DATA" else []
    desk.mail.refusals[command] = [answer]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    code = answer[:9] if "." in answer[:9] else answer[:3]
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", code)]
    [row] = await WORK.all(desk.running.db)
    assert (row["state"], row["alarm"]) == ("PENDING", True)
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)
    [row] = await WORK.all(desk.running.db)
    assert (row["state"], row["alarm"]) == ("DONE", False)


async def test_a_server_that_wants_to_know_us_first_is_asked_again(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = ["450 4.2.0 greylisted"]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "450 4.2.0")]
    [row] = await WORK.all(desk.running.db)
    assert (row["state"], row["alarm"]) == ("PENDING", False)
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)


async def test_a_recipient_who_is_unknown_has_failed_for_good(desk: Any) -> None:
    desk.mail.refusals["RCPT"] = ["550 5.1.1 User unknown"]
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("FAILED", event.promise)
    assert await desk.outcomes(notice) == [("PERMANENT_FAILURE", "550 5.1.1")]


async def test_a_domain_of_any_script_is_written_so_that_every_server_takes_it(desk: Any) -> None:
    await desk.mail.stop()
    desk.mail.utf8 = False
    await desk.mail.start()
    desk.peers.customers.answer.address = "anna@bücher.example"
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    assert desk.mail.recipients == ["anna@xn--bcher-kva.example"]


@pytest.mark.parametrize("utf8", [True, False])
async def test_a_local_part_of_any_script_is_taken_or_told_at_once(desk: Any, utf8: bool) -> None:
    await desk.mail.stop()
    desk.mail.utf8 = utf8
    await desk.mail.start()
    desk.peers.customers.answer.address = "jörg@example.com"
    event = desk.at_risk()
    await desk.hear(event)
    if utf8:
        await desk.notice_in("SENT", event.promise)
        assert desk.mail.recipients == ["jörg@example.com"]
    else:
        notice = await desk.notice_in("FAILED", event.promise)
        assert await desk.outcomes(notice) == [("PERMANENT_FAILURE", "address-needs-smtputf8")]


async def test_an_agents_address_that_cannot_be_written_costs_no_notice(desk: Any) -> None:
    desk.peers.directory.agents["agents/sam"].email = '"'
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert mail["Reply-To"] is None


async def test_a_notice_that_cannot_be_rendered_waits_until_its_template_is_mended(desk: Any) -> None:
    hiding = "{% if customer_name != 'Canary Maria Anders' %}{{ apology }}{% endif %}"
    text = await desk.text()
    await desk.update_text(body=text.body.replace("{{ apology }}", hiding))
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "template-part-missing")]
    [row] = await WORK.all(desk.running.db)
    assert (row["state"], row["alarm"]) == ("PENDING", True)
    await desk.update_text(body=text.body)
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SENT", event.promise)
    assert (notice.text_version, len(desk.mail.received)) == (3, 1)


async def test_encoded_words_in_a_name_or_a_value_stay_what_they_are(desk: Any) -> None:
    word = "=?utf-8?q?=0d=0aBcc:_evil=40example.com=0d=0a=0d=0a<h1>forged</h1>?="
    desk.peers.customers.answer.display_name = word
    event = desk.at_risk(reference=word)
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert mail["Bcc"] is None
    assert mail["To"].addresses[0].display_name == word
    assert mail["Subject"].startswith(word)
    assert mail["Message-ID"] == (await desk.attempts(notice))[0].provider_key
    assert mail["Content-Language"] == "en-GB"


async def test_a_provider_that_was_down_gets_the_message_when_it_is_up(desk: Any) -> None:
    await desk.mail.stop()
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "smtp-connect-error")]
    await desk.mail.start()
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SENT", event.promise)
    assert len(desk.mail.accepted) == 1


async def test_a_customer_service_that_was_down_is_asked_again(desk: Any) -> None:
    desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    event = desk.at_risk()
    await desk.hear(event)
    with capture_logs() as logs:
        notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "customer-unavailable")]
    [said] = [line for line in logs if line["event"].startswith("a notice could not be handed over")]
    assert (said["notice"], said["attempt"], said["code"]) == (notice.name, 1, "customer-unavailable")
    desk.peers.customers.failure = None
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)


async def test_a_directory_that_was_down_is_asked_again(desk: Any) -> None:
    desk.peers.directory.failure = grpc.StatusCode.INTERNAL
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "cases-internal")]
    desk.peers.directory.failure = None
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)


async def test_what_cannot_be_sent_while_it_is_of_use_is_given_up(desk: Any) -> None:
    await desk.mail.stop()
    event = desk.at_risk(forecast_days=1)
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    desk.clock.advance(timedelta(days=1))
    notice = await desk.notice_in("FAILED", event.promise)
    assert (notice.reason_code, notice.attempt_count) == ("gave-up", 1)
    [failed] = await desk.told("NoticeFailed")
    assert failed.data.reason_code == "gave-up"


@pytest.mark.parametrize("manager", ["", "agents/gone"])
async def test_a_customer_without_a_manager_is_given_the_front_desk(desk: Any, manager: str) -> None:
    desk.peers.customers.answer.relationship_manager = manager
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert "Lea Front" in mail.get_body(("plain",)).get_content()
    assert mail["Reply-To"] is None


@pytest.mark.parametrize(
    ("manager", "signs"), [("agents/front-desk", "Ada Case"), ("", "Ada Case"), ("agents/sam", "Sam Reed")]
)
async def test_whoever_owns_the_case_signs_where_nobody_in_person_looks_after_the_customer(
    desk: Any, manager: str, signs: str
) -> None:
    desk.peers.customers.answer.relationship_manager = manager
    ada = agent_pb2.Agent(name="agents/ada", display_name="Ada Case", email="ada@acme.example")
    desk.peers.directory.agents[ada.name] = ada
    event = desk.at_risk()
    desk.peers.cases.owners[event.case] = ada.name
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert signs in mail.get_body(("plain",)).get_content()


async def test_who_may_not_ask_whose_a_case_is_has_the_front_desk_sign(desk: Any) -> None:
    desk.peers.customers.answer.relationship_manager = ""
    desk.peers.cases.failure = grpc.StatusCode.PERMISSION_DENIED  # a release before was not given that
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    assert "Lea Front" in desk.mail.accepted[0].get_body(("plain",)).get_content()


async def test_without_a_named_human_nothing_is_sent(desk: Any) -> None:
    desk.peers.directory.agents.clear()
    event = desk.at_risk()
    await desk.hear(event)
    notice = await tried(desk, event.promise, 1)
    assert await desk.outcomes(notice) == [("TEMPORARY_FAILURE", "no-contact-person")]
    assert desk.mail.received == []


async def test_a_name_cannot_add_headers_or_recipients(desk: Any) -> None:
    desk.peers.customers.answer.display_name = "Eve\r\nBcc: everybody@example.com\r\n\r\nHello"
    event = desk.at_risk(reference="orders/1\r\nBcc: everybody@example.com")
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    [mail] = desk.mail.accepted
    assert mail["Bcc"] is None
    assert desk.mail.recipients == ["canary.maria@example.com"]
    assert mail["Subject"].startswith("1 Bcc: everybody@example.com: a new date")


async def test_an_address_that_is_none_is_refused_without_asking_the_provider(desk: Any) -> None:
    desk.peers.customers.answer.address = "maria@example.com\r\nRCPT TO:<eve@example.com>"
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("FAILED", event.promise)
    assert await desk.outcomes(notice) == [("PERMANENT_FAILURE", "invalid-address")]
    assert (notice.reason_code, desk.mail.received) == ("invalid-address", [])


async def test_a_database_that_fails_over_while_a_message_is_answered_costs_no_second_mail(
    desk: Any, infrastructure: Any
) -> None:
    desk.mail.gate.clear()
    event = desk.at_risk()
    await desk.hear(event)
    await eventually(lambda: len(desk.mail.received) == 1)
    async with infrastructure.failover(desk.running.app.settings.database_url):
        desk.mail.gate.set()
        await eventually(lambda: len(desk.mail.accepted) == 1)
    notice = await desk.notice_in("SENT", event.promise)
    assert await desk.outcomes(notice) == [("ACCEPTED", "250")]
    assert len(desk.mail.received) == 1


async def test_a_notice_that_others_hold_for_longer_than_a_lock_is_waited_for_costs_no_second_mail(
    desk: Any,
) -> None:
    desk.mail.gate.clear()
    event = desk.at_risk()
    await desk.hear(event)
    await eventually(lambda: len(desk.mail.received) == 1)
    waiters = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with desk.running.db.connection() as holder, desk.running.db.connection() as watcher:
        await holder.execute("BEGIN; SELECT FROM notices FOR UPDATE")
        desk.mail.gate.set()

        async def waits() -> Any:
            return await watcher.fetchval(waiters)

        async def has_given_up() -> bool:
            return not await watcher.fetchval(waiters)

        await eventually(waits)
        await eventually(has_given_up)
        await holder.execute("ROLLBACK")
    notice = await desk.notice_in("SENT", event.promise)
    assert await desk.outcomes(notice) == [("ACCEPTED", "250")]
    assert len(desk.mail.received) == 1


@pytest.mark.parametrize(
    ("reply", "text"),
    [("250 an answer that is lost", ("en-GB", 1)), ("451 try later", ("it", 1))],
    ids=["lost", "refused"],
)
async def test_a_repeat_keeps_the_text_of_what_it_repeats_and_what_was_refused_gets_the_newest(
    desk: Any, reply: str, text: tuple[str, int]
) -> None:
    desk.mail.replies = [reply]
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    await desk.update_text(subject=f"Mended: {(await desk.text()).subject}")
    desk.peers.customers.answer.language_code = "it"
    italian = await desk.text()
    italian.subject = f"Mended: {italian.subject}"
    await desk.create_text("delay", "it", italian)
    desk.clock.advance(LONG_ENOUGH)
    notice = await desk.notice_in("SENT", event.promise)
    assert (notice.language_code, notice.text_version) == text
    assert desk.mail.accepted[0]["Subject"].startswith("Mended: ") == (text[0] == "it")


async def test_personal_data_is_in_no_row_no_event_and_no_span(desk: Any, spans: list[ReadableSpan]) -> None:
    desk.mail.replies = ["451 canary.maria@example.com is greylisted"]
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)
    await desk.explain((await desk.notices_of(event.promise))[0].name)
    for table in (*METADATA.sorted_tables, *CHASSIS.sorted_tables):
        rows = await Statement[Any](sa.select(table)).all(desk.running.db)
        assert "canary" not in repr([tuple(row) for row in rows]).lower(), table.name
    exported = repr([(s.name, dict(s.attributes or {}), s.status.description, s.events) for s in spans])
    assert "send smtp" in exported
    assert "canary" not in exported.lower()


async def test_the_mail_is_sent_in_the_trace_of_the_event(desk: Any, spans: list[ReadableSpan]) -> None:
    event = desk.at_risk()
    await desk.hear(event)
    await desk.notice_in("SENT", event.promise)
    await eventually(lambda: "work notice-send" in [span.name for span in spans])
    [smtp] = [span for span in spans if span.name == "send smtp"]
    trace = smtp.context.trace_id
    assert {"process cases", "work notice-send"} <= {
        span.name for span in spans if span.context.trace_id == trace
    }


async def tried(desk: Any, promise: str, attempts: int) -> Any:
    """The notice about a promise, once that many attempts have ended, and it is tried again."""

    async def found() -> Any:
        notices = await desk.notices_of(promise)
        outcomes = await desk.outcomes(notices[0]) if notices else []
        ended = len(outcomes) == attempts and outcomes[-1][0] in ("TEMPORARY_FAILURE", "UNKNOWN")
        return notices[0] if ended else None

    return await eventually(found)


@pytest.mark.parametrize("status", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED])
@pytest.mark.parametrize("peer", ["customers", "directory", "promises"])
async def test_what_a_service_refuses_us_is_shown_until_we_have_mended_it(
    desk: Any, peer: str, status: grpc.StatusCode
) -> None:
    getattr(desk.peers, peer).failure = status
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    [row] = await WORK.all(desk.running.db)
    service = "customer" if peer == "customers" else "cases"
    code = f"{service}-{status.name.lower().replace('_', '-')}"
    assert (row["state"], row["alarm"], row["code"]) == ("PENDING", True, code)


async def test_that_there_is_nobody_to_name_is_shown_until_we_have_mended_it(desk: Any) -> None:
    agents = desk.peers.directory.agents
    gone = dict(agents)
    agents.clear()
    event = desk.at_risk()
    await desk.hear(event)
    await tried(desk, event.promise, 1)
    [row] = await WORK.all(desk.running.db)
    assert (row["alarm"], row["code"]) == (True, "no-contact-person")
    agents.update(gone)
    desk.clock.advance(LONG_ENOUGH)
    await desk.notice_in("SENT", event.promise)


async def test_the_mail_server_is_greeted_without_a_message_when_somebody_checks(desk: Any) -> None:
    greet = desk.running.app.probes["the mail server"]
    await greet()
    await desk.mail.stop()
    with pytest.raises(Later):
        await greet()
    assert desk.mail.received == []
