"""Goodwill at the desk: asked for by who may not give so much, and decided by somebody else."""

import re
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from loyalty.service import service as loyalty_service
from services.desk.tests.component.conftest import erika

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service, loyalty_service)
CLERK = ["loyalty.goodwill.read", "loyalty.goodwill.grant", "customer.customers.read"]
LEAD = [*CLERK, "loyalty.goodwill.approve"]


def said(**typed: str) -> dict[str, str]:
    fields = {"kind": "points", "amount": "500", "reason": "our-mistake", "explanation": "It came late."}
    return fields | typed | {"request_id": str(uuid4())}


def acts(page: str) -> list[str]:
    """Where the buttons of the page lead to."""
    return re.findall(r'data-open="(/customers/[^"]+/act/[^"]+-goodwill[^"]*)"', page)


async def test_what_one_may_not_give_alone_is_asked_for_and_decided_by_somebody_else(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    alice = await desk.signed_in("agent:alice", LEAD, "front-desk")
    form = (await alice.get(f"/{name}/act/ask-goodwill")).text
    assert "Alone you may give 500 points" in form
    within = await alice.post(f"/{name}/act/ask-goodwill", data=said())
    assert ("X-Form" in within.headers, "grant it instead" in within.text) == (True, True)
    asked = await alice.post(f"/{name}/act/ask-goodwill", data=said(amount="501"))
    assert "X-Done" in asked.headers, asked.text
    own = (await alice.get("/goodwill")).text
    assert "501 points" in own
    assert "It came late." in own
    assert acts(own) == []
    bob = await desk.signed_in("agent:bob", LEAD, "front-desk")
    yes, no = acts((await bob.get("/goodwill")).text)
    over = await bob.post(yes, data={"request_id": str(uuid4())})
    assert "At most 500 points may be given" in over.text
    done = await bob.post(no, data={"reason": "too-much", "request_id": str(uuid4())})
    assert "X-Done" in done.headers, done.text
    assert "Nothing waits." in (await bob.get("/goodwill")).text


async def test_money_is_typed_with_its_currency_and_who_may_give_none_is_told(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    alice = await desk.signed_in("agent:alice", CLERK, "front-desk")
    bare = await alice.post(f"/{name}/act/compensate", data=said(kind="money", amount="25"))
    assert "such as 25.50 EUR" in bare.text
    none = await alice.post(f"/{name}/act/compensate", data=said(kind="repair", amount="25 USD"))
    assert "At most 0 USD may be given alone." in none.text
    asked = await alice.post(f"/{name}/act/ask-goodwill", data=said(kind="repair", amount="25 USD"))
    assert "X-Done" in asked.headers, asked.text
    page = (await alice.get("/goodwill")).text
    assert "which costs US$25.00" in page
    assert acts(page) == []


async def test_what_is_over_ones_authority_is_asked_for_with_what_was_typed_and_the_page_says_so(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    alice = await desk.signed_in("agent:alice", [*CLERK, "customer.customer_views.read"], "front-desk")
    ask = f"/{name}/act/ask-goodwill"
    await alice.post(f"/drafts/{name}/ask-goodwill", data={"kind": "repair", "explanation": "It came late."})
    within = await alice.post(f"/{name}/act/goodwill", data=said(amount="1.5"))
    assert f'data-open="{ask}"' not in within.text
    typed = {"amount": "700", "reason": "damaged", "request_id": str(uuid4())}
    over = await alice.post(f"/{name}/act/goodwill", data=typed)
    assert ("At most 500 points may be given" in over.text, f'data-open="{ask}"' in over.text) == (True, True)
    form = (await alice.get(ask)).text
    assert re.findall(r'<option value="([^"]*)" selected', form) == ["points", "damaged"]
    assert 'value="700"' in form
    assert "It came late." in form
    asked = await alice.post(ask, data=said(amount="700", reason="damaged"))
    assert "X-Done" in asked.headers, asked.text
    page = (await alice.get(f"/{name}")).text
    assert re.search(r"Waits for a yes.*700 points.*Alice asked for it .*: damaged\.", page, re.DOTALL)
