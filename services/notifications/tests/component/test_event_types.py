"""The events that a policy may name, page by page."""

from typing import Any

import pytest

from notifications.usecases.event_types import event_types
from rapport.notifications.v1.notice_policy_service_pb2 import ListTriggerEventsRequest


async def test_they_come_in_pages_in_the_order_of_their_names(desk: Any) -> None:
    found, request = [], ListTriggerEventsRequest(page_size=60)
    while True:
        page = await desk.policies.ListTriggerEvents(request)
        assert len(page.trigger_events) <= request.page_size
        found += page.trigger_events
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == [*event_types()]
    assert len((await desk.policies.ListTriggerEvents(ListTriggerEventsRequest())).trigger_events) == 50


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"page_size": -1}, "INVALID_PAGE_SIZE"), ({"page_token": "x"}, "INVALID_PAGE_TOKEN")],
)
async def test_what_is_no_page_is_refused(desk: Any, wrong: dict[str, Any], reason: str) -> None:
    refused = await desk.violations(desk.policies.ListTriggerEvents(ListTriggerEventsRequest(**wrong)))
    assert list(refused.values()) == [reason]
