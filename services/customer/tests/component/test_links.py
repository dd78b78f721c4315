"""Links to customers' own pages: made and not kept, and opening nothing but what is their holder's."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.db.schema import AUDIT, IDEMPOTENCY
from chassis.db.statement import Statement
from customer.service import service
from rapport.common.v1.channel_pb2 import CHANNEL_APP, CHANNEL_EMAIL, CHANNEL_FAX, CHANNEL_SMS
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ListConsentVersionsRequest,
    UpdateConsentRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import DeleteIdentifierRequest
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport_testing.running import refused

GRANTED, DENIED = Consent.State.STATE_GRANTED, Consent.State.STATE_DENIED
MARKETING = "purposes/marketing"
PAGES = ("customer.self_service_links.open", "customer.purposes.read")
_CHANGES = Statement[Any](
    sa.select(AUDIT.c.actor, AUDIT.c.via, AUDIT.c.resources).where(AUDIT.c.what.like("%SelfService%"))
)
_REVOKED = Statement[Any](sa.select(AUDIT.c.resources).where(AUDIT.c.what.like("%/RevokeSelfServiceLinks")))
_KEPT = Statement[Any](sa.select(IDEMPOTENCY.c.response))


class Links:
    """What messages, people and the pages do with links."""

    def __init__(self, running: Any) -> None:
        def called(*permissions: str, subject: str = "service:notifications") -> Any:
            return running.stub(SelfServiceLinkServiceStub, permissions, subject=subject)

        self.messages = called("customer.self_service_links.read")
        self.people = called("customer.self_service_links.revoke", subject="agent:alice")
        self.pages = called(*PAGES, subject="service:desk")

    async def token(self, customer: str) -> str:
        """What a message to them carries."""
        return (
            await self.messages.GetSelfServiceLink(
                pb.GetSelfServiceLinkRequest(name=f"{customer}/selfServiceLink")
            )
        ).token

    async def open(self, token: str) -> Any:
        return await self.pages.ResolveSelfServiceLink(pb.ResolveSelfServiceLinkRequest(token=token))

    async def revoke(self, customer: str) -> None:
        """Take them back."""
        request = pb.RevokeSelfServiceLinksRequest(
            name=f"{customer}/selfServiceLink", reason_code="mailbox-shared"
        )
        await self.people.RevokeSelfServiceLinks(request)

    async def say(self, token: str, state: int, *channels: int, **more: Any) -> Any:
        said = [
            pb.SelfServiceConsent(purpose=more.get("purpose", MARKETING), channel=each, state=state)
            for each in channels or [CHANNEL_EMAIL]
        ]
        request = pb.SubmitSelfServiceConsentsRequest(
            token=token, consents=said, source="one-click", request_id=more.get("request_id", "")
        )
        return await self.pages.SubmitSelfServiceConsents(request)

    async def stop(self, token: str) -> None:
        """Have nothing but what they need."""
        await self.pages.StopSelfServiceContact(
            pb.StopSelfServiceContactRequest(token=token, source="stop-all")
        )

    async def prefer(self, token: str, customer: str, etag: str = "", **fields: Any) -> Preferences:
        preferences = Preferences(name=f"{customer}/preferences", etag=etag, **fields)
        request = pb.SubmitSelfServicePreferencesRequest(token=token, preferences=preferences)
        request.update_mask.paths.extend(fields)
        return await self.pages.SubmitSelfServicePreferences(request)


@pytest.fixture
async def links(desk: Any) -> Links:
    return Links(desk.running)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"quiet_hours": [Preferences.QuietHours(starts="22:00", ends="99:00")]}, "INVALID_HOURS"),
        ({"quiet_hours": [Preferences.QuietHours(starts="ab:cd", ends="07:00")]}, "INVALID_HOURS"),
        ({"quiet_hours": [Preferences.QuietHours(starts="00:00", ends="24:00")]}, "INVALID_HOURS"),
        (
            {"pauses": [Preferences.Pause(start_time=Timestamp(seconds=9), end_time=Timestamp(seconds=8))]},
            "INVALID_TIME",
        ),
    ],
)
async def test_by_a_link_nobody_asks_for_quiet_that_cannot_be(
    desk: Any, links: Links, fields: dict[str, Any], reason: str
) -> None:
    anna = await desk.create()
    token = await links.token(anna.name)
    assert await refused(links.prefer(token, anna.name, **fields)) == reason


async def test_a_link_opens_what_is_its_holders_and_is_the_same_in_each_message(
    desk: Any, links: Links
) -> None:
    anna = await desk.create(language_code="de", time_zone="Europe/Berlin")
    token = await links.token(anna.name)
    assert token == await links.token(anna.name)
    assert len(token) == 48
    found = await links.open(token)
    assert (found.customer, found.language_code, found.time_zone) == (anna.name, "de", "Europe/Berlin")
    assert found.preferences.name == f"{anna.name}/preferences"
    assert anna.name not in {(await links.open(await links.token((await desk.create()).name))).customer}


async def test_by_a_link_a_customer_chooses_in_which_time_zone_they_live_and_takes_it_back(
    desk: Any, links: Links
) -> None:
    emi = await desk.create(region_code="JP")
    token, etag = await links.token(emi.name), ""
    for chosen, zone, source in (
        ("Asia/Tokyo", "Asia/Tokyo", Customer.TIME_ZONE_SOURCE_CHOSEN),
        ("Asia/Kolkata", "Asia/Kolkata", Customer.TIME_ZONE_SOURCE_CHOSEN),
        ("", "Asia/Tokyo", Customer.TIME_ZONE_SOURCE_COUNTRY),
    ):
        etag = (await links.prefer(token, emi.name, etag, time_zone=chosen)).etag
        found = await links.open(token)
        assert (found.preferences.time_zone, found.time_zone, found.time_zone_source) == (
            chosen,
            zone,
            source,
        )
    assert await refused(links.prefer(token, emi.name, etag, time_zone="Mars/Olympus")) == "INVALID_CODE"


async def test_wrong_revoked_and_anothers_are_refused_alike(desk: Any, links: Links) -> None:
    anna, bert = await desk.create(), await desk.create()
    token, other = await links.token(anna.name), await links.token(bert.name)
    held, others = urlsafe_b64decode(token), urlsafe_b64decode(other)
    wrong = [
        urlsafe_b64encode(each).decode()
        for each in (
            others[:16] + held[16:],  # another's name with a proof of one's own
            held[:-1] + bytes([held[-1] ^ 1]),
            bytes([held[0] ^ 1]) + held[1:],
            uuid4().bytes + held[16:],  # of nobody
            held[:16] + bytes(20),
            held[:35],
            held + b"x",
        )
    ]
    wrong += [token[:-1], token + "=", token.swapcase(), "Anna", "é" * 48, f" {token}", f"{token}\n"[:40]]
    await links.revoke(bert.name)
    for each in [*wrong, other]:
        assert await refused(links.open(each)) in ("SELF_SERVICE_LINK_NOT_FOUND", "INVALID_TEXT"), each
        assert await refused(links.say(each, DENIED)) in ("SELF_SERVICE_LINK_NOT_FOUND", "INVALID_TEXT"), each
    assert (await links.open(token)).customer == anna.name
    again = await links.token(bert.name)
    assert again != other
    assert (await links.open(again)).customer == bert.name
    await links.revoke(bert.name)
    assert await refused(links.open(again)) == "SELF_SERVICE_LINK_NOT_FOUND"


async def test_keys_follow_each_other_and_old_links_stay_good(start: Any, desk: Any, links: Links) -> None:
    anna = await desk.create()
    old = await links.token(anna.name)
    nobody = dict.fromkeys(service.calls, "127.0.0.1:9")
    used, new = "of-tests-alone-and-not-a-secret-", "another-of-tests-that-is-no-secret"

    async def restarted(keys: str) -> Links:
        url = desk.running.app.settings.database_url
        return Links(await start(service, peers=nobody, link_keys=keys, database_url=url))

    both = await restarted(f"{new} {used}")
    assert (await both.open(old)).customer == anna.name
    assert await both.token(anna.name) != old
    assert await refused((await restarted(new)).open(old)) == "SELF_SERVICE_LINK_NOT_FOUND"
    assert await refused((await restarted("")).token(anna.name)) == "NO_SELF_SERVICE_LINK_KEYS"
    assert await refused((await restarted("")).open(old)) == "SELF_SERVICE_LINK_NOT_FOUND"


async def test_what_is_said_by_a_link_the_customer_said(desk: Any, links: Links) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    token, request_id = await links.token(anna.name), str(uuid4())
    said = await links.say(token, DENIED, CHANNEL_EMAIL, CHANNEL_SMS, request_id=request_id)
    assert await links.say(token, DENIED, CHANNEL_EMAIL, CHANNEL_SMS, request_id=request_id) == said
    assert await links.say(token, DENIED) == type(said)(consents=said.consents[:1])  # says it once
    versions = await desk.consents.ListConsentVersions(
        ListConsentVersionsRequest(parent=f"{anna.name}/consents/marketing.email")
    )
    (noted,) = versions.consents
    assert (noted.noter, noted.source, noted.proof) == (anna.name, "one-click", "selfServiceLinks/0")
    facts = await desk.facts("ConsentUpdated")
    assert {each.actor for each in facts} == {f"customer:{anna.name.partition('/')[2]}"}
    audited = [row for row in await _CHANGES.all(desk.running.db) if row["via"]]
    assert {(row["actor"], row["via"]) for row in audited} == {(facts[0].actor, "service:desk")}
    for row in await _KEPT.all(desk.running.db):  # a link is in no answer that is kept
        assert token.encode() not in row["response"]
    assert await refused(links.say(token, DENIED, purpose="purposes/none")) == "RESOURCE_NOT_FOUND"


async def test_a_link_changes_nobody_elses_preferences(desk: Any, links: Links) -> None:
    anna, bert = await desk.create(), await desk.create()
    token = await links.token(anna.name)
    set_ = await links.prefer(token, anna.name, channels=[CHANNEL_SMS])
    assert (list(set_.channels), set_.etag) == ([CHANNEL_SMS], '"1"')
    assert (await links.open(token)).preferences == set_
    assert (
        await refused(links.prefer(token, bert.name, channels=[CHANNEL_SMS])) == "SELF_SERVICE_LINK_NOT_FOUND"
    )
    assert await refused(links.prefer(token, anna.name, '"7"', channels=[CHANNEL_EMAIL])) == "ETAG_MISMATCH"
    (fact,) = await desk.facts("PreferencesUpdated")
    assert fact.actor == f"customer:{anna.name.partition('/')[2]}"


async def test_a_link_of_a_merged_name_shows_what_is_kept_under_it(desk: Any, links: Links) -> None:
    anna, bert = await desk.create(language_code="de"), await desk.create(language_code="en")
    hours = [Preferences.QuietHours(starts="22:00", ends="07:00")]
    preferences = Preferences(name=f"{anna.name}/preferences", quiet_hours=hours, channels=[CHANNEL_SMS])
    await desk.consents.UpdatePreferences(UpdatePreferencesRequest(preferences=preferences))
    token, annas = await links.token(bert.name), await links.token(anna.name)
    merge = await desk.merge(anna.name, bert.name)
    found = await links.open(token)
    assert (found.customer, found.language_code) == (bert.name, "en")
    assert not found.preferences.quiet_hours
    assert not found.preferences.channels
    assert (await links.open(annas)).preferences.quiet_hours
    await links.say(token, DENIED)  # holds for all that they are called
    email = CheckContactRequest(name=anna.name, purpose=MARKETING, channels=[CHANNEL_EMAIL])
    assert (await desk.consents.CheckContact(email)).reason_code == "consent-denied"
    (consent,) = (await links.open(annas)).consents
    assert consent.name.startswith(f"{anna.name}/")
    await desk.undo(merge)
    for each in (token, annas):  # either was sent to whatever address they had
        assert await refused(links.open(each)) == "SELF_SERVICE_LINK_NOT_FOUND"
    token, annas = await links.token(bert.name), await links.token(anna.name)
    assert not (await links.open(annas)).consents
    assert (await links.open(token)).customer == bert.name
    # Whose etag a change follows is that of all names.
    later = (await links.open(token)).preferences
    assert (await links.prefer(token, bert.name, later.etag, channels=[CHANNEL_EMAIL])).channels


@pytest.mark.parametrize(("before", "since"), [(DENIED, GRANTED), (GRANTED, DENIED)])
async def test_a_link_says_again_what_another_name_of_theirs_took_back(
    desk: Any, links: Links, before: int, since: int
) -> None:
    anna, bert = [await desk.create(desk.email(f"{name}@example.com")) for name in ("anna", "bert")]
    annas, berts = [await links.token(each.name) for each in (anna, bert)]
    await links.say(berts, before)
    await desk.merge(anna.name, bert.name)
    email = CheckContactRequest(name=anna.name, purpose=MARKETING, channels=[CHANNEL_EMAIL])
    for token, state in ((annas, since), (berts, before), (annas, since), (berts, before)):
        desk.clock.advance(timedelta(minutes=1))
        said = [await links.say(token, state), await links.say(token, state)]
        assert said[0] == said[1]  # and said once
        assert (await desk.consents.CheckContact(email)).allowed == (state == GRANTED)


async def test_links_are_taken_back_of_every_name(desk: Any, links: Links) -> None:
    names = [(await desk.create()).name for _ in range(4)]
    *theirs, others = [await links.token(name) for name in names]
    await desk.merge(names[0], names[1])
    await desk.merge(names[0], names[2])
    await links.revoke(names[1])
    for token in theirs:
        assert await refused(links.open(token)) == "SELF_SERVICE_LINK_NOT_FOUND"
    assert (await links.open(others)).customer == names[3]
    again = [await links.token(name) for name in names]
    assert [(await links.open(token)).customer for token in again] == names
    (revoked,) = [each["resources"] for each in await _REVOKED.all(desk.running.db)]
    assert {*names[:3]} <= {*revoked.split()}


async def test_nobody_but_the_pages_opens_a_link(desk: Any, links: Links) -> None:
    anna = await desk.create()
    token = await links.token(anna.name)
    for stub in (links.messages, links.people):
        asked = stub.ResolveSelfServiceLink(pb.ResolveSelfServiceLinkRequest(token=token))
        assert await refused(asked) == "PERMISSION_DENIED"
    asked = links.pages.GetSelfServiceLink(pb.GetSelfServiceLinkRequest(name=f"{anna.name}/selfServiceLink"))
    assert await refused(asked) == "PERMISSION_DENIED"
    assert await refused(links.token(f"customers/{UUID(int=7)}")) == "RESOURCE_NOT_FOUND"


async def test_who_stops_everything_hears_nothing_of_now_or_later_and_what_they_need_all_the_same(
    desk: Any, links: Links
) -> None:
    anna = await desk.create(desk.email("anna@example.com"), desk.phone("+49 30 901820"))
    token = await links.token(anna.name)
    purposes = desk.running.stub(PurposeServiceStub)
    await links.say(token, GRANTED)

    async def create(purpose_id: str, **fields: Any) -> None:
        default = Purpose.DEFAULT_ALLOWED
        purpose = Purpose(
            display_name=purpose_id, department="departments/billing", contact_default=default, **fields
        )
        await purposes.CreatePurpose(CreatePurposeRequest(purpose_id=purpose_id, purpose=purpose))

    async def why_not(purpose: str, channel: int = CHANNEL_EMAIL, customer: str = anna.name) -> str:
        request = CheckContactRequest(name=customer, purpose=f"purposes/{purpose}", channels=[channel])
        return (await desk.consents.CheckContact(request)).reason_code

    await create("tips", category="marketing")
    assert [await why_not(each) for each in ("tips", "marketing")] == ["", ""]
    desk.clock.advance(timedelta(minutes=1))
    await links.stop(token)
    noted = (await links.open(token)).preferences
    assert (noted.contact_stop.effective_time.ToDatetime(UTC), noted.contact_stop.noter) == (
        desk.clock.now(),
        anna.name,
    )
    answer = await desk.consents.CheckContact(
        CheckContactRequest(name=anna.name, purpose="purposes/tips", channels=[CHANNEL_EMAIL])
    )
    since = {"default": "stopped", "email": "denied", "stop_time": desk.clock.now().isoformat()}
    since["stop_noter"] = anna.name
    assert dict(answer.decisions[-1].inputs) == since
    await create("news")
    law = Purpose.LEGAL_BASIS_LEGAL_OBLIGATION
    await create("recalls", category="marketing", essential=True, legal_basis=law)
    for purpose in ("tips", "marketing", "news"):
        for channel in (CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_FAX, CHANNEL_APP):
            assert await why_not(purpose, channel) == "consent-denied"
    assert [await why_not(each) for each in ("service", "recalls")] == ["", ""]
    # An import makes her anew with her address; it knows of no stop.
    removed = (await desk.get(anna.name)).identifiers[0]
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=removed.name))
    anew = (await desk.create(desk.email("anna@example.com"))).name
    assert [await why_not(each, customer=anew) for each in ("tips", "recalls")] == ["suppressed", ""]


async def test_by_a_link_nothing_is_said_of_what_is_essential_and_nothing_else_is_noted(
    desk: Any, links: Links
) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    token = await links.token(anna.name)
    said = [
        pb.SelfServiceConsent(purpose=each, channel=CHANNEL_EMAIL, state=DENIED)
        for each in (MARKETING, "purposes/service")
    ]
    request = pb.SubmitSelfServiceConsentsRequest(token=token, consents=said, source="one-click")
    assert await refused(links.pages.SubmitSelfServiceConsents(request)) == "PURPOSE_ESSENTIAL"
    assert not (await links.open(token)).consents


async def test_what_is_imported_of_before_a_stop_is_past_and_what_is_wanted_again_holds(
    desk: Any, links: Links
) -> None:
    anna, bea = await desk.create(desk.email("anna@example.com")), await desk.create()
    token = await links.token(anna.name)
    request = CheckContactRequest(name=anna.name, purpose=MARKETING, channels=[CHANNEL_EMAIL])
    yes = Consent(name=f"{bea.name}/consents/marketing.email", state=GRANTED)
    await desk.consents.UpdateConsent(UpdateConsentRequest(consent=yes, allow_missing=True))
    desk.clock.advance(timedelta(minutes=1))
    await links.stop(token)
    desk.clock.advance(timedelta(minutes=1))
    await desk.merge(anna.name, bea.name)
    assert (await desk.consents.CheckContact(request)).reason_code == "consent-denied"
    (own,) = [each for each in (await links.open(token)).consents if each.name.endswith("marketing.email")]
    assert own.state == DENIED
    await links.say(token, GRANTED)
    assert (await desk.consents.CheckContact(request)).allowed
    desk.clock.advance(timedelta(minutes=1))
    await links.stop(token)
    assert (await desk.consents.CheckContact(request)).reason_code == "consent-denied"


async def test_an_address_that_is_taken_from_them_takes_the_links_back(desk: Any, links: Links) -> None:
    anna = await desk.create(desk.email("typo@example.com"), desk.external("shop:1"))
    token = await links.token(anna.name)
    email, shop = anna.identifiers
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=shop.name))
    assert (await links.open(token)).customer == anna.name
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=email.name))
    assert await refused(links.open(token)) == "SELF_SERVICE_LINK_NOT_FOUND"


async def test_the_language_that_they_choose_is_that_of_messages_and_pages_and_of_that_name(
    desk: Any, links: Links
) -> None:
    anna, bea = [
        await desk.create(desk.email(f"{name}@example.com"), language_code="de") for name in ("a", "b")
    ]
    tokens = [await links.token(each.name) for each in (anna, bea)]
    merge = await desk.merge(anna.name, bea.name)
    desk.clock.advance(timedelta(minutes=1))
    await links.prefer(tokens[1], bea.name, language_code="en-GB")
    desk.clock.advance(timedelta(minutes=1))
    await links.prefer(tokens[0], anna.name, channels=[CHANNEL_SMS])
    assert [(await links.open(each)).language_code for each in tokens] == ["de", "en-GB"]
    request = CheckContactRequest(name=anna.name, purpose="purposes/service", channels=[CHANNEL_EMAIL])
    assert (await desk.consents.CheckContact(request)).language_code == "en-GB"
    await desk.undo(merge)
    assert (await desk.consents.CheckContact(request)).language_code == "de"
