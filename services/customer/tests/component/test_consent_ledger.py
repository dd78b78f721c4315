"""What a customer allowed at any time, who noted it and what proves it."""

from datetime import timedelta

import pytest

from chassis.api.messages import timestamp
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    ListConsentsRequest,
    ListConsentVersionsRequest,
    UpdateConsentRequest,
)
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest, GetPurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub

GRANTED, DENIED = Consent.STATE_GRANTED, Consent.STATE_DENIED
HOUR = timedelta(hours=1)


@pytest.fixture
async def purposes(desk):
    return desk.running.stub(PurposeServiceStub)


async def say(desk, customer, state, about="marketing.email", **fields):
    consent = Consent(name=f"{customer}/consents/{about}", **{"state": state} | fields if state else fields)
    return await desk.consents.UpdateConsent(UpdateConsentRequest(consent=consent, allow_missing=True))


async def held(desk, customer, at):
    request = ListConsentsRequest(parent=customer, read_time=timestamp(at) if at else None)
    found = (await desk.consents.ListConsents(request)).consents
    return {each.name.rpartition("/")[2]: each.state for each in found}


async def test_what_held_at_a_time_is_what_was_said_by_then_however_late_it_was_noted(desk):
    anna = (await desk.create()).name
    start = desk.clock.now()
    await say(desk, anna, GRANTED)
    desk.clock.advance(2 * HOUR)
    await say(desk, anna, DENIED)
    await say(desk, anna, GRANTED, "service.sms")
    desk.clock.advance(2 * HOUR)
    await say(desk, anna, GRANTED, "marketing.sms", effective_time=timestamp(start + HOUR))
    assert await held(desk, anna, start - HOUR) == {}
    assert await held(desk, anna, start) == {"marketing.email": GRANTED}
    assert await held(desk, anna, start + HOUR) == {"marketing.email": GRANTED, "marketing.sms": GRANTED}
    now = {"marketing.email": DENIED, "marketing.sms": GRANTED, "service.sms": GRANTED}
    assert await held(desk, anna, start + 2 * HOUR) == now
    assert await held(desk, anna, None) == now


async def test_of_names_that_were_merged_what_allowed_less_held_before(desk):
    anna, ann = (await desk.create()).name, (await desk.create()).name
    before = desk.clock.now()
    await say(desk, anna, GRANTED)
    await say(desk, ann, DENIED)
    desk.clock.advance(HOUR)
    await desk.merge(anna, ann)
    desk.clock.advance(HOUR)
    await say(desk, ann, GRANTED)
    for name in (anna, ann):
        assert await held(desk, name, before) == {"marketing.email": DENIED}
        assert await held(desk, name, desk.clock.now()) == {"marketing.email": GRANTED}


async def test_all_that_was_said_is_listed_with_who_noted_it_and_its_proof(desk, refused):
    anna = (await desk.create()).name
    first = await say(desk, anna, GRANTED, source="web-form", wording_version="2026-01", proof="forms/4711")
    desk.clock.advance(HOUR)
    corrected = await say(desk, anna, None, proof="forms/4712")
    assert (corrected.state, corrected.effective_time) == (GRANTED, first.effective_time)
    desk.clock.advance(HOUR)
    last = await say(desk, anna, DENIED)
    assert (last.proof, last.wording_version) == ("", "")
    request = ListConsentVersionsRequest(parent=first.name, page_size=2)
    page = await desk.consents.ListConsentVersions(request)
    request.page_token = page.next_page_token
    rest = await desk.consents.ListConsentVersions(request)
    listed = [*page.consents, *rest.consents]
    assert [(each.etag, each.proof) for each in listed] == [
        ('"3"', ""),
        ('"2"', "forms/4712"),
        ('"1"', "forms/4711"),
    ]
    assert {each.noter for each in listed} == {"agents/alice"}
    nothing = ListConsentVersionsRequest(parent=f"{anna}/consents/service.email")
    assert await refused(desk.consents.ListConsentVersions(nothing)) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_nobody_has_said_anything_before_somebody_is_there(desk, refused, nobody):
    request = ListConsentsRequest(parent=nobody, read_time=timestamp(desk.clock.now()))
    assert await refused(desk.consents.ListConsents(request)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    request.read_time.CopyFrom(timestamp(desk.clock.now() + HOUR))
    assert await refused(desk.consents.ListConsents(request)) == "INVALID_ARGUMENT INVALID_TIME"


@pytest.mark.parametrize(
    ("purpose", "basis", "category"),
    [
        ("purposes/service", Purpose.LEGAL_BASIS_CONTRACT, "service"),
        ("purposes/marketing", Purpose.LEGAL_BASIS_CONSENT, "marketing"),
    ],
)
async def test_what_is_there_from_the_beginning_is_lawful(purposes, purpose, basis, category):
    found = await purposes.GetPurpose(GetPurposeRequest(name=purpose))
    assert (found.legal_basis, found.category) == (basis, category)


async def test_who_rests_on_consent_waits_for_it(purposes, refused):
    fields = {"display_name": "Surveys", "category": "survey", "legal_basis": Purpose.LEGAL_BASIS_CONSENT}
    asked = Purpose(contact_default=Purpose.DEFAULT_ALLOWED, **fields)
    call = purposes.CreatePurpose(CreatePurposeRequest(purpose_id="surveys", purpose=asked))
    assert await refused(call) == "INVALID_ARGUMENT INVALID_LEGAL_BASIS"
    asked.legal_basis = Purpose.LEGAL_BASIS_LEGITIMATE_INTERESTS
    kept = await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="surveys", purpose=asked))
    assert (kept.legal_basis, kept.category) == (Purpose.LEGAL_BASIS_LEGITIMATE_INTERESTS, "survey")
