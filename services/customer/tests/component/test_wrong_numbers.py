"""A number that is not theirs reaches nobody, until the customer proves that it does."""

from uuid import uuid4

from customer.events.cases import CALLS
from rapport.cases.v1.call_pb2 import CALL_OUTCOME_NO_ANSWER, CALL_OUTCOME_WRONG_NUMBER
from rapport.cases.v1.cases_events_pb2 import WorkItemCalled
from rapport.common.v1.channel_pb2 import CHANNEL_VOICE
from rapport.customer.v1.consent_service_pb2 import CheckContactRequest
from rapport.customer.v1.customer_service_pb2 import (
    ExplainIdentifierRequest,
    GetIdentifierRequest,
    VerifyIdentifierRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_testing.wait import eventually


def number(value):
    return Identifier(type=Identifier.TYPE_PHONE, value=value)


async def called(desk, identifier, outcome=CALL_OUTCOME_WRONG_NUMBER):
    """Take in the word of a call, and wait for what comes of it."""
    customer = "/".join(identifier.split("/")[:2])
    told = WorkItemCalled(
        work_item=f"workItems/{uuid4()}", customer=customer, identifier=identifier, outcome=outcome
    )
    event_id = await desk.deliver(told)

    async def is_in():
        async with desk.running.db.connection() as connection:
            read = "SELECT true FROM inbox WHERE event_id = $1 AND consumer = $2"  # the view hears of it, too
            return await connection.fetchval(read, event_id, CALLS.durable)

    assert await eventually(is_in)


async def reached_by(desk, customer):
    request = CheckContactRequest(name=customer, purpose="purposes/service", channels=[CHANNEL_VOICE])
    return (await desk.consents.CheckContact(request)).address


async def get(desk, identifier):
    return await desk.customers.GetIdentifier(GetIdentifierRequest(name=identifier))


async def test_nobody_is_called_by_a_number_that_was_wrong_until_it_is_proved(desk):
    anna = await desk.create(number("+49 30 901820"), number("+49 30 901821"))
    first, second = (each.name for each in anna.identifiers)
    assert await reached_by(desk, anna.name) == "+4930901820"
    await called(desk, first, CALL_OUTCOME_NO_ANSWER)
    assert not (await get(desk, first)).HasField("unreachable_time")
    for _ in range(2):
        await called(desk, first)
    assert (await get(desk, first)).HasField("unreachable_time")
    assert await reached_by(desk, anna.name) == "+4930901821"
    await called(desk, second)
    assert await reached_by(desk, anna.name) == ""
    assert len(await desk.facts("IdentifierUpdated")) == 2
    explained = await desk.customers.ExplainIdentifier(ExplainIdentifierRequest(name=first))
    assert "did not reach the customer by it" in explained.summary
    proved = await desk.customers.VerifyIdentifier(VerifyIdentifierRequest(name=first, method="call-back"))
    assert not proved.HasField("unreachable_time")
    assert await reached_by(desk, anna.name) == "+4930901820"


async def test_of_a_number_that_is_theirs_no_more_the_word_says_nothing(desk):
    anna = await desk.create(number("+49 30 901820"))
    await called(desk, f"{anna.name}/identifiers/{uuid4()}")
    await called(desk, f"customers/{uuid4()}/identifiers/{uuid4()}")
    assert await reached_by(desk, anna.name) == "+4930901820"
