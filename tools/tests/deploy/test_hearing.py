"""Who is no service of ours, and no Python, hears events as the page says: proto/README.md, `To hear`."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from nats.aio.client import Client

from chassis.events.declarations import Declaration
from chassis.events.envelope import headers
from chassis.events.provision import provision
from rapport.cases.v1.cases_events_pb2 import PromiseMade
from tools.tests.deploy.conftest import ALL, Deploy, items

ROOT = Path(__file__).parents[3]
_, REST = (ROOT / "proto" / "README.md").read_text().split("**To hear**")
PAGE, _ = REST.split("**Filters**")
[DESCRIBED] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
REQUESTS = re.findall(r"^(\$JS\S+) (.*)$", PAGE, re.MULTILINE)
ROW = {
    "id": uuid4(),
    "type": PromiseMade.DESCRIPTOR.full_name,
    "resource": "promises/1",
    "resource_version": 1,
    "time": datetime(2026, 3, 2, tzinfo=UTC),
    "actor": "agent:alice",
    "correlation_id": "c",
    "causation_id": uuid4(),
    "traceparent": "00-1-2-01",
    "data": PromiseMade(promise="promises/1").SerializeToString(),
}


@pytest.fixture
def folder(deploy: Deploy, tmp_path: Path) -> Path:
    """An installation with the service that the page describes."""
    (tmp_path / "returns.json").write_text(DESCRIBED)
    assert (
        deploy("prepare", *ALL, f"{tmp_path / 'returns.json'}@returns", "--out", tmp_path / "crm").exit_code
        == 0
    )
    return tmp_path / "crm"


def url(folder: Path, service: str, secret: str, nats: int) -> str:
    [found] = [each for each in items(folder, f"{service}.json") if each["metadata"]["name"] == secret]
    prepared = urlsplit(found["stringData"]["url"])
    return f"nats://{prepared.username}:{prepared.password}@127.0.0.1:{nats}"


async def connected(url: str, inbox: str) -> Client:
    client = Client()
    await client.connect(url, inbox_prefix=inbox)
    return client


async def test_an_event_is_heard_by_two_requests_and_an_acknowledgement(folder: Path, nats: int) -> None:
    await provision(url(folder, "cases", "cases-nats-admin", nats), Declaration("cases"))
    cases = await connected(url(folder, "cases", "cases-nats", nats), "_INBOX_cases")
    await cases.request("events.cases.promise.made.v1", ROW["data"], headers=headers(ROW, "cases"))
    made, fetch = REQUESTS
    maker = await connected(url(folder, "returns", "returns-nats-admin", nats), "_INBOX_provision.returns")
    told: dict[str, Any] = json.loads((await maker.request(made[0], made[1].encode(), timeout=5)).data)
    assert told.get("error") is None
    reader = await connected(url(folder, "returns", "returns-nats", nats), "_INBOX_returns")
    answers = await reader.subscribe(inbox := reader.new_inbox())
    await reader.publish(fetch[0], fetch[1].encode(), inbox)
    message = await answers.next_msg(timeout=5)
    assert message.subject == "events.cases.promise.made.v1"
    assert message.headers
    assert message.headers["ce-type"] == ROW["type"]
    assert PromiseMade.FromString(message.data).promise == "promises/1"
    await reader.request(message.reply, b"+ACK")  # which is answered when it was taken
    for client in (cases, maker, reader):
        await client.close()


def test_the_page_names_the_headers_of_an_event() -> None:
    told = set(re.findall(r"`(ce-\w+|traceparent)`", PAGE))
    sent = {name for name in headers(ROW, "cases") if name not in ("ce-specversion", "ce-datacontenttype")}
    assert sent - told == {"Nats-Msg-Id"}
