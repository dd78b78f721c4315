"""However much a customer has, their view is small, costs the same, and says how much there is."""

from uuid import UUID, uuid4

from chassis.api.messages import value_name
from customer.store.views import SHOWN_PARTS
from customer.usecases.parts import PartKind
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.customer.v1 import view_service_pb2
from rapport.customer.v1.customer_service_pb2 import BatchGetCustomersRequest, ListCustomersRequest
from rapport.customer.v1.timeline_service_pb2 import (
    BatchRecordInteractionsRequest,
    ListTimelineEntriesRequest,
)
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty
from rapport.notifications.v1 import notifications_events_pb2 as notifications
from rapport_testing.plans import rows_read

OPEN = {"state": "CASE_STATE_OPEN"}
RESOLVED = {"state": "CASE_STATE_RESOLVED"}


def names(kind, count=1):
    return [f"{kind}/{uuid4()}" for _ in range(count)]


VIEW_MAX_BYTES = 64 * 1024
WIDE = "\U0001f4e6"  # four bytes, as many as a character has


def promised(desk, customer, count, text="orders/1"):
    return [
        desk.event(
            cases.PromiseMade(
                state="PROMISE_STATE_OPEN", promise=name, customer=customer, kind="delivery", reference=text
            ),
            1,
            i,
        )
        for i, name in enumerate(names("promises", count))
    ]


async def test_a_view_counts_what_it_does_not_show(desk, nobody):
    opened = [
        desk.event(cases.CaseOpened(**OPEN, case=name, customer=nobody, topic="late-delivery"), 1, i)
        for i, name in enumerate(names("cases", 60))
    ]
    view = CustomerView.FromString(await desk.projected(promised(desk, nobody, 1200) + opened, batch=500))
    assert (len(view.promises), view.open_promise_count) == (50, 1200)
    assert view.excerpts[:2] == ["promises", "cases"]
    assert (len(view.cases), view.open_case_count) == (50, 60)


async def test_counts_follow_what_ends_and_reopens_in_any_order_and_however_often(desk, nobody):
    made = promised(desk, nobody, 6)
    kept = [
        desk.event(
            cases.PromiseKept(state="PROMISE_STATE_KEPT", promise=each.data.promise, customer=nobody), 2, 100
        )
        for each in made[:4]
    ]
    case = names("cases")[0]
    history = [
        (cases.CaseOpened, "CASE_STATE_OPEN"),
        (cases.CaseResolved, "CASE_STATE_RESOLVED"),
        (cases.CaseReopened, "CASE_STATE_OPEN"),
    ]
    told = [
        desk.event(message(case=case, customer=nobody, state=state), version, version)
        for version, (message, state) in enumerate(history, 1)
    ]
    for history in (made + kept + told, kept + made + told[::-1], (told + made + kept + made) * 2):
        view = CustomerView.FromString(await desk.projected(history, batch=3))
        assert (view.open_promise_count, view.open_case_count) == (2, 1)
    view = CustomerView.FromString(await desk.projected(made + kept + told[:2], batch=1))
    assert (view.open_promise_count, view.open_case_count) == (2, 0)


async def test_a_promise_at_risk_is_shown_however_many_others_changed_later(desk, nobody):
    late = desk.event(
        cases.PromiseAtRisk(state="PROMISE_STATE_AT_RISK", promise=names("promises")[0], customer=nobody),
        2,
        -1000,
    )
    view = CustomerView.FromString(await desk.projected([late, *promised(desk, nobody, 200)], batch=500))
    assert late.data.promise in [part.promise for part in view.promises]
    assert [value_name(part, "state") for part in view.promises] == ["OPEN"] * 49 + [
        "AT_RISK"
    ]  # latest change first


async def test_the_largest_view_is_small(desk, nobody):
    """Everything that a view holds, as many of it as fit, with the longest texts that are allowed."""
    text, code, at = WIDE * 200, "c" * 63, {"customer": nobody}
    history = promised(desk, nobody, 60, text)
    for name in names("promises", 30):
        history += [
            desk.event(
                cases.PromiseMade(
                    state="PROMISE_STATE_OPEN",
                    promise=name,
                    kind=code,
                    reference=text,
                    case=names("cases")[0],
                    **at,
                ),
                1,
                1,
            ),
            desk.event(
                cases.PromiseRenegotiated(
                    state="PROMISE_STATE_RENEGOTIATED", promise=name, successor=names("promises")[0], **at
                ),
                2,
                2,
            ),
        ]
    for name in names("cases", 90):
        history.append(
            desk.event(cases.CaseOpened(**OPEN, case=name, topic=code, owner=f"agents/{code}", **at), 1, 1)
        )
    for name in names("cases", 30):
        history.append(desk.event(cases.CaseResolved(**RESOLVED, case=name, **at), 2, 1))
    for name in names("notices", 30):
        history.append(
            desk.event(
                notifications.NoticeFailed(
                    state="NOTICE_STATE_FAILED", notice=name, kind=code, reason_code=code, **at
                ),
                1,
                1,
            )
        )
    for name in names("goodwill", 30):
        history.append(desk.event(loyalty.GoodwillGranted(goodwill=name, reason_code=code, **at), 1, 1))
    view = CustomerView.FromString(await desk.projected(history, batch=500))
    assert view.ByteSize() < VIEW_MAX_BYTES
    assert {*view.excerpts} == {
        "promises",
        "cases",
        "loyalty.goodwill",
        "notices",
        "latest_timeline_entries",
    }


async def test_a_fact_with_a_text_beyond_its_contract_does_not_swell_the_view(desk, nobody):
    """What another service tells was checked there; a view does not depend on that."""
    history = promised(desk, nobody, 60, "x" * 100_000)
    view = CustomerView.FromString(await desk.projected(history, batch=500))
    assert {len(part.reference) for part in view.promises} == {200}
    assert view.promises[0].reference.endswith("…")


async def test_a_view_has_excerpts_and_the_timeline_has_the_texts(desk):
    anna = await desk.create()
    for _ in range(3):
        await desk.record(anna.name, summary=WIDE * 4000)
    view = await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) == 4)
    assert [len(entry.summary) for entry in view.latest_timeline_entries] == [200, 200, 200, 0]
    assert view.ByteSize() < 10_000
    listed = await desk.timeline.ListTimelineEntries(ListTimelineEntriesRequest(parent=anna.name))
    assert [len(entry.summary) for entry in listed.timeline_entries] == [4000, 4000, 4000, 0]


async def test_what_a_view_costs_does_not_grow_with_what_the_customer_has(desk, nobody, infrastructure):
    """Of ten thousand live parts, the index hands out those that are shown."""
    db, customer_id = desk.running.db, UUID(nobody.split("/")[1])
    async with db.connection() as connection:
        await connection.execute(
            """
            INSERT INTO view_parts
            SELECT $1, 'promises/' || n, 'PROMISE', '', '', n % 2 = 0, n % 7 = 0, now() + n * interval '1 s'
            FROM generate_series(1, 20000) n
            """,
            customer_id,
        )
        await infrastructure.analyze(desk.running.db._url, "view_parts")
        (row,) = await connection.fetch(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {SHOWN_PARTS.sql}",
            *SHOWN_PARTS.arguments({"customer_ids": [customer_id], "kinds": list(PartKind)}),
        )
    assert await SHOWN_PARTS.all(db, customer_ids=[customer_id], kinds=list(PartKind))
    assert rows_read(row[0], "view_parts") <= 70 * len(PartKind)


async def test_a_batch_of_views_that_no_client_could_receive_says_how_many_fit(desk, refused):
    db = desk.running.db
    large = CustomerView(display_name="x" * 200_000).SerializeToString()
    found = [uuid4() for _ in range(30)]
    async with db.connection() as connection:
        await connection.executemany(
            "INSERT INTO views VALUES ($1, $2, 0, 0, now(), 1)", [(each, large) for each in found]
        )

    async def batch(count):
        request = view_service_pb2.BatchGetCustomerViewsRequest(
            names=[f"customers/{i}/view" for i in found[:count]]
        )
        return await desk.views.BatchGetCustomerViews(request)

    assert await refused(batch(30)) == "RESOURCE_EXHAUSTED RESPONSE_TOO_LARGE"
    assert len((await batch(20)).customer_views) == 20


async def pages(list_method, request):
    """Every page of a list, all of which arrive."""
    while True:
        page = await list_method(request, timeout=30)
        yield page
        request.page_token = page.next_page_token
        if not request.page_token:
            return


async def test_every_page_of_customers_with_many_handles_is_received(desk):
    for n in range(14):
        await desk.create(*[desk.external(f"crm:{n}-{i}-" + WIDE * 300) for i in range(100)])
    found = [page async for page in pages(desk.customers.ListCustomers, ListCustomersRequest(page_size=1000))]
    assert sum(len(page.customers) for page in found) == 14
    assert len(found) > 1


async def test_every_page_of_a_timeline_of_long_texts_is_received(desk):
    anna = await desk.create()
    for _ in range(5):
        batch = [desk.interaction(anna.name, summary=WIDE * 4000) for _ in range(100)]
        await desk.timeline.BatchRecordInteractions(
            BatchRecordInteractionsRequest(requests=batch), timeout=30
        )
    request = ListTimelineEntriesRequest(parent=anna.name, page_size=1000)
    found = [page async for page in pages(desk.timeline.ListTimelineEntries, request)]
    assert sum(len(page.timeline_entries) for page in found) >= 500
    assert len(found) > 1


async def test_a_batch_of_customers_that_no_client_could_receive_says_how_many_fit(desk, refused):
    made = [
        await desk.create(*[desk.external(f"crm:{n}-{i}-" + WIDE * 300) for i in range(100)])
        for n in range(20)
    ]
    request = BatchGetCustomersRequest(names=[customer.name for customer in made])
    assert await refused(desk.customers.BatchGetCustomers(request)) == "RESOURCE_EXHAUSTED RESPONSE_TOO_LARGE"
    found = await desk.customers.BatchGetCustomers(BatchGetCustomersRequest(names=request.names[:10]))
    assert [customer.name for customer in found.customers] == request.names[:10]
