"""Everything that happened with a customer."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from customer.service import service as customer_service
from rapport_testing.spans import record_spans

MORE = """
    INSERT INTO timeline
    SELECT gen_random_uuid(), customer_id, occur_time - n * interval '1 h', event_type, service, resource,
           reference, channel, direction, topic, summary, department, actor, trace_id, amount, currency_code
    FROM timeline, generate_series(1, $1::integer) n WHERE event_type LIKE '%InteractionRecorded'
"""
FRAGMENT = {"x-requested-with": "fragment"}


async def erika(desk: Any, contacts: int = 0) -> str:
    """A customer with so many contacts: every other one a call."""
    api = desk.client()
    made = await api.post(
        "/v1/customers", json={"displayName": "Erika Sommer"}, headers={"idempotency-key": str(uuid4())}
    )
    name: str = made.json()["name"]
    now = desk.running.app.clock.now()
    told = [
        {
            "parent": name,
            "timelineEntry": {
                "channel": "CHANNEL_EMAIL" if number % 2 else "CHANNEL_VOICE",
                "direction": "DIRECTION_INBOUND",
                "topic": f"topic-{number}",
                "occurTime": (now - timedelta(hours=number + 1)).isoformat(),
            },
        }
        for number in range(contacts)
    ]
    if told:
        answer = await api.post("/v1/customers:batchRecordInteractions", json={"requests": told})
        assert answer.status_code == 200, answer.text
    return name


def topics(page: str) -> list[int]:
    """The contacts on a page, by number."""
    return [int(each) for each in re.findall(r"<b>[^<]*: topic (\d+)</b>", page)]


async def test_everything_is_reached_page_by_page(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk, 120)
    alice = await desk.signed_in()
    page = (await alice.get(f"/{name}/timeline?kind=contacts")).text
    seen = topics(page)
    assert "50 of more" in page
    while more := re.search(r'data-more="([^"]+)"', page):
        page = (await alice.get(unescape(more[1]), headers=FRAGMENT)).text
        assert "<html" not in page
        seen += topics(page)
    assert seen == list(range(120))


async def test_row_25_of_ten_thousand_entries_a_page_is_one_request(
    open_desk: Any, infrastructure: Any
) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk, 1)
    async with infrastructure.superuser(desk.services["customer"].db._url) as connection:
        await connection.execute(MORE, 10_000)
    alice = await desk.signed_in()
    with record_spans() as spans:
        page = await alice.get(f"/{name}/timeline?kind=contacts")
    lists = [each for each in spans if each.name.endswith("/ListTimelineEntries")]
    assert len([each for each in lists if each.kind.name == "SERVER"]) == 1
    assert "50 of more" in page.text


async def test_a_choice_shows_that_alone(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk, 6)
    alice = await desk.signed_in()
    assert topics((await alice.get(f"/{name}/timeline?channel=email")).text) == [1, 3, 5]
    assert "Nothing like this happened." in (await alice.get(f"/{name}/timeline?kind=goodwill")).text


async def test_what_cannot_be_asked_is_refused_as_a_page(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk)
    alice = await desk.signed_in()
    for asked in ("kind=secrets", "since=soon", "after=nonsense"):
        answer = await alice.get(f"/{name}/timeline?{asked}")
        assert (answer.status_code, "<html" in answer.text) == (400, True), asked


async def test_the_page_stands_while_the_service_is_away(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk)
    await desk.services["customer"].stop()
    alice = await desk.signed_in()
    answer = await alice.get(f"/{name}/timeline")
    assert answer.status_code == 200
    assert "Customer does not answer" in answer.text
    assert (await alice.get(f"/{name}/timeline", headers=FRAGMENT)).status_code == 503


async def test_who_may_not_see_timelines_is_told_so(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk)
    nobody = await desk.signed_in("agent:nobody", ["customer.customers.read"])
    assert (await nobody.get(f"/{name}/timeline")).status_code == 403


async def test_files_come_with_a_contact_and_are_had_as_files_alone(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    name = await erika(desk)
    alice = await desk.signed_in()
    said = {"summary": "A letter", "channel": "LETTER", "direction": "INBOUND", "request_id": str(uuid4())}

    async def sent(*files: tuple[str, bytes]) -> Any:
        form = said | {"csrf": alice.headers["x-csrf"]}
        return await alice.post(f"/{name}/act/contact", data=form, files=[("files", each) for each in files])

    refused = await sent(("virus.pdf", b"MZ\x90\x00"))
    assert "X-Form" in refused.headers
    assert "must be PDF, pictures" in refused.text
    letter = ("C:\\Größe <b>.pdf", b"%PDF-1.7")
    assert "X-Done" in (await sent(letter, ("box.png", b"\x89PNG\r\n\x1a\n"))).headers
    page = (await alice.get(f"/{name}/timeline")).text
    assert "Größe &lt;b&gt;.pdf, PDF, 1 kB" in page
    assert "(not scanned)" in page
    (had, _) = re.findall(rf'href="(/{name}/attachments/[^"]+)"', page)
    answer = await alice.get(had)
    assert (answer.content, answer.headers["content-type"]) == (letter[1], "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    many = await sent(*((f"{number}.txt", b"%d" % number) for number in range(11)))
    assert (many.status_code, "no form with 10 files" in many.text) == (400, True)
    large = await sent(("1.txt", b"x" * 3_000_001), ("2.txt", b"x"))
    assert (large.status_code, "at most 3 MB" in large.text) == (413, True)
