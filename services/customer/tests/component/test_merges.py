"""Two names of one customer: whoever asks by either gets all, and it can be undone without a trace."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from chassis.api.messages import money, timestamp
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_VOICE
from rapport.common.v1.value_band_pb2 import VALUE_BAND_SILVER
from rapport.customer.v1 import consent_service_pb2 as consents
from rapport.customer.v1 import customer_merge_service_pb2 as merges
from rapport.customer.v1 import customer_service_pb2 as customers
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_pb2 import Organization
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty

GRANTED, DENIED = Consent.STATE_GRANTED, Consent.STATE_DENIED


@pytest.fixture
async def anna(desk):
    return (await desk.create(desk.email("anna@example.com"), family_name="Kruse")).name


@pytest.fixture
async def ann(desk):
    return (
        await desk.create(desk.email("ann@example.org"), desk.phone("+4930123456"), family_name="Kruse")
    ).name


async def test_whoever_asks_by_either_name_gets_the_one_customer(desk, anna, ann):
    merge = await desk.merge(anna, ann)

    assert (merge.state, merge.customer, merge.merged_customer) == (CustomerMerge.STATE_MERGED, anna, ann)
    for name in (anna, ann):
        found = await desk.get(name)
        assert found.name == anna
        assert [each.value for each in found.identifiers] == [
            "anna@example.com",
            "ann@example.org",
            "+4930123456",
        ]
    batch = customers.BatchGetCustomersRequest(names=[ann, anna])
    assert [each.name for each in (await desk.customers.BatchGetCustomers(batch)).customers] == [anna, anna]
    assert (await desk.resolve(desk.email("ann@example.org"))).customer == anna
    assert (await desk.resolve(desk.phone("+4930123456"))).customer == anna
    listed = (await desk.customers.ListCustomers(customers.ListCustomersRequest())).customers
    assert [each.name for each in listed] == [anna]


async def test_a_search_finds_the_one_customer_once(desk, anna, ann):
    await desk.merge(anna, ann)

    for query in ("kruse", "ann@example.org", ann):
        asked = customers.SearchCustomersRequest(query=query)
        matches = (await desk.customers.SearchCustomers(asked)).matches
        assert [each.customer.name for each in matches] == [anna], query


async def test_identifiers_keep_the_name_that_they_were_born_with(desk, anna, ann):
    await desk.merge(anna, ann)
    request = customers.CreateIdentifierRequest(parent=ann, identifier=desk.email("a.kruse@example.net"))

    made = await desk.customers.CreateIdentifier(request)

    assert made.name.startswith(ann)
    asked = customers.ListIdentifiersRequest(parent=anna)
    listed = (await desk.customers.ListIdentifiers(asked)).identifiers
    assert [each.name.split("/identifiers")[0] for each in listed] == [anna, ann, ann, ann]
    by_survivor = made.name.replace(ann, anna)
    assert (
        await desk.customers.GetIdentifier(customers.GetIdentifierRequest(name=by_survivor))
    ).name == made.name


async def test_what_is_told_of_either_name_is_in_the_one_view_and_timeline(desk, anna, ann):
    await told_of(desk, ann, "promises")
    await desk.view_when(ann, lambda view: view.open_promise_count == 1)
    await desk.merge(anna, ann)
    await told_of(desk, anna, "promises")
    await told_of(desk, ann, "promises")

    view = await desk.view_when(anna, lambda view: view.open_promise_count == 3)

    assert len(view.promises) == 3
    assert (view.name, view.customer) == (f"{anna}/view", anna)
    by_other_name = await desk.view(ann)
    assert (by_other_name.name, by_other_name.customer) == (f"{ann}/view", anna)
    assert list(by_other_name.promises) == list(view.promises)
    for name in (anna, ann):
        asked = ListTimelineEntriesRequest(parent=name, filter='event_type = "rapport.cases.v1.PromiseMade"')
        assert len((await desk.timeline.ListTimelineEntries(asked)).timeline_entries) == 3


async def test_what_they_are_worth_is_the_sum_of_both_names_in_each_currency(desk, anna, ann):
    for customer, paid, band in ((anna, 70, "STANDARD"), (ann, 430, "SILVER")):
        worth = loyalty.CustomerValueChanged(
            customer_value=f"customerValues/{uuid4()}",
            customer=customer,
            lifetime_values=[money(Decimal(paid), "EUR"), money(Decimal("0.5"), "USD")],
            purchase_count=2,
            band=f"VALUE_BAND_{band}",
            first_purchase_time=timestamp(desk.clock.now() - timedelta(days=paid)),
        )
        await desk.deliver(worth)
    await desk.merge(anna, ann)

    view = await desk.view_when(anna, lambda view: view.value.purchase_count == 4)

    sums = [(each.currency_code, each.units, each.nanos) for each in view.value.lifetime_values]
    assert sums == [("EUR", 500, 0), ("USD", 1, 0)]
    assert view.value.band == VALUE_BAND_SILVER
    first = view.value.first_purchase_time
    assert first == timestamp(desk.clock.now() - timedelta(days=430))


async def test_a_page_of_a_timeline_goes_through_all_names_in_the_order_of_time(desk, anna, ann):
    await desk.merge(anna, ann)
    now = desk.clock.now()
    for ago, name in enumerate([anna, ann, ann, anna, ann]):
        await desk.record(name, occur_time=timestamp(now - timedelta(hours=ago)), reference=f"r-{ago}")

    seen, token = [], ""
    while not seen or token:
        asked = ListTimelineEntriesRequest(
            parent=ann, page_size=2, page_token=token, filter="channel = VOICE"
        )
        page = await desk.timeline.ListTimelineEntries(asked)
        seen += [entry.reference for entry in page.timeline_entries]
        token = page.next_page_token

    assert seen == [f"r-{ago}" for ago in range(5)]


async def test_undone_each_has_theirs_and_what_was_told_of_them_since(desk, anna, ann):
    await told_of(desk, anna, "promises")
    await told_of(desk, ann, "cases")
    merge = await desk.merge(anna, ann)
    await told_of(desk, ann, "promises")
    await desk.view_when(anna, lambda view: (view.open_promise_count, view.open_case_count) == (2, 1))

    undone = await desk.undo(merge)

    assert (undone.state, undone.undo_reason_code) == (CustomerMerge.STATE_UNDONE, "two-persons")
    views = [await desk.view(name) for name in (anna, ann)]
    assert [(v.customer, v.open_promise_count, v.open_case_count) for v in views] == [
        (anna, 1, 0),
        (ann, 1, 1),
    ]
    assert (await desk.get(ann)).name == ann
    assert (await desk.resolve(desk.email("ann@example.org"))).customer == ann
    assert len((await desk.customers.ListCustomers(customers.ListCustomersRequest())).customers) == 2


async def test_a_customer_who_was_merged_is_merged_further_and_taken_out_again(desk, anna, ann):
    annie = (await desk.create(family_name="Kruse")).name
    inner = await desk.merge(ann, annie)
    outer = await desk.merge(anna, annie)

    assert {(await desk.get(name)).name for name in (anna, ann, annie)} == {anna}
    await desk.undo(inner)
    assert [(await desk.get(name)).name for name in (anna, ann, annie)] == [anna, ann, anna]
    await desk.undo(outer)
    assert [(await desk.get(name)).name for name in (anna, ann, annie)] == [anna, ann, annie]


async def test_what_cannot_be_one_is_refused_by_its_reason(desk, anna, ann, nobody, refused):
    firm = (await desk.create(organization=Organization(legal_name="Kruse GmbH"))).name

    assert await refused(desk.merge(anna, anna)) == "ALREADY_EXISTS MERGED_ALREADY"
    assert await refused(desk.merge(anna, nobody)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(desk.merge(anna, firm)) == "FAILED_PRECONDITION OTHER_TYPE"
    merge = await desk.merge(anna, ann)
    assert await refused(desk.merge(ann, anna)) == "ALREADY_EXISTS MERGED_ALREADY"
    assert await refused(desk.undo(merge, etag='"9"')) == "ABORTED ETAG_MISMATCH"
    await desk.undo(merge, etag=merge.etag)
    assert await refused(desk.undo(merge)) == "FAILED_PRECONDITION UNDONE_ALREADY"


async def test_the_older_name_survives_when_that_is_asked_for(desk, anna, ann):
    assert (await desk.merge(ann, anna, older_survives=True)).customer == anna


async def test_of_two_merges_at_once_the_other_way_round_one_holds(desk, anna, ann):
    answers = await asyncio.gather(desk.merge(anna, ann), desk.merge(ann, anna), return_exceptions=True)

    assert sorted(isinstance(each, CustomerMerge) for each in answers) == [False, True]
    assert (await desk.get(anna)).name == (await desk.get(ann)).name


async def test_many_merged_crosswise_at_once_are_one_customer(desk):
    names = [(await desk.create()).name for _ in range(8)]
    pairs = [(a, b) for a in names for b in names if a < b]

    await asyncio.gather(*(desk.merge(*pair) for pair in pairs), return_exceptions=True)

    assert len({(await desk.get(name)).name for name in names}) == 1


async def test_of_what_they_said_before_what_allows_less_holds_and_what_they_say_since_holds(desk, anna, ann):
    async def says(name, state):
        consent = Consent(name=f"{name}/consents/service.email", state=state)
        await desk.consents.UpdateConsent(consents.UpdateConsentRequest(consent=consent, allow_missing=True))

    async def allowed():
        asked = consents.CheckContactRequest(name=ann, purpose="purposes/service", channels=[CHANNEL_EMAIL])
        return (await desk.consents.CheckContact(asked)).allowed

    await says(ann, DENIED)
    desk.clock.advance(timedelta(hours=1))
    await says(anna, GRANTED)
    merge = await desk.merge(anna, ann)
    assert not await allowed()
    listed = await desk.consents.ListConsents(consents.ListConsentsRequest(parent=anna))
    assert [(each.name, each.state) for each in listed.consents] == [
        (f"{ann}/consents/service.email", DENIED)
    ]

    desk.clock.advance(timedelta(hours=1))
    await says(anna, GRANTED)
    assert await allowed()
    await desk.undo(merge)
    assert not await allowed()


async def test_how_they_want_to_be_reached_is_what_they_said_last(desk, anna, ann):
    async def prefers(name, channel):
        preferences = Preferences(name=f"{name}/preferences", channels=[channel])
        await desk.consents.UpdatePreferences(consents.UpdatePreferencesRequest(preferences=preferences))

    async def preferred(name):
        asked = consents.GetPreferencesRequest(name=f"{name}/preferences")
        return list((await desk.consents.GetPreferences(asked)).channels)

    await prefers(ann, CHANNEL_VOICE)
    desk.clock.advance(timedelta(hours=1))
    await prefers(anna, CHANNEL_EMAIL)
    merge = await desk.merge(anna, ann)
    assert await preferred(ann) == [CHANNEL_EMAIL]
    desk.clock.advance(timedelta(hours=1))
    await prefers(ann, CHANNEL_VOICE)
    assert await preferred(anna) == [CHANNEL_VOICE]
    await desk.undo(merge)
    assert (await preferred(anna), await preferred(ann)) == ([CHANNEL_EMAIL], [CHANNEL_VOICE])


async def test_what_is_preferred_counts_on_by_each_name(desk, anna, ann):
    """Or who follows it by its number takes the latest for one of before."""

    async def prefers(name, *channels):
        preferences = Preferences(name=f"{name}/preferences", channels=channels)
        await desk.consents.UpdatePreferences(consents.UpdatePreferencesRequest(preferences=preferences))

    for channels in ([CHANNEL_EMAIL], [CHANNEL_VOICE], [CHANNEL_EMAIL]):
        await prefers(anna, *channels)
    desk.clock.advance(timedelta(hours=1))
    await prefers(ann, CHANNEL_EMAIL)
    await desk.merge(anna, ann)
    await prefers(anna, CHANNEL_VOICE)

    told = [fact for fact in await desk.facts("PreferencesUpdated") if fact.resource.startswith(anna)]
    assert [fact.version for fact in told] == [1, 2, 3, 4]


async def test_departments_parts_of_either_name_are_in_the_one_view(desk, department, anna, ann):
    billing, repairs = department("billing"), department("repairs")
    for each in (billing, repairs):
        await each.begin()
    await billing.put(anna, note="older", seconds=-60)
    await billing.put(ann, note="newer")
    await repairs.put(anna, note="of one")
    merge = await desk.merge(anna, ann)

    for name in (anna, ann):
        shown = [billing.shown(each)["Note"] for each in (await desk.view(name)).sections]
        assert shown == ["newer", "of one"]
    assert (await repairs.get(ann)).name.startswith(anna)
    await desk.undo(merge)
    assert [len((await desk.view(name)).sections) for name in (anna, ann)] == [2, 1]


async def test_what_was_recorded_on_the_survivor_meanwhile_is_listed(desk, anna, ann):
    await desk.record(anna, reference="before")
    desk.clock.advance(timedelta(minutes=1))
    merge = await desk.merge(anna, ann)
    desk.clock.advance(timedelta(minutes=1))
    await desk.record(anna, reference="meanwhile")
    await desk.record(ann, reference="their-own")

    async def meanwhile():
        asked = merges.ListCustomerMergeEntriesRequest(parent=merge.name)
        found = (await desk.merges.ListCustomerMergeEntries(asked)).timeline_entries
        return [each.reference for each in found if each.reference]

    assert await meanwhile() == ["meanwhile"]
    desk.clock.advance(timedelta(minutes=1))
    await desk.undo(merge)
    desk.clock.advance(timedelta(minutes=1))
    await desk.record(anna, reference="after")
    assert await meanwhile() == ["meanwhile"]


async def test_merges_are_listed_by_any_name_also_undone_ones(desk, anna, ann):
    other, another = [(await desk.create()).name for _ in range(2)]
    first = await desk.merge(anna, ann)
    await desk.undo(first)
    second = await desk.merge(ann, other)

    async def listed(**asked):
        request = merges.ListCustomerMergesRequest(**asked)
        return [each.name for each in (await desk.merges.ListCustomerMerges(request)).customer_merges]

    assert await listed() == [second.name, first.name]
    assert await listed(customer=anna) == [first.name]
    assert await listed(customer=other) == [second.name, first.name]
    assert await listed(customer=other, filter="state = MERGED") == [second.name]
    assert await listed(customer=another) == []


async def test_a_merge_says_which_services_do_not_know_it_yet(desk, anna, ann):
    merge = await desk.merge(anna, ann)

    asked = merges.GetCustomerMergeRequest(name=merge.name)
    found = await desk.merges.GetCustomerMerge(asked)

    assert list(found.unaware_services) == ["services/cases", "services/loyalty", "services/notifications"]


async def test_a_merge_says_what_the_customer_was_called_whom_nobody_is_shown_any_more(desk, anna):
    clara = (await desk.create(given_name="Clara", family_name="Kruse")).name
    merge = await desk.merge(anna, clara)

    found = await desk.merges.GetCustomerMerge(merges.GetCustomerMergeRequest(name=merge.name))
    listed = await desk.merges.ListCustomerMerges(merges.ListCustomerMergesRequest(customer=anna))

    assert found.merged_display_name == "Clara Kruse"
    assert [each.merged_display_name for each in listed.customer_merges] == ["Clara Kruse"]


async def test_merging_and_undoing_are_told_with_all_names_and_a_number_that_grows(desk, anna, ann):
    merge = await desk.merge(anna, ann)
    await desk.undo(merge)

    merged, undone = [fact.data for fact in await desk.facts("CustomersMerged", "CustomerMergeUndone")]

    assert (merged.customer, merged.merged_customer) == (anna, ann)
    assert dict(zip(merged.customers, merged.survivors, strict=True)) == {anna: anna, ann: anna}
    assert dict(zip(undone.customers, undone.survivors, strict=True)) == {anna: anna, ann: ann}
    assert undone.sequence > merged.sequence


async def told_of(desk, customer, kind):
    due = timestamp(desk.clock.now() + timedelta(days=3))
    if kind == "promises":
        fact = cases.PromiseMade(
            promise=f"promises/{uuid4()}",
            customer=customer,
            state="PROMISE_STATE_OPEN",
            kind="delivery",
            due_time=due,
        )
    else:
        fact = cases.CaseOpened(
            case=f"cases/{uuid4()}",
            customer=customer,
            state="CASE_STATE_OPEN",
            topic="late",
            owner="agents/bob",
        )
    await desk.deliver(fact)
