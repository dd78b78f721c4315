from dataclasses import replace

import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.events.declarations import Consumption, Declaration
from chassis.events.provision import NotProvisioned, provision, verify

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


async def test_a_stream_that_somebody_makes_meanwhile_is_made_once(broker, infrastructure, monkeypatch):
    """Two that are installed at once: the other makes it after we have asked."""
    connection = await broker(CASES)
    ask, before = JetStreamContext.stream_info, [NotFoundError()]

    async def answer(js, name):
        if before:
            raise before.pop()
        return await ask(js, name)

    monkeypatch.setattr(JetStreamContext, "stream_info", answer)

    await provision(infrastructure.nats_url, CASES)

    assert not before
    await verify(connection, CASES)


async def test_a_broker_without_room_for_a_stream_is_told_in_a_sentence(infrastructure):
    with pytest.raises(NotProvisioned, match="no stream ROOMY of 10000 GiB: insufficient storage"):
        await provision(infrastructure.nats_url, Declaration("roomy"), stream_gib=10_000)


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


UNSAFE_STREAMS = [
    ({"discard": "old"}, "stream CASES has discard"),
    ({"max_age": 3600.0, "duplicate_window": 60.0}, "stream CASES has max_age 3600.0, must be at least"),
    ({"max_msg_size": 1024}, "stream CASES has max_msg_size 1024, must be at least"),
    ({"subjects": ["events.cases.case.>"]}, "stream CASES does not take events.cases.>"),
]


@pytest.mark.parametrize(("changed", "said"), UNSAFE_STREAMS, ids=[said for _, said in UNSAFE_STREAMS])
async def test_a_stream_that_would_lose_facts_is_refused(broker, changed, said):
    connection = await broker(CASES)
    info = await connection.js.stream_info("CASES")
    await connection.js.update_stream(replace(info.config, **changed))

    with pytest.raises(NotProvisioned, match=said):
        await verify(connection, CASES)


async def test_a_stream_in_memory_is_refused(broker):
    connection = await broker(CASES)
    info = await connection.js.stream_info("CASES")
    await connection.js.delete_stream("CASES")
    await connection.js.add_stream(replace(info.config, storage="memory"))

    with pytest.raises(NotProvisioned, match="stream CASES has storage"):
        await verify(connection, CASES)


UNSAFE_CONSUMERS = [
    ({"max_deliver": 5}, "max_deliver 5, must be -1"),
    ({"ack_wait": 1.0}, "ack_wait 1.0, must be at least 6.0"),
    ({"filter_subjects": ["events.cases.case.closed.v1"]}, "does not read events.cases.case.opened.v1"),
]


@pytest.mark.parametrize(("changed", "said"), UNSAFE_CONSUMERS, ids=[said for _, said in UNSAFE_CONSUMERS])
async def test_a_consumer_that_would_lose_facts_is_refused(broker, changed, said):
    connection = await broker(LOYALTY)
    info = await connection.js.consumer_info("CASES", "loyalty-cases")
    fresh = {"name": None, "filter_subject": None, "filter_subjects": list(LOYALTY.subscriptions[0].subjects)}
    await connection.js.add_consumer("CASES", replace(info.config, **{**fresh, **changed}))

    with pytest.raises(NotProvisioned, match=said):
        await verify(connection, LOYALTY)


async def test_what_the_next_release_may_have_provisioned_is_accepted(broker):
    connection = await broker(LOYALTY)
    for name in ("CASES", "LOYALTY"):
        found = (await connection.js.stream_info(name)).config
        more = {"max_age": found.max_age * 2, "duplicate_window": 60.0, "max_msg_size": 1024**2}
        subjects = [*found.subjects, f"facts.{name.lower()}.>"]
        await connection.js.update_stream(replace(found, **more, max_bytes=5 * 1024**3, subjects=subjects))
    found = (await connection.js.consumer_info("CASES", "loyalty-cases")).config
    wider = replace(found, name=None, ack_wait=60.0, max_ack_pending=5000, filter_subject=None)
    await connection.js.add_consumer(
        "CASES", replace(wider, filter_subjects=["events.cases.case.opened.v1", "x"])
    )

    await verify(connection, LOYALTY)


async def test_streams_have_as_much_room_as_they_are_given(broker, infrastructure):
    connection = await broker(CASES)
    assert (await connection.js.stream_info("CASES")).config.max_bytes == 1024**3

    await provision(infrastructure.nats_url, CASES, stream_gib=2)

    assert (await connection.js.stream_info("CASES")).config.max_bytes == 2 * 1024**3
