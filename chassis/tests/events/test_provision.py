import asyncio
from dataclasses import replace

import nats.errors
import pytest

from chassis.events.nats import connect
from chassis.events.provision import (
    Consumption,
    Declaration,
    NotProvisioned,
    permissions,
    provision,
    verify,
)
from chassis.local.nats import Nats
from chassis.testing.wait import eventually

CASES = Declaration("cases")
LOYALTY = Declaration("loyalty", (Consumption("loyalty-cases", "cases", ("events.cases.case.opened.v1",)),))


async def test_what_is_provisioned_verifies(broker):
    await verify(await broker(LOYALTY), LOYALTY)


async def test_provisioning_twice_changes_nothing(broker, infrastructure):
    connection = await broker(LOYALTY)
    await connection.js.publish("events.loyalty.kept", b"")

    await provision(infrastructure.nats_url, LOYALTY)

    assert (await connection.js.stream_info("LOYALTY")).state.messages == 1


async def test_services_that_listen_to_each_other_can_be_provisioned_in_any_order(broker):
    back = Declaration("cases", (Consumption("cases-loyalty", "loyalty", ("events.loyalty.>",)),))

    await verify(await broker(LOYALTY), LOYALTY)
    await verify(await broker(back), back)


async def test_a_new_handler_gets_its_subject(broker):
    await broker(LOYALTY)
    [consumption] = LOYALTY.subscriptions
    more = replace(consumption, subjects=(*consumption.subjects, "events.cases.case.closed.v1"))
    wider = Declaration("loyalty", (more,))

    connection = await broker(wider)

    await verify(connection, wider)
    await verify(connection, LOYALTY)  # the release before still runs


async def test_without_provisioning_a_service_refuses_to_start_and_says_what_to_do(broker):
    connection = await broker(CASES)

    with pytest.raises(NotProvisioned) as refusal:
        await verify(connection, LOYALTY)

    assert "stream LOYALTY does not exist" in str(refusal.value)
    assert "consumer loyalty-cases on stream CASES does not exist" in str(refusal.value)
    assert "python -m loyalty provision" in str(refusal.value)


async def test_a_consumer_that_would_lose_events_is_refused(broker):
    connection = await broker(LOYALTY)
    info = await connection.js.consumer_info("CASES", "loyalty-cases")
    await connection.js.add_consumer("CASES", replace(info.config, max_deliver=5, ack_wait=60.0, name=None))

    with pytest.raises(NotProvisioned, match="max_deliver 5, must be -1"):
        await verify(connection, LOYALTY)


async def test_a_stream_that_drops_what_it_holds_is_refused(broker):
    connection = await broker(CASES)
    info = await connection.js.stream_info("CASES")
    await connection.js.update_stream(replace(info.config, discard="old"))

    with pytest.raises(NotProvisioned, match="stream CASES has discard"):
        await verify(connection, CASES)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A broker whose users may do what their declarations say."""
    users = {each.service: permissions(each) for each in (CASES, LOYALTY)}
    with Nats(tmp_path_factory.mktemp("guarded"), users=users) as server:
        yield server


@pytest.fixture
async def as_user(guarded):
    made = []

    async def log_in(name):
        made.append(await connect(guarded.url_for(name), name))
        return made[-1]

    for declaration in (CASES, LOYALTY):
        await provision(guarded.url, declaration)
    yield log_in
    for connection in made:
        await connection.close()


async def test_a_service_may_do_all_that_it_needs(as_user):
    cases, loyalty = await as_user("cases"), await as_user("loyalty")
    await verify(cases, CASES)
    await verify(loyalty, LOYALTY)
    beats = await loyalty.client.subscribe("beat.*")
    await loyalty.client.flush()

    await cases.js.publish("events.cases.case.opened.v1", b"")
    await loyalty.js.publish("dead.loyalty.loyalty-cases", b"")
    await cases.client.publish("beat.cases", b"")
    await beats.next_msg(timeout=5)
    subscription = await loyalty.js.pull_subscribe_bind("loyalty-cases", "CASES")
    [message] = await subscription.fetch(1, timeout=5)
    await message.ack()

    async def acknowledged():
        return (await loyalty.js.consumer_info("CASES", "loyalty-cases")).num_ack_pending == 0

    await eventually(acknowledged)
    assert await loyalty.problem() == ""


FORBIDDEN_PUBLISH = [
    "events.cases.case.opened.v1",
    "dead.cases.cases-loyalty",
    "beat.cases",
    "poke.cases",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.LOYALTY",
    "$JS.API.STREAM.DELETE.CASES",
    "$JS.API.STREAM.PURGE.CASES",
    "$JS.API.STREAM.MSG.GET.CASES",
    "$JS.API.STREAM.MSG.DELETE.CASES",
    "$JS.API.DIRECT.GET.CASES",
    "$JS.API.CONSUMER.CREATE.CASES",
    "$JS.API.CONSUMER.DURABLE.CREATE.CASES.mine",
    "$JS.API.CONSUMER.DELETE.CASES.loyalty-cases",
    "$JS.API.CONSUMER.MSG.NEXT.CASES.someone-elses",
    "_INBOX_cases.reply",
]


@pytest.mark.parametrize("subject", FORBIDDEN_PUBLISH)
async def test_a_service_may_not_publish(as_user, subject):
    loyalty = await as_user("loyalty")

    with pytest.raises(nats.errors.TimeoutError):  # which is how the client reports a refused request
        await loyalty.client.request(subject, b"{}", timeout=0.3)


FORBIDDEN_SUBSCRIBE = [
    "events.cases.>",
    "_INBOX_cases.>",
    "_INBOX.>",
    "dead.>",
    "poke.cases",
    "$JS.ACK.>",
    ">",
]


@pytest.mark.parametrize("subject", FORBIDDEN_SUBSCRIBE)
async def test_a_service_may_not_read(as_user, subject):
    loyalty = await as_user("loyalty")
    refused = asyncio.Event()
    original = loyalty.client._error_cb

    async def listen(error):
        await original(error)
        if "permissions violation" in str(error).lower():
            refused.set()

    loyalty.client._error_cb = listen

    await loyalty.client.subscribe(subject)

    await asyncio.wait_for(refused.wait(), 5)


async def test_a_foreign_events_forgery_never_reaches_the_stream(as_user, guarded):
    loyalty = await as_user("loyalty")
    admin = await connect(guarded.url, "admin")
    before = (await admin.js.stream_info("CASES")).state.last_seq

    with pytest.raises(nats.errors.TimeoutError):
        await loyalty.js.publish("events.cases.case.opened.v1", b"forged", timeout=0.3)

    assert (await admin.js.stream_info("CASES")).state.last_seq == before
    await admin.close()
