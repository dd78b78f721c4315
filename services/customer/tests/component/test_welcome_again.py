"""What was suppressed by stopping everything, once something of the kind is wanted again."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import ConfirmConsentRequest, IssueConsentTokenRequest
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport.customer.v1.suppression_service_pb2 import ExplainSuppressionRequest, ListSuppressionsRequest
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub

GRANTED = Consent.STATE_GRANTED
EMAIL, PHONE = Identifier.TYPE_EMAIL, Identifier.TYPE_PHONE
_ROWS = Statement[Any](sa.select(sa.text("s.*")).select_from(sa.text("suppressions s")))
_AUDIT = Statement[Any](sa.select(AUDIT))


class Pages:
    """What customers do on their own pages, and what is suppressed then."""

    def __init__(self, running: Any) -> None:
        self.links = running.stub(SelfServiceLinkServiceStub)
        self.suppressions = running.stub(SuppressionServiceStub)

    async def token(self, customer: str) -> str:
        asked = pb.GetSelfServiceLinkRequest(name=f"{customer}/selfServiceLink")
        return str((await self.links.GetSelfServiceLink(asked)).token)

    async def stop(self, customer: str) -> None:
        token = await self.token(customer)
        await self.links.StopSelfServiceContact(
            pb.StopSelfServiceContactRequest(token=token, source="stop-all")
        )

    async def say_yes(self, customer: str, purpose: str = "tips", channel: int = CHANNEL_EMAIL) -> Consent:
        """Say so, and what holds then."""
        said = pb.SelfServiceConsent(purpose=f"purposes/{purpose}", channel=channel, state=GRANTED)
        token = await self.token(customer)
        request = pb.SubmitSelfServiceConsentsRequest(token=token, consents=[said], source="preference-page")
        (held,) = (await self.links.SubmitSelfServiceConsents(request)).consents
        return held

    async def suppressed(self, customer: str, category: str = "tips") -> list[int]:
        """The types of those of their addresses to which nothing of the category is sent."""
        request = ListSuppressionsRequest(customer=customer, filter="NOT release_time:*")
        listed = (await self.suppressions.ListSuppressions(request)).suppressions
        return sorted(each.type for each in listed if each.category == category)


@pytest.fixture
async def pages(desk: Any) -> Pages:
    """With two purposes of one category, of which one is to be confirmed by e-mail."""
    purposes = desk.running.stub(PurposeServiceStub)
    for purpose_id, channels in (("tips", []), ("polls", [CHANNEL_EMAIL])):
        purpose = Purpose(
            display_name=purpose_id,
            department="departments/billing",
            contact_default=Purpose.DEFAULT_DENIED,
            category="tips",
            double_opt_in_channels=channels,
        )
        await purposes.CreatePurpose(CreatePurposeRequest(purpose_id=purpose_id, purpose=purpose))
    return Pages(desk.running)


@pytest.fixture
async def two(desk: Any) -> list[str]:
    """Who share an address."""
    address = Identifier(type=EMAIL, value="family@example.com", shared=True)
    return [(await desk.create(address, given_name=name)).name for name in ("Anna", "Bea")]


async def published(desk: Any) -> set[Any]:
    """Which events were told; what says no more of when than the day stands among them by that day."""
    return {each.id for each in await desk.running.published()}


async def test_a_yes_that_waits_releases_nothing_until_it_is_confirmed(desk: Any, pages: Pages) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    await pages.stop(anna.name)
    waits = await pages.say_yes(anna.name, "polls")
    assert waits.state == Consent.STATE_DENIED
    assert await pages.suppressed(anna.name) == [EMAIL]
    request = IssueConsentTokenRequest(name=waits.name, identifier=anna.identifiers[0].name)
    issued = await desk.consents.IssueConsentToken(request)
    await desk.consents.ConfirmConsent(ConfirmConsentRequest(token=issued.token))
    assert await pages.suppressed(anna.name) == []


async def test_a_yes_by_one_channel_releases_no_address_of_another(desk: Any, pages: Pages) -> None:
    anna = (await desk.create(desk.email("anna@example.com"), desk.phone("+49 30 901820"))).name
    await pages.stop(anna)
    assert await pages.suppressed(anna) == [EMAIL, PHONE]
    await pages.say_yes(anna, channel=CHANNEL_SMS)
    assert await pages.suppressed(anna) == [EMAIL]
    await pages.say_yes(anna)
    assert await pages.suppressed(anna) == []
    assert await pages.suppressed(anna, "marketing") == [EMAIL, PHONE]


async def test_what_is_stopped_and_wanted_again_by_a_link_names_no_customer(desk: Any, pages: Pages) -> None:
    anna = await desk.create(desk.email("anna@example.com"), desk.phone("+49 30 901820"))
    before = await published(desk)
    await pages.stop(anna.name)
    await pages.say_yes(anna.name)
    listed = (await pages.suppressions.ListSuppressions(ListSuppressionsRequest())).suppressions
    released = [each for each in listed if each.releaser]
    assert len(released) == 1
    assert {each.noter for each in listed} == {each.releaser for each in released} == {"agents/alice"}
    facts = [each for each in await desk.running.published() if each.id not in before]
    told = [each for each in facts if "Suppression" in each.type]
    others = {each.causation_id for each in facts if each not in told}
    assert {each.actor for each in told} == {"agent:alice"}
    assert others.isdisjoint(each.causation_id for each in told)
    assert len({each.causation_id for each in told}) == len(told)
    uuid = anna.name.removeprefix("customers/")
    rows = await _ROWS.all(desk.running.db)
    explained = await pages.suppressions.ExplainSuppression(ExplainSuppressionRequest(name=released[0].name))
    assert rows
    assert uuid not in f"{rows}{[each.data for each in told]}{explained}"


async def test_what_is_confirmed_leads_from_no_suppression_to_its_customer(desk: Any, pages: Pages) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    await pages.stop(anna.name)
    waits = await pages.say_yes(anna.name, "polls")
    issued = await desk.consents.IssueConsentToken(
        IssueConsentTokenRequest(name=waits.name, identifier=anna.identifiers[0].name)
    )
    before = await published(desk)
    asked = ConfirmConsentRequest(token=issued.token, request_id=str(uuid4()))
    await desk.consents.ConfirmConsent(asked)
    facts = [each for each in await desk.running.published() if each.id not in before]
    (released,) = [each for each in facts if each.type.endswith(".SuppressionReleased")]
    (said,) = [each for each in facts if each.type.endswith(".ConsentUpdated")]
    rows = {row["id"]: row for row in await _AUDIT.all(desk.running.db)}
    own, theirs = rows[released.causation_id], rows[said.causation_id]
    assert "suppressions/" in own["resources"]
    assert "customers/" not in own["resources"]
    assert (own["request_id"], theirs["request_id"]) == ("", asked.request_id)
    assert own["correlation_id"] != theirs["correlation_id"]
    assert own["cause_id"] is None


async def test_of_a_shared_address_what_another_still_stops_is_kept(pages: Pages, two: list[str]) -> None:
    anna, bea = two
    await pages.stop(anna)
    await pages.say_yes(bea)
    assert await pages.suppressed(bea) == [EMAIL]
    await pages.say_yes(anna, channel=CHANNEL_SMS)
    await pages.say_yes(bea)
    assert await pages.suppressed(bea) == [EMAIL]
    await pages.say_yes(anna)  # and nobody is left who stops it
    assert await pages.suppressed(bea) == []


async def test_of_two_who_stopped_the_later_yes_releases_what_they_share(
    pages: Pages, two: list[str]
) -> None:
    for each in two:
        await pages.stop(each)
    for each in two:
        assert await pages.suppressed(each) == [EMAIL]
        await pages.say_yes(each)
    assert await pages.suppressed(two[0]) == []


async def test_two_yeses_at_once_are_both_noted(pages: Pages, two: list[str]) -> None:
    for _ in range(5):
        for each in two:
            await pages.stop(each)
        held = await asyncio.gather(*(pages.say_yes(each) for each in two))
        assert [each.state for each in held] == [GRANTED, GRANTED]
