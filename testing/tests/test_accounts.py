"""What a department may do at the broker, and that nothing it sends reaches what is another's.

On a real server with an account for each service, as `rapport up` and the charts configure it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

import nats.errors
import pytest

from chassis.events.declarations import Consumption, Declaration
from chassis.events.nats import Connection, connect
from chassis.events.provision import provision, verify
from chassis.inbox.pull import Pull
from rapport_testing.engines.accounts import permissions, provisioner_of
from rapport_testing.engines.nats import Nats
from rapport_testing.wait import eventually

OPENED = "events.cases.case.opened.v1"
CASES = Declaration("cases")
LOYALTY = Declaration("loyalty", (Consumption("loyalty-cases", "cases", (OPENED,)),))
NOTICES = Declaration("notices", (Consumption("notices-cases", "cases", (OPENED,)),))
VIEW = Declaration("view", (Consumption("view-cases", "cases", ("events.cases.>",)),))
EVERYBODY = (CASES, LOYALTY, NOTICES, VIEW)
LogIn = Callable[[str], Awaitable[Connection]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    with Nats(tmp_path_factory.mktemp("accounts"), declarations=EVERYBODY) as running:
        yield running


@pytest.fixture
async def log_in(server: Nats) -> AsyncIterator[LogIn]:
    """`await log_in("loyalty")`: a connection of that user; streams are fresh for each test."""
    made: list[Connection] = []

    async def begin(name: str) -> Connection:
        made.append(await connect(server.url_for(name), name.replace("-", ".")))
        return made[-1]

    js = (await begin("admin")).js
    for name in await names(js):
        await js.delete_stream(name)
    for declaration in EVERYBODY:
        await provision(server.url_for(provisioner_of(declaration.service)), declaration)
    yield begin
    for connection in made:
        await connection.close()


async def names(js: object) -> list[str]:
    return [str(info.config.name) for info in await js.streams_info()]  # type: ignore[attr-defined]


async def stored(admin: Connection) -> Mapping[str, int]:
    """How many messages each stream has taken."""
    return {str(info.config.name): info.state.last_seq for info in await admin.js.streams_info()}


def said_by(connection: Connection) -> list[str]:
    """What the server reports to a user from now on, lower-case."""
    heard: list[str] = []

    async def hear(error: Exception) -> None:
        heard.append(str(error).lower())

    connection.client._error_cb = hear
    return heard


async def settled(*connections: Connection) -> None:
    """Wait until the server has seen to all that was sent, and these have received what came of it."""
    await connections[0].js.stream_info("CASES")
    for connection in connections:
        await connection.client.flush()


async def test_a_service_may_do_all_that_it_needs(log_in: LogIn) -> None:
    cases, loyalty = await log_in("cases"), await log_in("loyalty")
    await verify(cases, CASES)
    await verify(loyalty, LOYALTY)
    beats = await loyalty.client.subscribe("beat.*")
    pokes = await loyalty.client.subscribe("poke.loyalty")
    await loyalty.client.flush()

    await cases.js.publish(OPENED, b"fact", headers={"ce-id": "1"})
    await loyalty.client.publish("poke.loyalty", b"")
    await cases.client.publish("beat.cases", b"")
    await beats.next_msg(timeout=5)
    await pokes.next_msg(timeout=5)
    pull = Pull(loyalty, "CASES", "loyalty-cases")
    await pull.open()
    [message] = await pull.fetch(10, 5)
    assert (message.subject, message.data, message.headers) == (OPENED, b"fact", {"ce-id": "1"})
    await message.in_progress()
    await message.ack()

    async def acknowledged() -> bool:
        return (await loyalty.js.consumer_info("CASES", "loyalty-cases")).num_ack_pending == 0

    await eventually(acknowledged)
    assert await loyalty.problem() == ""


async def test_a_beat_is_heard_by_those_who_listen_to_the_service_alone(log_in: LogIn) -> None:
    cases, loyalty, notices = [await log_in(name) for name in ("cases", "loyalty", "notices")]
    heard = await cases.client.subscribe("beat.*"), await loyalty.client.subscribe("beat.*")
    await settled(cases, loyalty)
    await notices.client.publish("beat.notices", b"")
    await cases.client.publish("beat.cases", b"")
    await notices.client.flush()
    await settled(cases)
    assert [(await each.next_msg(timeout=5)).subject for each in heard] == ["beat.cases", "beat.cases"]
    assert [each.pending_msgs for each in heard] == [0, 0]


async def test_nobody_acknowledges_what_another_has_not_handled(log_in: LogIn) -> None:
    """The other would never see it: its customer is never told."""
    cases, loyalty, notices = [await log_in(name) for name in ("cases", "loyalty", "notices")]
    await cases.js.publish(OPENED, b"fact")
    pull = Pull(notices, "CASES", "notices-cases")
    await pull.open()
    [message] = await pull.fetch(10, 5)
    said = said_by(loyalty)

    for word in (b"+ACK", b"+TERM", b"-NAK", b"+WPI", b"+NXT", b""):
        await loyalty.client.publish(message.reply, word)
        await loyalty.client.publish(message.reply, word, reply="_INBOX_loyalty.x")
    await settled(loyalty)

    assert (await notices.js.consumer_info("CASES", "notices-cases")).num_ack_pending == 1
    assert all("permissions violation" in each for each in said)
    assert len(said) == 12


FOREIGN = [
    OPENED,
    "events.loyalty.value.changed.v1",
    "events.notices.notice.sent.v1",
    "beat.cases",
    "beat.notices",
    "poke.cases",
    "signal.notices",
    "_INBOX_cases.x",
    "_INBOX_provision.x",
    "$JS.ACK.CASES.notices-cases.1.1.1.1.0",
    "$JS.API.STREAM.DELETE.CASES",
    "$JS.API.STREAM.PURGE.CASES",
    "$JS.API.CONSUMER.DELETE.CASES.notices-cases",
    "$SYS.REQ.SERVER.PING",
]


@pytest.mark.parametrize("reply", FOREIGN)
async def test_no_answer_to_an_allowed_request_lands_where_another_would_take_it(
    log_in: LogIn, reply: str
) -> None:
    """Every request that loyalty may make, each with a reply subject that is not its own."""
    admin, cases, loyalty, notices = [await log_in(n) for n in ("admin", "cases", "loyalty", "notices")]
    await cases.js.publish(OPENED, b"fact")  # so that a fetch has something to be answered with
    listening = [
        await each.client.subscribe(subject)
        for each, own in ((cases, "cases"), (notices, "notices"))
        for subject in (f"_INBOX_{own}.>", f"poke.{own}", f"signal.{own}", "beat.*")
    ]
    await settled(admin, cases, notices)
    before = await stored(admin)
    requests = [subject.replace(">", "x.y.v1") for subject in permissions(LOYALTY)["publish"]]

    for subject in requests:
        for body in (b"", b'{"batch": 1, "no_wait": true}'):
            await loyalty.client.publish(subject, body, reply=reply)
    await settled(loyalty, admin, cases, notices)

    after = await stored(admin)
    own = {"LOYALTY": 2}  # what it published in its own name: two bodies each
    assert after.keys() == before.keys()
    assert all(after[name] - before[name] <= own.get(name, 0) for name in before), (before, after)
    assert (await admin.js.consumer_info("CASES", "notices-cases")).num_ack_pending == 0
    assert [each.pending_msgs for each in listening] == [0] * len(listening)


FORBIDDEN_PUBLISH = [
    OPENED,
    "beat.cases",
    "poke.cases",
    "signal.cases",
    "$JS.ACK.CASES.notices-cases.1.1.1.1.0",
    "$JS.ACK.LOYALTY.loyalty-cases.1.1.1.1.0",
    "$JS.ACK.>",
    "$JS.FC.CASES.notices-cases.x",
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.NOTICES",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.LOYALTY",
    "$JS.API.STREAM.DELETE.CASES",
    "$JS.API.STREAM.PURGE.CASES",
    "$JS.API.STREAM.PURGE.LOYALTY",
    "$JS.API.STREAM.SNAPSHOT.CASES",
    "$JS.API.STREAM.MSG.GET.CASES",
    "$JS.API.STREAM.MSG.DELETE.CASES",
    "$JS.API.DIRECT.GET.CASES",
    "$JS.API.CONSUMER.NAMES.CASES",
    "$JS.API.CONSUMER.LIST.CASES",
    "$JS.API.CONSUMER.CREATE.CASES",
    "$JS.API.CONSUMER.CREATE.CASES.mine.events.cases.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.CASES.mine",
    "$JS.API.CONSUMER.PAUSE.CASES.loyalty-cases",
    "$JS.API.CONSUMER.DELETE.CASES.loyalty-cases",
    "$JS.API.CONSUMER.INFO.CASES.notices-cases",
    "$JS.API.CONSUMER.MSG.NEXT.CASES.notices-cases",
    "$JS.API.SERVER.REMOVE",
    "$SYS.REQ.SERVER.PING",
    "_INBOX_cases.reply",
    "_R_.anything",
]


@pytest.mark.parametrize("subject", FORBIDDEN_PUBLISH)
async def test_a_service_may_not_publish(log_in: LogIn, subject: str) -> None:
    admin, loyalty = await log_in("admin"), await log_in("loyalty")
    before, said = await stored(admin), said_by(loyalty)

    await loyalty.client.publish(subject, b"{}", reply="_INBOX_loyalty.x")
    await settled(loyalty)

    assert "permissions violation" in said[0]
    assert await stored(admin) == before


FORBIDDEN_SUBSCRIBE = [
    ">",
    "*.>",
    "events.>",
    "events.cases.>",
    "_INBOX.>",
    "_INBOX_cases.>",
    "poke.cases",
    "signal.cases",
    "$JS.>",
    "$JS.ACK.>",
    "$SYS.>",
    "_R_.>",
]


@pytest.mark.parametrize("subject", FORBIDDEN_SUBSCRIBE)
async def test_a_service_may_not_read(log_in: LogIn, subject: str) -> None:
    loyalty = await log_in("loyalty")
    refused = asyncio.Event()

    async def hear(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refused.set()

    loyalty.client._error_cb = hear
    await loyalty.client.subscribe(subject)
    await asyncio.wait_for(refused.wait(), 5)


async def test_who_hears_everything_of_a_source_alone_may_read_it_again(log_in: LogIn) -> None:
    cases, view, notices = await log_in("cases"), await log_in("view"), await log_in("notices")
    await cases.js.publish(OPENED, b"a case")
    assert (await view.js.get_msg("CASES", 1)).data == b"a case"
    with pytest.raises(nats.errors.TimeoutError):
        await notices.client.request("$JS.API.STREAM.MSG.GET.CASES", b'{"seq": 1}', timeout=0.3)
    with pytest.raises(nats.errors.TimeoutError):
        await view.client.request("$JS.API.STREAM.MSG.GET.LOYALTY", b'{"seq": 1}', timeout=0.3)


async def test_who_provisions_tells_no_facts(log_in: LogIn) -> None:
    admin, provisioner = await log_in("admin"), await log_in(provisioner_of("cases"))
    before = await stored(admin)
    with pytest.raises(nats.errors.TimeoutError):  # which is how the client reports a refused request
        await provisioner.js.publish(OPENED, b"forged", timeout=0.3)
    assert await stored(admin) == before


@pytest.mark.parametrize(
    "asked",
    [
        "STREAM.DELETE.CASES",
        "STREAM.PURGE.CASES",
        "STREAM.UPDATE.CASES",
        "STREAM.MSG.GET.CASES",
        "CONSUMER.DURABLE.CREATE.CASES.loyalty-cases",
        "CONSUMER.DELETE.CASES.loyalty-cases",
        "CONSUMER.MSG.NEXT.CASES.notices-cases",
        "STREAM.DELETE.NOTICES",
    ],
)
async def test_who_provisions_a_service_does_nothing_to_what_is_anothers(log_in: LogIn, asked: str) -> None:
    """Whoever reads the secrets of a department's namespace is that user."""
    provisioner = await log_in(provisioner_of("notices"))
    refused = said_by(provisioner)
    with pytest.raises(nats.errors.TimeoutError):
        await provisioner.client.request(f"$JS.API.{asked}", b"{}", timeout=0.3)
    assert [f"$js.api.{asked}".lower() in each for each in refused] == [True]
