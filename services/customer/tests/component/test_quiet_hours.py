"""When a customer wants quiet, a sender is told from when on to ask again."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.dayofweek_pb2 import FRIDAY

from chassis.api.messages import moment, timestamp, value_name
from rapport.common.v1.channel_pb2 import CHANNEL_APP, CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    CheckContactResponse,
    UpdateConsentRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import ListCustomersRequest
from rapport.customer.v1.preferences_pb2 import Preferences

NIGHT = Preferences.QuietHours(starts="22:00", ends="07:00")
HOUR = timedelta(hours=1)


async def prefer(desk, customer, mask=(), **fields):
    preferences = Preferences(name=f"{customer}/preferences", **fields)
    request = UpdatePreferencesRequest(preferences=preferences, update_mask=FieldMask(paths=mask))
    return await desk.consents.UpdatePreferences(request)


async def check(desk, customer, **fields):
    asked = {"name": customer, "purpose": "purposes/service", "channels": [CHANNEL_EMAIL]}
    return await desk.consents.CheckContact(CheckContactRequest(**asked | fields))


@pytest.fixture
async def anna(desk):
    created = await desk.create(desk.email("anna@example.com"), time_zone="Asia/Tokyo")
    return created.name


def until(desk, hour):
    """The next time that clocks in Tokyo show that hour."""
    now = desk.clock.now()
    at = datetime(now.year, now.month, now.day, hour, tzinfo=UTC) - 9 * HOUR
    return at + timedelta(days=-((now - at) // timedelta(days=-1)) if at < now else 0)


def go_to(desk, hour):
    desk.clock.advance(until(desk, hour) - desk.clock.now())


async def test_quiet_hours_are_by_the_clock_where_the_customer_is(desk, anna):
    await prefer(desk, anna, quiet_hours=[NIGHT])
    go_to(desk, 23)
    answer = await check(desk, anna)
    expected = CheckContactResponse(
        reason_code="quiet-hours",
        language_code=answer.language_code,
        time_zone="Asia/Tokyo",
        relationship_manager=answer.relationship_manager,
        category="service",
        essential=True,
        open_time=timestamp(until(desk, 7)),
        decisions=answer.decisions,
    )
    assert answer == expected  # and nothing of where they are reached
    go_to(desk, 7)
    assert (await check(desk, anna)).allowed


async def test_an_inbox_disturbs_nobody_at_night_but_a_pause_is_from_it_too(desk, anna):
    app = {"channels": [CHANNEL_APP], "app_for_everybody": True}
    await prefer(desk, anna, quiet_hours=[NIGHT])
    go_to(desk, 23)
    answer = await check(desk, anna, **app)
    assert (answer.allowed, answer.channel, answer.address) == (True, CHANNEL_APP, "")
    over = desk.clock.now() + timedelta(days=3)
    await prefer(desk, anna, pauses=[Preferences.Pause(end_time=timestamp(over))])
    assert (await check(desk, anna, **app)).reason_code == "paused"


async def test_each_step_of_a_decision_is_told_with_what_it_looked_at(desk, anna):
    def steps(answer):
        return [(d.step, value_name(d, "outcome"), d.reason_code, dict(d.inputs)) for d in answer.decisions]

    consent = ("consent", "PASSED", "", {"default": "allowed", "email": "unsaid"})
    address = ("address", "PASSED", "", {"channel": "email"})
    inputs = {"time_zone": "Asia/Tokyo", "preferences": f"{anna}/preferences"}
    assert steps(await check(desk, anna)) == [consent, address, ("quiet", "PASSED", "", inputs)]
    assert steps(await check(desk, anna, urgent=True)) == [
        consent,
        address,
        ("quiet", "PASSED", "urgent", {}),
    ]
    await prefer(desk, anna, quiet_hours=[NIGHT])
    go_to(desk, 23)
    opens = inputs | {"open_time": until(desk, 7).isoformat()}
    told = await check(desk, anna)
    assert steps(told) == [consent, address, ("quiet", "DEFERRED", "quiet-hours", opens)]
    assert moment(told.decisions[0].decide_time) == desk.clock.now()
    sms = {"channels": [CHANNEL_SMS]}
    by_sms = ("consent", "PASSED", "", {"default": "allowed", "sms": "unsaid"})
    nowhere = ("address", "STOPPED", "no-address", {"channels": "sms"})
    assert steps(await check(desk, anna, **sms)) == [by_sms, nowhere]
    unasked = await check(desk, anna, purpose="purposes/marketing")
    no = ("consent", "STOPPED", "consent-denied", {"default": "denied", "email": "unsaid"})
    assert steps(unasked) == [no]


async def test_a_pause_keeps_everything_but_what_is_urgent_and_consent_keeps_that_too(desk, anna):
    over = desk.clock.now() + timedelta(days=3)
    await prefer(desk, anna, pauses=[Preferences.Pause(end_time=timestamp(over))])
    answer = await check(desk, anna)
    assert (answer.allowed, answer.reason_code, moment(answer.open_time)) == (False, "paused", over)
    assert (await check(desk, anna, urgent=True)).allowed
    consent = Consent(name=f"{anna}/consents/service.email", state=Consent.STATE_DENIED)
    await desk.consents.UpdateConsent(UpdateConsentRequest(consent=consent, allow_missing=True))
    for urgent in (True, False):
        answer = await check(desk, anna, urgent=urgent)
        assert (answer.reason_code, answer.HasField("open_time")) == ("consent-denied", False)


async def test_what_is_preferred_is_told_by_its_fields_and_read_back(desk, anna):
    pause = Preferences.Pause(
        start_time=timestamp(desk.clock.now() + HOUR), end_time=timestamp(desk.clock.now() + 9 * HOUR)
    )
    friday = Preferences.QuietHours(days=[FRIDAY], starts="12:00", ends="24:00")
    kept = await prefer(desk, anna, quiet_hours=[NIGHT, friday], pauses=[pause])
    assert (list(kept.quiet_hours), list(kept.pauses)) == ([NIGHT, friday], [pause])
    again = await prefer(desk, anna, quiet_hours=[NIGHT, friday], pauses=[pause])
    assert again == kept
    lifted = await prefer(desk, anna, mask=["pauses"])
    assert (list(lifted.quiet_hours), list(lifted.pauses)) == ([NIGHT, friday], [])
    told = [list(fact.data.updated_fields) for fact in await desk.facts("PreferencesUpdated")]
    assert told == [["quiet_hours", "pauses"], ["pauses"]]


async def test_quiet_that_cannot_be_is_refused(desk, anna, refused):
    day = Preferences.QuietHours(starts="00:00", ends="24:00")
    odd = Preferences.QuietHours(starts="22:00", ends="22:00")
    now = timestamp(desk.clock.now())
    for fields, reason in (
        ({"quiet_hours": [day]}, "INVALID_HOURS"),
        ({"quiet_hours": [odd]}, "INVALID_HOURS"),
        ({"quiet_hours": [Preferences.QuietHours(days=[0], starts="22:00", ends="07:00")]}, "INVALID_ENUM"),
        ({"quiet_hours": [Preferences.QuietHours(days=[9], starts="22:00", ends="07:00")]}, "INVALID_ENUM"),
        ({"pauses": [Preferences.Pause(start_time=now, end_time=now)]}, "INVALID_TIME"),
    ):
        assert await refused(prefer(desk, anna, **fields)) == f"INVALID_ARGUMENT {reason}"


async def test_of_those_who_were_merged_the_quiet_of_all_holds_until_they_say_otherwise(desk, anna):
    ann = (await desk.create(desk.email("ann@example.com"), time_zone="Asia/Tokyo")).name
    noon = Preferences.QuietHours(starts="12:00", ends="13:00")
    await prefer(desk, anna, quiet_hours=[NIGHT])
    await prefer(desk, ann, quiet_hours=[noon])
    merge = await desk.merge(anna, ann)
    for hour in (23, 12):
        go_to(desk, hour)
        for name in (anna, ann):
            assert (await check(desk, name)).reason_code == "quiet-hours"
    await prefer(desk, ann, quiet_hours=[noon], pauses=[])
    go_to(desk, 23)
    assert (await check(desk, anna)).allowed
    await desk.undo(merge)
    assert not (await check(desk, anna)).allowed


async def test_the_clock_that_a_customer_chose_by_any_of_their_names_goes_before_what_is_said_of_them(
    desk, anna
):
    ann = (await desk.create(desk.email("ann@example.com"), time_zone="Europe/Kyiv")).name
    await prefer(desk, ann, time_zone="Asia/Kolkata")
    await desk.merge(anna, ann)
    for chosen, zone, source in (
        ("Asia/Kolkata", "Asia/Kolkata", Customer.TIME_ZONE_SOURCE_CHOSEN),
        ("", "Asia/Tokyo", Customer.TIME_ZONE_SOURCE_SAID),
    ):
        await prefer(desk, ann, mask=["time_zone"], time_zone=chosen)
        listed = (await desk.customers.ListCustomers(ListCustomersRequest())).customers
        for known in (await desk.get(anna), await desk.get(ann), *(c for c in listed if c.name == anna)):
            assert (known.time_zone, known.effective_time_zone) == ("Asia/Tokyo", zone)
            assert known.time_zone_source == source
        assert (await check(desk, anna)).time_zone == zone


async def test_a_view_has_the_time_zone_that_was_chosen_after_it_was_written(desk):
    emi = await desk.create(desk.email("emi@a.com"), time_zone="Asia/Tokyo")
    await desk.view_when(emi.name, lambda view: view.time_zone == "Asia/Tokyo")
    preferences = Preferences(name=f"{emi.name}/preferences", time_zone="Asia/Kolkata")
    await desk.consents.UpdatePreferences(UpdatePreferencesRequest(preferences=preferences))
    await desk.view_when(emi.name, lambda view: view.time_zone == "Asia/Kolkata")
