"""The events that a policy may name, page by page."""

from typing import Any

import pytest

from notifications.usecases.event_types import event_types
from rapport.notifications.v1.notice_policy_service_pb2 import ListNoticeEventTypesRequest


async def test_they_come_in_pages_in_the_order_of_their_names(desk: Any) -> None:
    found, request = [], ListNoticeEventTypesRequest(page_size=60)
    while True:
        page = await desk.policies.ListNoticeEventTypes(request)
        assert len(page.notice_event_types) <= request.page_size
        found += page.notice_event_types
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == [*event_types()]
    assert (
        len((await desk.policies.ListNoticeEventTypes(ListNoticeEventTypesRequest())).notice_event_types)
        == 50
    )


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"page_size": -1}, "INVALID_PAGE_SIZE"), ({"page_token": "x"}, "INVALID_PAGE_TOKEN")],
)
async def test_what_is_no_page_is_refused(desk: Any, wrong: dict[str, Any], reason: str) -> None:
    refused = await desk.violations(desk.policies.ListNoticeEventTypes(ListNoticeEventTypesRequest(**wrong)))
    assert list(refused.values()) == [reason]
