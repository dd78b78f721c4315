"""Each message that a customer can do without says how to get no more of them, by one click."""

from typing import Any

import grpc
import pytest

from rapport.notifications.v1 import notice_pb2, template_pb2
from rapport_testing.wait import eventually

LINK = "<https://care.acme.example/c/canary-token_4711/unsubscribe?purpose={}&channel=email>"


async def sent_for(desk: Any, purpose: str) -> Any:
    """A notice for a purpose."""
    text = template_pb2.TemplateText(subject="News", body="Hello {{ customer_name }}, {{ contact_name }}")
    await desk.create_template("news", text, purpose=f"purposes/{purpose}")
    return await desk.send(notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news"))


@pytest.mark.parametrize("purpose", ["newsletter", "survey", "marketing"])
async def test_who_wants_no_more_of_it_says_so_by_one_click(desk: Any, purpose: str) -> None:
    notice = await sent_for(desk, purpose)
    await desk.sent(notice.name)
    [message] = desk.mail.accepted
    assert message["List-Unsubscribe"] == LINK.format(purpose)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_the_way_out_is_of_the_name_that_has_the_address(desk: Any) -> None:
    """Of names that were taken for one, and may be two: a link opens what is kept under its name."""
    desk.peers.customers.address_of = other = "customers/0198c2a4-7b1e-7c3d-9f00-000000000001"
    await desk.sent((await sent_for(desk, "newsletter")).name)
    assert desk.peers.links.asked == [f"{other}/link"]


@pytest.mark.parametrize("categories", [True, False])
@pytest.mark.parametrize("purpose", ["service", "legal"])
async def test_what_they_have_of_us_and_what_a_law_demands_nobody_leaves(
    desk: Any, purpose: str, categories: bool
) -> None:
    desk.peers.purposes.categories = categories
    await desk.sent((await sent_for(desk, purpose)).name)
    [message] = desk.mail.accepted
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


async def test_without_a_way_out_it_waits_and_that_is_shown(desk: Any) -> None:
    desk.peers.links.failure = grpc.StatusCode.FAILED_PRECONDITION
    notice = await sent_for(desk, "newsletter")

    async def tried() -> Any:
        return await desk.outcomes(notice)

    assert await eventually(tried) == [("TEMPORARY_FAILURE", "customer-failed-precondition")]
    assert desk.mail.received == []


async def test_the_token_of_a_link_is_nowhere_but_in_the_message(desk: Any) -> None:
    notice = await desk.sent((await sent_for(desk, "newsletter")).name)
    explained = await desk.explain(notice.name)
    facts = await desk.running.published()
    assert "canary-token" not in f"{notice}{explained}{await desk.attempts(notice)}{facts}"
