"""Traces on pages: a waterfall for whoever is signed in, lists for operators, and what is said without."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chassis.web import WebServer
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_tools.local.spans import SpanStore, StoredSpan
from rapport_tools.local.trace_queries import queries

TRACE, LINKED, BIG = "a" * 32, "b" * 32, "c" * 32
CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
NOW = datetime(2026, 3, 2, 8, 59, tzinfo=UTC)  # a minute before it is for the desk
LINK = "https://traces.example.org/trace/{trace_id}"


def span(trace: str, number: int, parent: str = "", **more: Any) -> StoredSpan:
    told = {
        "service": "cases",
        "name": f"rapport.cases.v1.CaseService/Do{number}",
        "started_at": NOW + timedelta(milliseconds=number),
        "duration_ms": 5.0,
        "failed": False,
        **more,
    }
    return StoredSpan(trace_id=trace, span_id=f"{number:016x}", parent_id=parent, **told)


@pytest.fixture
async def url(infrastructure: Infrastructure) -> AsyncIterator[str]:
    """A trace store with a call that failed in loyalty, on behalf of a customer, and a huge trace."""
    await infrastructure.execute("CREATE DATABASE traces_on_pages")
    database, port = infrastructure.database_url("traces_on_pages"), free_port()
    store = await SpanStore.open(database)
    about = {"error.type": "INTERNAL", "rapport.resource": [CUSTOMER], "other": "Erika Sommer"}
    failed = {"service": "loyalty", "failed": True, "attributes": about, "links": [LINKED]}
    await store.add([span(TRACE, 1, duration_ms=2000.0), span(TRACE, 2, f"{1:016x}", **failed)])
    await store.add([span(BIG, 1), *(span(BIG, n, f"{1:016x}") for n in range(2, 10_001))])
    web = WebServer(queries(store), "127.0.0.1", port)
    serving = asyncio.create_task(web.run())
    yield f"http://127.0.0.1:{port}"
    await web.stop(1)
    serving.cancel()
    await store.close()
    await infrastructure.drop_database(database)


@pytest.fixture
async def desk(open_desk: Any, url: str) -> Any:
    return await open_desk(traces_url=url, trace_link=LINK)


def text(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


async def test_a_trace_is_a_waterfall_for_whoever_is_signed_in(desk: Any) -> None:
    alice = await desk.signed_in("agent:alice", ["cases.cases.read"])
    answer = await alice.get(f"/traces/{TRACE}")
    page = text(answer)
    assert "2 spans in cases, loyalty. 1 failed." in page
    assert "CaseService/Do2 failed: INTERNAL loyalty 1 ms 5 ms" in page
    for link in (f"/{CUSTOMER}", f"/traces/{LINKED}", LINK.replace("{trace_id}", TRACE)):
        assert f'href="{link}"' in answer.text
    assert "Erika" not in answer.text
    assert "style=" not in answer.text


async def test_a_trace_of_ten_thousand_spans_is_cut_and_says_so(desk: Any) -> None:
    alice = await desk.signed_in()
    answer = await alice.get(f"/traces/{BIG}")
    assert "500 of 10,000 spans are shown" in text(answer)
    assert len(answer.content) < 500_000


async def test_failed_and_slow_traces_are_listed_with_their_customer(desk: Any) -> None:
    nils = await desk.signed_in("agent:nils", ["cases.operations.read", "loyalty.operations.read"])
    failed, slow = await nils.get("/operations/traces"), await nils.get("/operations/traces?of=slow&ms=1500")
    assert "CaseService/Do1 " in text(failed)
    assert "INTERNAL in loyalty: CaseService/Do2" in text(failed)
    assert "cases: CaseService/Do1, 2 s" in text(slow)
    for answer in (failed, slow):
        assert f'href="/traces/{TRACE}"' in answer.text
        assert f'href="/{CUSTOMER}"' in answer.text
    assert "There are none." in text(await nils.get("/operations/traces?of=slow&ms=99999999"))


async def test_a_length_that_is_none_is_a_second(desk: Any) -> None:
    nils = await desk.signed_in("agent:nils", ["cases.operations.read"])
    for ms in ("", "x", "-1", "²", "1e3", "9" * 20):
        answer = await nils.get("/operations/traces", params={"of": "slow", "ms": ms, "service": "nobody"})
        assert 'name="ms" type="number" value="1000"' in answer.text, ms


async def test_a_trace_that_is_not_known_says_why_it_may_be_so(desk: Any) -> None:
    alice = await desk.signed_in()
    assert "No span of this trace is known" in text(await alice.get(f"/traces/{'d' * 32}"), 404)
    for wrong in ("0" * 32, "nonsense", "A" * 32):
        assert (await alice.get(f"/traces/{wrong}")).status_code == 404


async def test_a_trace_store_that_is_away_costs_the_waterfall_and_not_the_way_to_its_ui(
    open_desk: Any,
) -> None:
    desk = await open_desk(traces_url="http://127.0.0.1:9", trace_link=LINK)
    ada = await desk.signed_in()
    answer = await ada.get(f"/traces/{TRACE}")
    assert "The trace store does not answer." in text(answer, 503)
    assert f'href="{LINK.replace("{trace_id}", TRACE)}"' in answer.text
    assert "The trace store does not answer." in text(await ada.get("/operations/traces"))


async def test_without_a_trace_store_there_is_no_waterfall_and_that_is_said(open_desk: Any) -> None:
    ada = await (await open_desk()).signed_in()
    assert "Traces are not kept where this desk can read them" in text(await ada.get(f"/traces/{TRACE}"), 404)
    assert "Traces are not kept where this desk can read them" in text(await ada.get("/operations/traces"))
