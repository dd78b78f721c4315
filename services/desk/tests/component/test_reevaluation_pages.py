"""Reckoning purchases anew at the desk: what it costs first, begun once, followed, stopped."""

import re
from html import unescape
from typing import Any

from rapport_testing.wait import eventually

from .test_earning_pages import SERVICES, bought, sent

DAYS = {"first": "2026-03-01", "last": "2026-03-01"}


def fields(page: str) -> dict[str, str]:
    """What the form sends that begins it."""
    form = page.partition('action="/reevaluationJobs"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found if name != "csrf"}


async def twice(desk: Any) -> None:
    """The rule `base` gives twice as much from now on."""
    change = {"pointsPerCurrencyUnit": {"value": "2"}}
    answer = await desk.client().patch("/v1/earningRules/base", json=change)
    assert answer.is_success, answer.text
    await sent(desk, "/v1/earningRules/base:activate", {})


async def test_what_it_costs_is_said_before_it_is_begun_once_and_followed(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    purchase = await bought(desk)
    await twice(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    rule = (await alice.get("/earningRules/base")).text
    (link,) = re.findall(r'href="(/reevaluationJobs/new[^"]+)"', rule)
    assert '<option value="earningRules/base" selected>' in (await alice.get(unescape(link))).text
    seen = (await alice.post("/reevaluationJobs/preview", data={"by": "earningRules/base", **DAYS})).text
    assert "Reckon 1 purchase anew?" in seen
    assert "13 points more" in seen
    assert f'<a href="/earnings/{purchase}">' in seen.partition("What changes most")[2]
    answers = [await alice.post("/reevaluationJobs", data=fields(seen)) for _ in range(2)]
    (job,) = {each.headers["location"] for each in answers}

    async def done() -> bool:
        return "1 of 1 reckoned, 1 earn something else" in (await alice.get(job)).text

    await eventually(done)
    card = (await alice.get(f"{job}/cards")).json()["cards"]["job"]["html"]
    assert re.search(r"<td[^>]*>13</td><td[^>]*>26</td><td[^>]*>\+13</td>", card)
    assert "Stop it" not in card
    assert (await alice.post(f"{job}/cancel")).headers["location"] == job
    assert f'<a href="{job}">' in (await alice.get(f"/earnings/{purchase}")).text
    assert "as in version 4" in (await alice.get("/reevaluationJobs")).text


async def test_rules_that_changed_since_and_who_may_not_are_said(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await bought(desk)
    await twice(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    seen = (await alice.post("/reevaluationJobs/preview", data={"by": "programs/main", **DAYS})).text
    await sent(desk, "/v1/earningRules/base:end", {})
    refused = await alice.post("/reevaluationJobs", data=fields(seen))
    assert (refused.status_code, 'class="refused"' in refused.text) == (422, True)
    noday = await alice.post("/reevaluationJobs/preview", data={"by": "programs/main", "first": "soon"})
    assert (noday.status_code, '<option value="programs/main" selected>' in noday.text) == (422, True)
    rights = ["loyalty.reevaluation_jobs.read", "loyalty.earning_rules.read"]
    reader = await desk.signed_in("agent:rita", rights, "front-desk")
    assert (await reader.get("/reevaluationJobs/new")).status_code == 403
    assert "Reckon purchases anew" not in (await reader.get("/reevaluationJobs")).text
    assert (await alice.get("/reevaluationJobs/none")).status_code == 404
