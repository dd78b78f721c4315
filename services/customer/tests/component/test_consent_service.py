from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import timestamp
from customer.domain.timeline import Channel
from rapport.common.v1 import channel_pb2
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_LETTER, CHANNEL_SMS
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ExplainPreferencesRequest,
    GetConsentRequest,
    GetPreferencesRequest,
    ListConsentsRequest,
    UpdateConsentRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.customer_service_pb2 import DeleteIdentifierRequest
from rapport.customer.v1.preferences_pb2 import Preferences

pytestmark = pytest.mark.together
GRANTED, DENIED = Consent.State.STATE_GRANTED, Consent.State.STATE_DENIED
SERVICE, MARKETING = "purposes/service", "purposes/marketing"


async def say(desk, customer, state, about="service.email", mask=(), missing=True, **fields):
    consent = Consent(name=f"{customer}/consents/{about}", state=state, **fields)
    return await desk.consents.UpdateConsent(
        UpdateConsentRequest(consent=consent, allow_missing=missing, update_mask=FieldMask(paths=mask))
    )


async def check(desk, customer, *channels, purpose=SERVICE):
    request = CheckContactRequest(name=customer, purpose=purpose, channels=channels or [CHANNEL_EMAIL])
    return await desk.consents.CheckContact(request)


async def prefer(desk, customer, *channels, etag="", mask=()):
    preferences = Preferences(name=f"{customer}/preferences", channels=channels, etag=etag)
    request = UpdatePreferencesRequest(preferences=preferences, update_mask=FieldMask(paths=mask))
    return await desk.consents.UpdatePreferences(request)


async def test_a_consent_is_noted_told_and_read_back(desk):
    anna = await desk.create()
    said = await say(desk, anna.name, DENIED, wording_version="2026-01", source="call")
    assert (said.name, said.etag) == (f"{anna.name}/consents/service.email", '"1"')
    assert (said.purpose, said.channel, said.effective_time) == (SERVICE, CHANNEL_EMAIL, said.update_time)
    visit = await say(desk, anna.name, GRANTED, "marketing.field-visit")
    found = await desk.consents.ListConsents(ListConsentsRequest(parent=anna.name))
    assert list(found.consents) == [visit, said]
    assert await desk.consents.GetConsent(GetConsentRequest(name=said.name)) == said
    fact, other = await desk.facts("ConsentUpdated")
    for field in ("purpose", "channel", "state", "source", "wording_version", "effective_time"):
        assert getattr(fact.data, field) == getattr(said, field), field
    assert (fact.data.consent, other.data.consent) == (said.name, visit.name)


async def test_consents_come_in_pages(desk):
    anna = await desk.create()
    for channel in ("email", "fax", "sms"):
        await say(desk, anna.name, GRANTED, f"service.{channel}")
    page = await desk.consents.ListConsents(ListConsentsRequest(parent=anna.name, page_size=2))
    rest = ListConsentsRequest(parent=anna.name, page_size=2, page_token=page.next_page_token)
    last = await desk.consents.ListConsents(rest)
    names = [consent.name.rpartition(".")[2] for consent in (*page.consents, *last.consents)]
    assert (names, last.next_page_token) == (["email", "fax", "sms"], "")


async def test_every_answer_is_kept_and_the_last_one_counts(desk, clock, infrastructure):
    anna = await desk.create(desk.email(f"{uuid4()}@example.com"))
    for state in (DENIED, GRANTED, DENIED):
        clock.advance(timedelta(minutes=1))
        last = await say(desk, anna.name, state)
    found = await desk.consents.ListConsents(ListConsentsRequest(parent=anna.name))
    assert list(found.consents) == [last]
    facts = await desk.facts("ConsentUpdated")
    assert [fact.version for fact in facts] == [1, 2, 3]
    assert [fact.data.previous_state for fact in facts] == [Consent.STATE_UNSPECIFIED, DENIED, GRANTED]
    async with desk.running.db.connection() as connection:
        history = await connection.fetch("SELECT version, state, actor FROM consent_history ORDER BY version")
        assert [tuple(row) for row in history] == [
            (1, "DENIED", "agent:alice"),
            (2, "GRANTED", "agent:alice"),
            (3, "DENIED", "agent:alice"),
        ]
    async with infrastructure.superuser(desk.running.db._url) as connection:
        with pytest.raises(Exception, match="append-only"):
            await connection.execute("UPDATE consent_history SET state = 'GRANTED'")


async def test_what_was_said_before_what_is_known_does_not_count_however_late_it_is_noted(desk, refused):
    anna = await desk.create()
    now = desk.clock.now()
    denied = await say(desk, anna.name, DENIED, effective_time=timestamp(now - timedelta(days=2)))
    assert denied.update_time == timestamp(now)
    paper = say(desk, anna.name, GRANTED, effective_time=timestamp(now - timedelta(days=3)))
    assert await refused(paper) == "FAILED_PRECONDITION CONSENT_SUPERSEDED"
    later = await say(desk, anna.name, GRANTED, effective_time=timestamp(now - timedelta(days=1)))
    assert (later.state, later.etag) == (GRANTED, '"2"')


async def test_of_the_same_time_a_no_holds_in_whatever_order_they_are_noted(desk, refused):
    anna, boris = await desk.create(), await desk.create()
    at = timestamp(desk.clock.now() - timedelta(days=3))
    await say(desk, anna.name, DENIED, effective_time=at)
    yes = say(desk, anna.name, GRANTED, effective_time=at)
    assert await refused(yes) == "FAILED_PRECONDITION CONSENT_SUPERSEDED"
    await say(desk, boris.name, GRANTED, effective_time=at)
    assert (await say(desk, boris.name, DENIED, effective_time=at)).state == DENIED


async def test_what_is_said_now_is_last_even_where_the_clock_is_behind(desk, clock):
    anna = await desk.create()
    granted = await say(desk, anna.name, GRANTED)
    clock.advance(timedelta(milliseconds=-300))
    denied = await say(desk, anna.name, DENIED)
    assert (denied.state, denied.effective_time) == (DENIED, granted.effective_time)


async def test_a_correction_says_nothing_again_and_no_correction_changes_nothing(desk, clock):
    anna = await desk.create()
    said = await say(desk, anna.name, GRANTED, source="web-form")
    clock.advance(timedelta(days=400))
    last_week = timestamp(clock.now() - timedelta(days=7))
    assert await say(desk, anna.name, 0) == said
    assert await say(desk, anna.name, 0, mask=["source"], source="web-form") == said
    mended = await say(desk, anna.name, 0, mask=["source", "wording_version"], source="call")
    assert (mended.source, mended.state, mended.etag) == ("call", GRANTED, '"2"')
    assert mended.effective_time == said.effective_time
    assert (await say(desk, anna.name, DENIED, effective_time=last_week)).effective_time == last_week
    facts = await desk.facts("ConsentUpdated")
    assert [(fact.data.previous_state, fact.data.state) for fact in facts] == [
        (Consent.STATE_UNSPECIFIED, GRANTED),
        (GRANTED, GRANTED),
        (GRANTED, DENIED),
    ]


@pytest.mark.parametrize(
    ("mask", "given", "proof"),
    [
        ([], {}, ("", "")),
        (["state"], {}, ("", "")),
        (["state"], {"source": "call"}, ("", "")),
        (["effective_time"], {}, ("", "")),
        (["*"], {}, ("", "")),
        ([], {"source": "call"}, ("call", "")),
        (["state", "wording_version"], {"wording_version": "2026-01"}, ("", "2026-01")),
    ],
)
async def test_what_is_said_again_has_the_proof_that_is_given_with_it_and_none_of_before(
    desk, clock, mask, given, proof
):
    anna = await desk.create()
    await say(desk, anna.name, GRANTED, source="web-form", wording_version="2024-01")
    clock.advance(timedelta(days=100))
    again = await say(desk, anna.name, GRANTED, mask=mask, missing=False, **given)
    assert (again.source, again.wording_version) == proof
    assert again.effective_time == timestamp(clock.now())
    fact = (await desk.facts("ConsentUpdated"))[-1]
    assert (fact.data.source, fact.data.wording_version) == proof
    async with desk.running.db.connection() as connection:
        kept = await connection.fetch(
            "SELECT source, wording_version FROM consent_history ORDER BY version DESC LIMIT 1"
        )
    assert tuple(kept[0]) == proof


@pytest.mark.parametrize("seconds", [0.05, 60])
async def test_a_customer_says_now_what_a_clock_ahead_of_ours_says_of_a_minute_from_now(desk, clock, seconds):
    anna = await desk.create()
    await say(desk, anna.name, DENIED)
    clock.advance(timedelta(minutes=1))
    ahead = timestamp(clock.now() + timedelta(seconds=seconds))
    said = await say(desk, anna.name, GRANTED, effective_time=ahead)
    assert (said.state, said.effective_time) == (GRANTED, timestamp(clock.now()))


async def test_what_was_never_told_is_explained_as_that(desk):
    anna = await desk.create()
    ask = ExplainPreferencesRequest(name=f"{anna.name}/preferences")
    assert (await desk.consents.ExplainPreferences(ask)).summary == "Nothing has been told of this yet."
    await prefer(desk, anna.name, CHANNEL_SMS)
    assert (await desk.consents.ExplainPreferences(ask)).summary.startswith("Preferences updated 20")


async def test_of_a_new_consent_all_that_is_given_counts_whatever_the_mask_names(desk):
    anna = await desk.create()
    at = timestamp(desk.clock.now() - timedelta(days=30))
    said = await say(desk, anna.name, DENIED, mask=["source"], source="call", effective_time=at)
    assert (said.state, said.source, said.effective_time) == (DENIED, "call", at)


async def test_only_the_masked_fields_of_a_consent_change(desk, refused):
    anna = await desk.create()
    new = say(desk, anna.name, GRANTED, missing=False)
    assert await refused(new) == "NOT_FOUND RESOURCE_NOT_FOUND"
    await say(desk, anna.name, GRANTED, wording_version="1", source="web-form")
    changed = await say(desk, anna.name, DENIED, mask=["source"], missing=False, source="call")
    assert (changed.state, changed.wording_version, changed.source) == (GRANTED, "1", "call")
    never = timestamp(desk.clock.now())
    never.seconds = 2**60  # what the mask leaves out is not even read
    again = await say(
        desk, anna.name, DENIED, mask=["source"], missing=False, source="web", effective_time=never
    )
    assert (again.state, again.source) == (GRANTED, "web")
    stale = say(desk, anna.name, DENIED, etag='"1"')
    assert await refused(stale) == "ABORTED ETAG_MISMATCH"


async def test_a_consent_that_is_not_well_formed_is_refused(desk, refused, nobody):
    anna = await desk.create()
    ahead = timestamp(desk.clock.now() + timedelta(seconds=61))
    for fields, reason in (
        ({"state": 0}, "REQUIRED"),
        ({"state": 9}, "INVALID_ENUM"),
        ({"state": GRANTED, "about": "service.telepathy"}, "INVALID_NAME"),
        ({"state": GRANTED, "about": "service.EMAIL"}, "INVALID_NAME"),
        ({"state": GRANTED, "about": "email"}, "INVALID_NAME"),
        ({"state": GRANTED, "source": "At the desk"}, "INVALID_CODE"),
        ({"state": GRANTED, "wording_version": "x" * 101}, "INVALID_CODE"),
        ({"state": GRANTED, "wording_version": "as Anna saw it"}, "INVALID_CODE"),
        ({"state": GRANTED, "effective_time": ahead}, "INVALID_TIME"),
    ):
        assert await refused(say(desk, anna.name, **fields)) == f"INVALID_ARGUMENT {reason}", fields


async def test_a_purpose_that_does_not_exist_is_refused(desk, refused):
    anna = await desk.create(desk.email(f"{uuid4()}@example.com"))
    for call in (
        say(desk, anna.name, GRANTED, "gossip.email"),
        check(desk, anna.name, purpose="purposes/gossip"),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_preferences_are_set_in_order_told_and_read_back(desk):
    anna = await desk.create()
    name = f"{anna.name}/preferences"
    assert await desk.consents.GetPreferences(GetPreferencesRequest(name=name)) == Preferences(name=name)
    set_once = await prefer(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL, CHANNEL_SMS)
    assert (list(set_once.channels), set_once.etag) == ([CHANNEL_SMS, CHANNEL_EMAIL], '"1"')
    assert await desk.consents.GetPreferences(GetPreferencesRequest(name=name)) == set_once
    assert await prefer(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL) == set_once
    (fact,) = await desk.facts("PreferencesUpdated")
    assert (fact.data.preferences, fact.version) == (name, 1)
    assert list(fact.data.channels) == [CHANNEL_SMS, CHANNEL_EMAIL]


async def test_preferences_are_emptied_only_when_the_mask_says_so(desk):
    anna = await desk.create()
    before = await prefer(desk, anna.name, CHANNEL_SMS)
    assert await prefer(desk, anna.name) == before
    assert list((await prefer(desk, anna.name, mask=["channels"])).channels) == []


async def test_a_stale_change_of_preferences_is_refused(desk, refused):
    anna = await desk.create()
    first = await prefer(desk, anna.name, CHANNEL_SMS)
    await prefer(desk, anna.name, CHANNEL_EMAIL, etag=first.etag)
    stale = prefer(desk, anna.name, CHANNEL_SMS, etag=first.etag)
    assert await refused(stale) == "ABORTED ETAG_MISMATCH"


async def test_a_sender_learns_where_to_send_and_how_to_address(desk):
    email = f"{uuid4()}@Example.com"
    anna = await desk.create(
        desk.email(email), family_name="Berg", language_code="de", time_zone="Europe/Berlin"
    )
    contact = await check(desk, anna.name)
    assert contact.allowed
    assert (contact.channel, contact.address) == (CHANNEL_EMAIL, email)
    assert (contact.display_name, contact.language_code, contact.time_zone, contact.relationship_manager) == (
        "Anna Berg",
        "de",
        "Europe/Berlin",
        "agents/front-desk",
    )


async def test_a_sender_who_may_not_send_gets_a_reason_and_nothing_personal(desk):
    anna = await desk.create(desk.email(f"{uuid4()}@example.com"))
    await say(desk, anna.name, DENIED)
    for call, reason in (
        (check(desk, anna.name), "consent-denied"),
        (check(desk, anna.name, purpose=MARKETING), "consent-denied"),
        (check(desk, anna.name, CHANNEL_SMS), "no-address"),
        (check(desk, anna.name, CHANNEL_LETTER), "no-address"),
    ):
        contact = await call
        assert (contact.allowed, contact.reason_code) == (False, reason)
        assert (contact.address, contact.display_name) == ("", "")


async def test_the_channel_the_customer_prefers_is_chosen(desk):
    phone = f"+4930{uuid4().int % 90_000_000 + 10_000_000}"
    anna = await desk.create(desk.email(f"{uuid4()}@example.com"), desk.phone(phone))
    assert (await check(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL)).channel == CHANNEL_EMAIL
    await prefer(desk, anna.name, CHANNEL_SMS)
    contact = await check(desk, anna.name, CHANNEL_EMAIL, CHANNEL_SMS)
    assert (contact.channel, contact.address) == (CHANNEL_SMS, phone)


async def test_an_address_that_was_removed_is_used_no_more(desk):
    anna = await desk.create(desk.email(f"{uuid4()}@example.com"))
    assert (await check(desk, anna.name)).allowed
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=anna.identifiers[0].name))
    assert (await check(desk, anna.name)).reason_code == "no-address"


async def test_a_question_that_is_not_well_formed_is_refused(desk, refused, nobody):
    for request, reason in (
        (CheckContactRequest(name=nobody, purpose=SERVICE), "REQUIRED"),
        (CheckContactRequest(name=nobody, channels=[CHANNEL_EMAIL]), "REQUIRED"),
        (CheckContactRequest(name=nobody, purpose="service", channels=[CHANNEL_EMAIL]), "INVALID_NAME"),
        (CheckContactRequest(name=nobody, purpose=SERVICE, channels=[0]), "INVALID_ENUM"),
        (CheckContactRequest(name="x", purpose=SERVICE, channels=[CHANNEL_SMS]), "INVALID_NAME"),
    ):
        assert await refused(desk.consents.CheckContact(request)) == f"INVALID_ARGUMENT {reason}"


async def test_a_customer_who_does_not_exist_is_not_found(desk, refused, nobody):
    for call in (
        say(desk, nobody, GRANTED),
        check(desk, nobody),
        prefer(desk, nobody, CHANNEL_SMS),
        desk.consents.ListConsents(ListConsentsRequest(parent=nobody)),
        desk.consents.GetPreferences(GetPreferencesRequest(name=f"{nobody}/preferences")),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


def test_every_channel_of_the_contract_is_known():
    assert {f"CHANNEL_{channel}" for channel in Channel} == set(channel_pb2.Channel.keys())
