"""The timeline page: everything that happened, a page at a time."""

import re
from typing import Any
from uuid import uuid4

from desk.pages.timeline.route import PAGE

FURTHER = re.compile(r'data-more="([^"]+)"')


async def with_contacts(desk: Any, count: int) -> str:
    """A customer with that many contacts, of other topics so that none is folded."""
    api = desk.client()
    created = (await api.post("/v1/customers", json={"displayName": "Erika Sommer"})).json()
    channels = ("CHANNEL_VOICE", "CHANNEL_EMAIL")
    contacts = [
        {
            "parent": created["name"],
            "timelineEntry": {
                "channel": channels[n % 2],
                "direction": "DIRECTION_INBOUND",
                "summary": f"contact {n:03}",
            },
        }
        for n in range(count)
    ]
    body = {"requests": contacts, "requestId": str(uuid4())}
    answer = await api.post("/v1/customers:batchRecordInteractions", json=body)
    assert answer.status_code == 200, answer.text
    return str(created["name"])


async def test_the_whole_timeline_is_read_page_by_page(desk: Any) -> None:
    name = await with_contacts(desk, PAGE + 20)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    first = (await alice.get(f"/{name}/timeline")).text
    seen = re.findall(r"contact ([0-9]{3})", first)
    (further,) = FURTHER.findall(first)
    second = (await alice.get(further.replace("&amp;", "&"), headers={"x-requested-with": "fragment"})).text
    seen += re.findall(r"contact ([0-9]{3})", second)
    assert sorted(seen) == [f"{n:03}" for n in range(PAGE + 20)]
    assert not FURTHER.findall(second)
    assert "<html" not in second


async def test_a_customer_that_is_none_and_a_token_that_is_none_are_said_so(desk: Any) -> None:
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    assert (await alice.get("/customers/nobody/timeline")).status_code == 404
    name = await with_contacts(desk, 1)
    answer = await alice.get(f"/{name}/timeline?after=nonsense")
    assert answer.status_code == 400
    assert "page_token" in answer.text
