"""Addresses to which nothing is sent, whoever has them."""

from itertools import permutations
from uuid import uuid4

import pytest

from chassis.settings import WrongSettings
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_VOICE
from rapport.customer.v1.consent_service_pb2 import CheckContactRequest
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import (
    CreateSuppressionRequest,
    ExplainSuppressionRequest,
    GetSuppressionRequest,
    ListSuppressionsRequest,
    ReleaseSuppressionRequest,
)
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub

EMAIL, PHONE = Identifier.TYPE_EMAIL, Identifier.TYPE_PHONE
UNSUBSCRIBED, BOUNCED = Suppression.REASON_UNSUBSCRIBED, Suppression.REASON_HARD_BOUNCE
NUMBER = "+49 30 901820"


@pytest.fixture
async def suppressions(desk):
    return desk.running.stub(SuppressionServiceStub)


async def suppress(suppressions, address="", reason=UNSUBSCRIBED, type=EMAIL, **fields):
    suppression = Suppression(type=type, reason=reason, address=address, **fields)
    return await suppressions.CreateSuppression(CreateSuppressionRequest(suppression=suppression))


async def release(suppressions, suppression, **fields):
    request = ReleaseSuppressionRequest(name=suppression.name, reason_code="asked-again", **fields)
    return await suppressions.ReleaseSuppression(request)


async def reached(desk, customer, purpose="service", channels=(CHANNEL_EMAIL,), urgent=False):
    """The address, or why there is none."""
    request = CheckContactRequest(
        name=customer, purpose=f"purposes/{purpose}", channels=channels, urgent=urgent
    )
    answer = await desk.consents.CheckContact(request)
    return answer.address or answer.reason_code


async def purpose(desk, id, category="", basis=Purpose.LEGAL_BASIS_CONTRACT, *, essential=False):
    made = Purpose(
        display_name=id,
        department="departments/billing",
        contact_default=Purpose.DEFAULT_ALLOWED,
        legal_basis=basis,
        category=category,
        essential=essential,
    )
    purposes = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id=id, purpose=made))


async def test_nothing_is_sent_to_an_address_that_is_suppressed_however_it_is_written(desk, suppressions):
    anna = (await desk.create(desk.email("Anna@Example.com"))).name
    assert await reached(desk, anna) == "Anna@Example.com"
    held = await suppress(suppressions, "anna@EXAMPLE.com", source="one-click")
    assert await reached(desk, anna) == "suppressed"
    assert (held.noter, held.source, held.HasField("release_time")) == ("agents/alice", "one-click", False)
    assert await suppressions.GetSuppression(GetSuppressionRequest(name=held.name)) == held


async def test_a_check_says_by_what_it_is_kept_from_them(desk, suppressions):
    anna = (await desk.create(desk.email("anna@example.com"))).name
    held = await suppress(suppressions, "anna@example.com", Suppression.REASON_COMPLAINT)
    request = CheckContactRequest(name=anna, purpose="purposes/service", channels=[CHANNEL_EMAIL])
    answer = await desk.consents.CheckContact(request)
    assert [each.step for each in answer.decisions] == ["consent", "suppression"]
    assert dict(answer.decisions[1].inputs) == {
        "channel": "email",
        "suppression": held.name,
        "reason": "complaint",
        "category": "all",
    }
    assert (answer.address, answer.display_name) == ("", "")


async def test_it_holds_for_whoever_gets_the_address_later_and_when_its_customer_is_gone(desk, suppressions):
    held = await suppress(suppressions, "anna@example.com", Suppression.REASON_ERASURE)
    anna = (await desk.create(desk.email("anna@example.com"))).name
    assert await reached(desk, anna) == "suppressed"
    async with desk.running.db.connection() as connection:
        kept = await connection.fetchval("SELECT to_jsonb(suppressions)::text FROM suppressions")
    assert "anna" not in kept
    assert anna.partition("/")[2] not in kept
    assert (await release(suppressions, held)).releaser == "agents/alice"


async def test_of_one_who_said_no_no_other_address_is_used_and_one_that_bounced_gives_way(desk, suppressions):
    anna = (await desk.create(desk.email("old@example.com"), desk.email("new@example.com"))).name
    bounce = await suppress(suppressions, "old@example.com", BOUNCED)
    assert await reached(desk, anna) == "new@example.com"
    assert await reached(desk, anna, urgent=True) == "new@example.com"
    await release(suppressions, bounce)
    await suppress(suppressions, "new@example.com")
    assert await reached(desk, anna) == "suppressed"


async def test_a_number_that_is_suppressed_says_nothing_of_others(desk, suppressions):
    anna = (await desk.create(desk.phone(NUMBER), desk.phone("+49 30 901821"))).name
    await suppress(suppressions, NUMBER, type=PHONE)
    assert await reached(desk, anna, channels=[CHANNEL_SMS]) == "+4930901821"
    bea = (await desk.create(desk.phone(f"{NUMBER} ext. 12"))).name
    assert await reached(desk, bea, channels=[CHANNEL_VOICE]) == "suppressed"


async def test_another_channel_serves(desk, suppressions):
    anna = (await desk.create(desk.email("anna@example.com"), desk.phone(NUMBER))).name
    await suppress(suppressions, "anna@example.com")
    assert await reached(desk, anna, channels=[CHANNEL_EMAIL, CHANNEL_SMS]) == "+4930901820"


async def test_of_a_category_it_keeps_from_no_other(desk, suppressions):
    anna = (await desk.create(desk.email("anna@example.com"))).name
    await purpose(desk, "polls", "survey")
    await suppress(suppressions, "anna@example.com", category="survey")
    assert await reached(desk, anna, "polls") == "suppressed"
    assert await reached(desk, anna) == "anna@example.com"


async def test_what_is_owed_or_urgent_is_told_all_the_same_but_where_nothing_arrives(desk, suppressions):
    anna = (await desk.create(desk.email("anna@example.com"))).name
    law = Purpose.LEGAL_BASIS_LEGAL_OBLIGATION
    await purpose(desk, "recall", basis=law, essential=True)
    await purpose(desk, "census", basis=law)
    await suppress(suppressions, "anna@example.com")
    assert await reached(desk, anna, "recall") == "anna@example.com"
    assert await reached(desk, anna, "census") == "suppressed"  # said by a department of its own
    assert await reached(desk, anna, urgent=True) == "anna@example.com"
    await suppress(suppressions, "anna@example.com", BOUNCED)
    assert await reached(desk, anna, "recall") == "suppressed"
    assert await reached(desk, anna, urgent=True) == "suppressed"


async def test_said_again_it_is_the_one_that_holds_until_it_is_released(desk, suppressions, refused):
    first = await suppress(suppressions, "anna@example.com", source="dsn")
    assert await suppress(suppressions, "anna@example.com", source="call") == first
    assert await suppress(suppressions, "anna@example.com", category="survey") != first
    released = await release(suppressions, first, etag=first.etag)
    assert (released.release_reason_code, released.HasField("release_time")) == ("asked-again", True)
    assert await refused(release(suppressions, first)) == "FAILED_PRECONDITION SUPPRESSION_RELEASED"
    again = await suppress(suppressions, "anna@example.com")
    assert again.name != first.name
    told = [each.type.rpartition(".")[2] for each in await desk.facts()]
    assert told == ["SuppressionCreated", "SuppressionCreated", "SuppressionReleased", "SuppressionCreated"]


async def test_the_address_of_an_identifier_is_suppressed_without_being_said(desk, suppressions, refused):
    anna = await desk.create(desk.email("anna@example.com"))
    (email,) = anna.identifiers
    await suppress(suppressions, identifier=email.name)
    assert await reached(desk, anna.name) == "suppressed"
    of_passed_on = suppress(suppressions, "anna@elsewhere.example", identifier=email.name)
    assert await refused(of_passed_on) == "FAILED_PRECONDITION ADDRESS_DIFFERS"
    both = await suppress(suppressions, "Anna@Example.com", identifier=email.name)
    assert both.name == (await suppress(suppressions, identifier=email.name)).name
    of_other_type = suppress(suppressions, identifier=email.name, type=PHONE)
    assert await refused(of_other_type) == "INVALID_ARGUMENT INVALID_NAME"
    of_nobody = suppress(suppressions, identifier=f"{anna.name}/identifiers/{uuid4()}")
    assert await refused(of_nobody) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_what_is_no_address_is_refused(suppressions, refused):
    for call, reason in (
        (suppress(suppressions, "anna at example"), "INVALID_EMAIL"),
        (suppress(suppressions, "030 901820", type=PHONE), "INVALID_PHONE"),
        (suppress(suppressions, "anna", type=Identifier.TYPE_SOCIAL), "INVALID_ENUM"),
        (suppress(suppressions), "REQUIRED"),
        (suppress(suppressions, "a@example.com", BOUNCED, category="survey"), "INVALID_CODE"),
    ):
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_a_customer_has_those_of_their_addresses_by_any_of_their_names(desk, suppressions):
    anna, ann = await desk.create(desk.email("anna@example.com")), await desk.create(desk.phone(NUMBER))
    first = await suppress(suppressions, "anna@example.com")
    second = await suppress(suppressions, NUMBER, type=PHONE)
    await suppress(suppressions, "bea@example.com")
    await desk.merge(anna.name, ann.name)
    for name in (anna.name, ann.name):
        listed = (await suppressions.ListSuppressions(ListSuppressionsRequest(customer=name))).suppressions
        assert [(each.name, each.identifier) for each in listed] == [
            (second.name, ann.identifiers[0].name),
            (first.name, anna.identifiers[0].name),
        ]
    await release(suppressions, first)
    of_all = ListSuppressionsRequest(filter="reason = UNSUBSCRIBED AND NOT release_time:*")
    assert len((await suppressions.ListSuppressions(of_all)).suppressions) == 2


async def test_after_a_merge_the_no_of_either_holds_and_is_the_others_no_more_once_they_are_two(
    desk, suppressions
):
    for i, (kept, other) in enumerate(permutations(("anna", "ann"))):
        names = {
            each: (await desk.create(desk.email(f"{each}{i}@example.com"))).name for each in (kept, other)
        }
        await suppress(suppressions, f"ann{i}@example.com")
        merge = await desk.merge(names[kept], names[other])
        assert [await reached(desk, names[each]) for each in ("anna", "ann")] == ["suppressed"] * 2
        await desk.undo(merge)
        found = [await reached(desk, names[each]) for each in ("anna", "ann")]
        assert found == [f"anna{i}@example.com", "suppressed"]


async def test_it_is_explained_by_who_said_it(desk, suppressions):
    held = await suppress(suppressions, "anna@example.com")
    explained = await suppressions.ExplainSuppression(ExplainSuppressionRequest(name=held.name))
    assert "agents/alice" in explained.summary


async def test_without_a_key_nothing_is_suppressed_and_with_another_nothing_starts(
    open_desk, suppressions, desk, refused
):
    bare = await open_desk(address_pepper="")
    stub = bare.running.stub(SuppressionServiceStub)
    assert await refused(suppress(stub, "anna@example.com")) == "FAILED_PRECONDITION NO_ADDRESS_PEPPER"
    await suppress(suppressions, "anna@example.com")
    url = str(desk.running.app.settings.database_url)
    for wrong in ("", "another-key-than-the-one-before-it"):
        with pytest.raises(WrongSettings, match="RAPPORT_ADDRESS_PEPPER"):
            await open_desk(address_pepper=wrong, database_url=url)
