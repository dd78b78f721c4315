from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from customer.domain.consents import Purpose
from customer.domain.timeline import Channel
from rapport.common.v1 import channel_pb2
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_LETTER, CHANNEL_SMS
from rapport.customer.v1 import consent_pb2
from rapport.customer.v1.consent_pb2 import PURPOSE_MARKETING, PURPOSE_SERVICE, Consent, Preferences
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    GetConsentsRequest,
    GetPreferencesRequest,
    SetConsentRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.customer_service_pb2 import RemoveIdentifierRequest

GRANTED, DENIED = Consent.Status.STATUS_GRANTED, Consent.Status.STATUS_DENIED


async def say(desk, customer, status, channel=CHANNEL_EMAIL, purpose=PURPOSE_SERVICE, wording_version=""):
    consent = Consent(purpose=purpose, channel=channel, status=status, wording_version=wording_version)
    return await desk.consents.SetConsent(SetConsentRequest(customer=customer, consent=consent))


async def check(desk, customer, *channels, purpose=PURPOSE_SERVICE):
    request = CheckContactRequest(customer=customer, purpose=purpose, channels=channels or [CHANNEL_EMAIL])
    return await desk.consents.CheckContact(request)


async def prefer(desk, customer, *channels, etag="", mask=()):
    preferences = Preferences(name=f"{customer}/preferences", channels=channels, etag=etag)
    request = UpdatePreferencesRequest(preferences=preferences, update_mask=FieldMask(paths=mask))
    return await desk.consents.UpdatePreferences(request)


async def test_a_consent_is_set_told_and_read_back(desk):
    anna = await desk.create()
    said = await say(desk, anna.name, DENIED, wording_version="2026-01")
    assert said.name == f"{anna.name}/consents/service.email"
    await say(desk, anna.name, GRANTED, CHANNEL_SMS, PURPOSE_MARKETING)
    found = await desk.consents.GetConsents(GetConsentsRequest(customer=anna.name))
    assert [consent.name.rsplit("/", 1)[1] for consent in found.consents] == [
        "marketing.sms",
        "service.email",
    ]
    assert found.consents[1] == said
    facts = await desk.facts("ConsentChanged")
    assert [(fact.data.consent, fact.data.status) for fact in facts] == [
        (said.name, DENIED),
        (f"{anna.name}/consents/marketing.sms", GRANTED),
    ]


async def test_every_answer_is_kept_and_the_last_one_counts(desk, infrastructure):
    anna = await desk.create(desk.email("anna@example.com"))
    for status in (DENIED, GRANTED, DENIED):
        desk.clock.advance(timedelta(minutes=1))
        last = await say(desk, anna.name, status)
    found = await desk.consents.GetConsents(GetConsentsRequest(customer=anna.name))
    assert list(found.consents) == [last]
    assert [fact.version for fact in await desk.facts("ConsentChanged")] == [1, 2, 3]
    async with desk.running.db.connection() as connection:
        history = await connection.fetch(
            "SELECT version, status, actor FROM consent_history ORDER BY version"
        )
        assert [tuple(row) for row in history] == [
            (1, "DENIED", "agent:alice"),
            (2, "GRANTED", "agent:alice"),
            (3, "DENIED", "agent:alice"),
        ]
    async with infrastructure.superuser(desk.running.db._url) as connection:
        with pytest.raises(Exception, match="append-only"):
            await connection.execute("UPDATE consent_history SET status = 'GRANTED'")


async def test_a_consent_that_is_not_well_formed_is_refused(desk, refused, nobody):
    for fields, reason in (
        ({"status": 0}, "INVALID_ENUM"),
        ({"status": 9}, "INVALID_ENUM"),
        ({"status": GRANTED, "channel": 0}, "INVALID_ENUM"),
        ({"status": GRANTED, "purpose": 7}, "INVALID_ENUM"),
        ({"status": GRANTED, "wording_version": "x" * 64}, "TOO_LONG"),
        ({"status": GRANTED, "wording_version": "\x07"}, "INVALID_TEXT"),
    ):
        assert await refused(say(desk, nobody, **fields)) == f"INVALID_ARGUMENT {reason}"


async def test_preferences_are_set_in_order_told_and_read_back(desk):
    anna = await desk.create()
    name = f"{anna.name}/preferences"
    assert await desk.consents.GetPreferences(GetPreferencesRequest(name=name)) == Preferences(name=name)
    set_once = await prefer(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL, CHANNEL_SMS)
    assert (list(set_once.channels), set_once.etag) == ([CHANNEL_SMS, CHANNEL_EMAIL], '"1"')
    assert await desk.consents.GetPreferences(GetPreferencesRequest(name=name)) == set_once
    assert await prefer(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL) == set_once
    (fact,) = await desk.facts("PreferencesChanged")
    assert (fact.data.preferences, fact.version) == (name, 1)


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
    anna = await desk.create(
        desk.email("Anna@Example.com"), family_name="Berg", language_code="de", time_zone="Europe/Berlin"
    )
    contact = await check(desk, anna.name)
    assert contact.allowed
    assert (contact.channel, contact.address) == (CHANNEL_EMAIL, "Anna@Example.com")
    assert (contact.display_name, contact.language_code, contact.time_zone, contact.relationship_manager) == (
        "Anna Berg",
        "de",
        "Europe/Berlin",
        "agents/front-desk",
    )


async def test_a_sender_who_may_not_send_gets_a_reason_and_nothing_personal(desk):
    anna = await desk.create(desk.email("anna@example.com"))
    await say(desk, anna.name, DENIED)
    for call, reason in (
        (check(desk, anna.name), "consent-denied"),
        (check(desk, anna.name, purpose=PURPOSE_MARKETING), "consent-denied"),
        (check(desk, anna.name, CHANNEL_SMS), "no-address"),
        (check(desk, anna.name, CHANNEL_LETTER), "no-address"),
    ):
        contact = await call
        assert (contact.allowed, contact.reason_code) == (False, reason)
        assert (contact.address, contact.display_name) == ("", "")


async def test_the_channel_the_customer_prefers_is_chosen(desk):
    anna = await desk.create(desk.email("anna@example.com"), desk.phone("+493012345678"))
    assert (await check(desk, anna.name, CHANNEL_SMS, CHANNEL_EMAIL)).channel == CHANNEL_EMAIL
    await prefer(desk, anna.name, CHANNEL_SMS)
    contact = await check(desk, anna.name, CHANNEL_EMAIL, CHANNEL_SMS)
    assert (contact.channel, contact.address) == (CHANNEL_SMS, "+493012345678")


async def test_an_address_that_was_removed_is_used_no_more(desk):
    anna = await desk.create(desk.email("anna@example.com"))
    assert (await check(desk, anna.name)).allowed
    await desk.customers.RemoveIdentifier(RemoveIdentifierRequest(name=anna.identifiers[0].name))
    assert (await check(desk, anna.name)).reason_code == "no-address"


async def test_a_question_that_is_not_well_formed_is_refused(desk, refused, nobody):
    for request, reason in (
        (CheckContactRequest(customer=nobody, purpose=PURPOSE_SERVICE), "REQUIRED"),
        (CheckContactRequest(customer=nobody, channels=[CHANNEL_EMAIL]), "INVALID_ENUM"),
        (CheckContactRequest(customer=nobody, purpose=PURPOSE_SERVICE, channels=[0]), "INVALID_ENUM"),
        (CheckContactRequest(customer="x", purpose=PURPOSE_SERVICE, channels=[CHANNEL_SMS]), "INVALID_NAME"),
    ):
        assert await refused(desk.consents.CheckContact(request)) == f"INVALID_ARGUMENT {reason}"


async def test_a_customer_who_does_not_exist_is_not_found(desk, refused, nobody):
    for call in (
        say(desk, nobody, GRANTED),
        check(desk, nobody),
        prefer(desk, nobody, CHANNEL_SMS),
        desk.consents.GetConsents(GetConsentsRequest(customer=nobody)),
        desk.consents.GetPreferences(GetPreferencesRequest(name=f"{nobody}/preferences")),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


def test_every_channel_and_purpose_of_the_contract_is_known():
    assert {f"CHANNEL_{channel}" for channel in Channel} == set(channel_pb2.Channel.keys())
    assert {f"PURPOSE_{purpose}" for purpose in Purpose} == set(consent_pb2.Purpose.keys()[1:])
