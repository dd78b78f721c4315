from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition
from customer.domain.consents import Consent, ConsentState
from customer.domain.contact import Standing, choose_contact
from customer.domain.identifiers import Identifier, IdentifierType, Quality
from customer.domain.purposes import Default
from customer.domain.timeline import Channel

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
GRANTED, DENIED = ConsentState.GRANTED, ConsentState.DENIED


def identifier(kind, value, quality=Quality.VALID, age_days=0):
    normalized = "" if quality is Quality.INVALID else value.lower()
    return Identifier(
        uuid4(),
        uuid4(),
        kind,
        "",
        value,
        normalized,
        quality,
        NOW - timedelta(days=age_days),
        False,
        "",
        None,
        "",
        None,
        1,
    )


def said(channel, state, default=Default.ALLOWED):
    return [Standing(default, channel, state)]


EMAIL = identifier(IdentifierType.EMAIL, "Anna@example.com")
PHONE = identifier(IdentifierType.PHONE, "+493012345678")
BOTH = [Channel.SMS, Channel.EMAIL]
SERVICE, MARKETING = [Standing(Default.ALLOWED, None, None)], [Standing(Default.DENIED, None, None)]


def test_until_the_customer_says_something_the_default_of_the_purpose_holds():
    assert choose_contact(SERVICE, [Channel.EMAIL], [], [EMAIL], {}).allowed
    refused = choose_contact(MARKETING, [Channel.EMAIL], [], [EMAIL], {})
    assert (refused.allowed, refused.reason_code, refused.address) == (False, "consent-denied", "")
    granted = said(Channel.EMAIL, GRANTED, Default.DENIED)
    assert choose_contact(granted, [Channel.EMAIL], [], [EMAIL], {}).allowed


def test_an_email_goes_out_in_the_form_the_customer_gave():
    assert choose_contact(SERVICE, [Channel.EMAIL], [], [EMAIL], {}).address == "Anna@example.com"


def test_the_customers_preference_comes_before_the_callers():
    assert choose_contact(SERVICE, BOTH, [], [EMAIL, PHONE], {}).channel is Channel.EMAIL
    assert choose_contact(SERVICE, BOTH, ["SMS"], [EMAIL, PHONE], {}).channel is Channel.SMS
    assert choose_contact(SERVICE, BOTH, ["LETTER"], [EMAIL, PHONE], {}).channel is Channel.SMS


def test_a_channel_without_an_address_or_consent_gives_way_to_the_next():
    assert choose_contact(SERVICE, BOTH, [], [PHONE], {}).channel is Channel.SMS
    denied = said(Channel.EMAIL, DENIED)
    assert choose_contact(denied, BOTH, [], [EMAIL, PHONE], {}).channel is Channel.SMS


def test_an_inbox_needs_no_address_and_is_for_who_prefers_it_unless_it_is_for_everybody():
    inbox = [*BOTH, Channel.APP]
    assert choose_contact(SERVICE, inbox, [], [], {}).reason_code == "no-address"
    assert choose_contact(SERVICE, inbox, ["APP"], [EMAIL], {}).channel is Channel.APP
    assert choose_contact(SERVICE, inbox, ["SMS", "APP"], [EMAIL, PHONE], {}).channel is Channel.SMS
    assert not choose_contact(SERVICE, [Channel.APP, Channel.EMAIL], [], [], {}).allowed
    found = choose_contact(SERVICE, inbox, [], [], {}, app_for_everybody=True)
    assert (found.channel, found.address, found.identifier) == (Channel.APP, "", "")
    denied = said(Channel.APP, DENIED)
    assert choose_contact(denied, [Channel.APP], ["APP"], [], {}).reason_code == "consent-denied"


def test_the_reason_tells_denial_from_a_missing_address():
    denied = said(Channel.EMAIL, DENIED)
    assert choose_contact(denied, [Channel.EMAIL], [], [], {}).reason_code == "consent-denied"
    assert choose_contact(SERVICE, [Channel.EMAIL], [], [PHONE], {}).reason_code == "no-address"
    assert choose_contact(SERVICE, [Channel.LETTER], [], [EMAIL], {}).reason_code == "no-address"


def test_a_valid_address_is_better_than_a_possible_one_and_the_older_better_than_the_newer():
    possible = identifier(IdentifierType.PHONE, "+1", Quality.POSSIBLE, age_days=9)
    old, new = identifier(IdentifierType.PHONE, "+2", age_days=5), identifier(IdentifierType.PHONE, "+3")
    assert choose_contact(SERVICE, [Channel.SMS], [], [possible, new, old], {}).address == "+2"
    assert choose_contact(SERVICE, [Channel.VOICE], [], [possible], {}).address == "+1"


def test_a_number_is_reached_without_its_extension():
    desk = identifier(IdentifierType.PHONE, "+12065559857;ext=12")
    assert choose_contact(SERVICE, [Channel.VOICE], [], [desk], {}).address == "+12065559857"


def test_an_invalid_address_reaches_nobody():
    broken = identifier(IdentifierType.EMAIL, "anna@", Quality.INVALID)
    assert choose_contact(SERVICE, [Channel.EMAIL], [], [broken], {}).reason_code == "no-address"


def test_a_yes_of_a_clock_that_is_ahead_does_not_pass_a_no_of_the_last_minute():
    denied = Consent(
        uuid4(), "service.email", "service", Channel.EMAIL, DENIED, "", "", NOW, NOW, NOW, version=1
    )
    yes = {"state": GRANTED, "effective_time": NOW + timedelta(seconds=25)}
    with pytest.raises(FailedPrecondition, match="a no holds"):
        denied.noted(yes, NOW + timedelta(seconds=5))
    later = NOW + timedelta(minutes=2)
    assert denied.noted(yes | {"effective_time": later + timedelta(seconds=25)}, later).state is GRANTED
