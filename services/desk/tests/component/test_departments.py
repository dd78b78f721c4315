"""How departments keep their promises: the picture and the table say the same, of one scorecard."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service

SERVICES = (customer_service, cases_service)
DELIVERY = "departments/delivery"
NONE = "\N{EN DASH}"


async def promised(desk: Any, *due: Any) -> None:
    """Promises of delivery's to somebody, each due so many days from now, and kept then, later or not."""
    now = desk.running.app.clock.now()
    made = {"customer": f"customers/{uuid4()}", "department": DELIVERY, "kind": "delivery"}
    promises = [
        {
            **made,
            "makeTime": (now + timedelta(days=min(days, 0) - 100)).isoformat(),
            "dueTime": (now + timedelta(days=days)).isoformat(),
            **({} if late is None else {"keepTime": (now + timedelta(days=days + late)).isoformat()}),
        }
        for days, late in due
    ]
    asked = {"requests": [{"promise": each} for each in promises]}
    answer = await desk.client().post("/v1/promises:batchMake", json=asked)
    assert answer.status_code == 200, answer.text


def figures(page: str) -> dict[str, list[str]]:
    """The cells of the table, by the words that its lines begin with."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    cells = {re.sub("<.*?>", "", head): re.findall(r'<td class="num">(.*?)</td>', row) for head, row in rows}
    return {unescape(head): row for head, row in cells.items()}


async def test_a_department_sees_by_week_what_became_of_its_promises(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await promised(desk, (-21, -1), (-21, -1), (-21, 1), (-21, None), (-7, 0), (300, None), (301, None))
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/{DELIVERY}")).text
    found = figures(page)
    assert len(found) == 14  # weeks, and all of them together
    together = found.pop("Together")
    assert together == ["3", "1", "1", "0", "0 of 2", "0", "60%"]
    assert sorted(found.values())[-2:] == [
        ["1", "0", "0", "0", NONE, "0", "100%"],
        ["2", "1", "1", "0", "0 of 2", "0", "50%"],
    ]
    assert "2 promises that are due later wait." in page
    assert "By team" not in page
    assert page.count('<rect class="kept"') == 2
    assert 'y="500" width="6" height="500"' in page  # two of the four that the longest column is of


async def test_a_team_s_promises_are_told_apart_and_so_is_what_was_said_to_be_kept_only_afterwards(
    open_desk: Any, clock: Any
) -> None:
    desk = await open_desk(*SERVICES)
    api = desk.client()

    async def made(path: str, **told: Any) -> Any:
        answer = await api.post(f"/v1/{path}", json=told, headers={"idempotency-key": str(uuid4())})
        assert answer.status_code == 200, answer.text
        return answer.json()

    await made("teams?teamId=returns", displayName="Returns", department=DELIVERY)
    about = {"customer": f"customers/{uuid4()}", "department": DELIVERY}
    opened = {"customer": about["customer"], "topic": "late", "owner": "agents/front-desk"}
    case = await made("cases:open", case=opened)
    due = clock.now() + timedelta(hours=2)
    for team in ("teams/returns", ""):
        item = await made("workItems", case=case["name"], department=DELIVERY, kind="repair", team=team)
        promise = about | {"kind": "repair", "dueTime": due.isoformat(), "workItem": item["name"]}
        kept = await made("promises:make", promise=promise)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/{DELIVERY}")).text
    teams = figures(page.partition('<section class="card" aria-label="By team">')[2])
    assert {head: row[5] for head, row in teams.items()} == {
        "Returns": "1",
        "Of no team": "1",
        "Together": "2",
    }
    assert "only afterwards" not in page
    clock.advance(timedelta(hours=3))
    await made(f"{kept['name']}:keep", keepTime=(due - timedelta(hours=1)).isoformat())
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/{DELIVERY}")).text
    assert "Of 1 that was kept in time this was said only afterwards." in page


async def test_another_period_is_a_link_and_the_next_one_ends_with_this_week(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await promised(desk, (-21, None), (-200, -1))
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/{DELIVERY}")).text
    assert "After that" not in page
    links = dict(re.findall(r'<a class="chip" href="([^"]+)"[^>]*>([^<]+)</a>', page))
    href = {label: unescape(link) for link, label in links.items()}
    assert figures((await alice.get(href["52 weeks"])).text)["Together"][:3] == ["1", "0", "1"]
    before = (await alice.get(href["Before that"])).text
    assert figures(before)["Together"][:3] == ["0", "0", "0"]
    (after,) = re.findall(r'href="([^"]+)">After that', before)
    assert figures((await alice.get(unescape(after))).text) == figures(page)


async def test_a_period_that_cannot_be_is_refused_in_words(open_desk: Any) -> None:
    alice = await (await open_desk(*SERVICES)).signed_in("agent:alice", ["*"], "front-desk")
    for query in ("weeks=0", "weeks=x", "until=0001-01-01", "until=9999-12-31", "until=soon"):
        assert (await alice.get(f"/{DELIVERY}?{query}")).status_code == 400, query
    assert (await alice.get("/departments/No!")).status_code == 404


async def test_all_departments_are_compared_and_each_leads_to_its_weeks(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await promised(desk, (-21, -1), (-7, 0), (300, None))
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/departments")).text
    assert figures(page)["Delivery"] == ["2", "0", "0", "0", NONE, "0", "100%"]
    (link,) = re.findall(r'<th scope="row"><a href="([^"]+)">Delivery', page)
    assert "How Delivery keeps its promises" in (await alice.get(unescape(link))).text
    assert "Nothing was due." in (await alice.get("/departments?until=2001-01-01")).text


async def test_who_may_not_read_promises_sees_no_figures(open_desk: Any) -> None:
    nobody = await (await open_desk(*SERVICES)).signed_in("agent:nobody", ["cases.cases.read"], "billing")
    answer = await nobody.get(f"/{DELIVERY}")
    assert answer.status_code == 403
    assert 'href="/departments"' not in answer.text


async def test_the_page_says_that_cases_is_away(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await desk.services["cases"].stop()
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    for path in ("/departments", f"/{DELIVERY}"):
        answer = await alice.get(path)
        assert answer.status_code == 200
        assert "Cases does not answer" in answer.text
