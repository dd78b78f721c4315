import asyncio
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import pytest

from chassis.events.declarations import Consumption, Declaration
from rapport_testing.engines.nats import Nats


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    billing = Declaration("billing", (Consumption("billing-cases", "cases", ("events.cases.>",)),))
    with Nats(tmp_path_factory.mktemp("nats"), declarations=[billing, Declaration("cases")]) as running:
        yield running


async def test_a_service_may_publish_its_own_subjects_and_no_others(server: Nats) -> None:
    refused = asyncio.Event()

    async def on_error(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refused.set()

    admin = await nats.connect(server.url)
    heard = await admin.subscribe("events.>")
    await admin.flush()
    billing = await nats.connect(server.url_for("billing"), error_cb=on_error, inbox_prefix=b"_INBOX_billing")
    await billing.publish("events.cases.case.opened.v1", b"forged")
    await billing.publish("events.billing.invoice.sent.v1", b"own")
    await billing.flush()
    assert (await heard.next_msg(timeout=5)).data == b"own"
    await asyncio.wait_for(refused.wait(), 5)
    await billing.close()
    await admin.close()


async def test_a_stranger_is_refused(server: Nats) -> None:
    url = server.url_for("billing").replace(server.password("billing"), "guess")
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        await nats.connect(url, max_reconnect_attempts=0, allow_reconnect=False)


async def test_streams_survive_a_restart(tmp_path: Path) -> None:
    with Nats(tmp_path) as server:
        connection = await nats.connect(server.url)
        await connection.jetstream().add_stream(name="KEPT", subjects=["kept"])
        await connection.jetstream().publish("kept", b"fact")
        await connection.close()
    with Nats(tmp_path) as server:
        connection = await nats.connect(server.url)
        assert (await connection.jetstream().stream_info("KEPT")).state.messages == 1
        await connection.close()
