"""A customer is a prospect until somebody tells of a purchase."""

from datetime import timedelta
from uuid import uuid4

import pytest
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp
from chassis.db.migrate import migrate
from customer.service import service
from rapport.customer.v1.customer_service_pb2 import (
    ExplainCustomerRequest,
    GetCustomerRequest,
    ListCustomersRequest,
)
from rapport.loyalty.v1.loyalty_events_pb2 import PurchaseRecorded
from rapport_testing.engines.postgres import owner_of
from rapport_testing.wait import eventually


@pytest.fixture
def purchase(desk):
    def of(customer, days=0, units=10):
        return PurchaseRecorded(
            purchase=f"purchases/{uuid4()}",
            customer=customer.name,
            amount=Money(currency_code="EUR", units=units),
            purchase_time=timestamp(desk.clock.now() - timedelta(days=days)),
        )

    return of


async def get(desk, customer):
    return await desk.customers.GetCustomer(GetCustomerRequest(name=customer.name))


async def converted(desk, customer):
    async def is_one():
        now = await get(desk, customer)
        return None if now.prospect else now

    return await eventually(is_one)


async def test_a_prospect_is_one_until_the_first_purchase_which_is_told_once(desk, purchase):
    anna, bert = await desk.create(), await desk.create()
    assert (anna.prospect, bert.prospect) == (True, True)
    late = purchase(anna)
    await desk.deliver(late)
    now = await converted(desk, anna)
    assert now.etag == '"2"'
    await desk.deliver(late)
    await desk.deliver(purchase(anna, days=3000))  # an import tells of what was long ago
    await desk.deliver(purchase(bert))
    await converted(desk, bert)
    told = await desk.facts("CustomerConverted")
    assert [(each.data.customer, each.data.purchase) for each in told[:1]] == [(anna.name, late.purchase)]
    assert [each.data.customer for each in told] == [anna.name, bert.name]
    assert (await get(desk, anna)).etag == '"2"'
    explained = await desk.customers.ExplainCustomer(ExplainCustomerRequest(name=anna.name))
    assert [cause.event_type.rpartition(".")[2] for cause in explained.causes][:1] == ["CustomerConverted"]


async def test_what_was_given_back_as_a_purchase_of_its_own_and_what_is_nobodys_converts_nobody(
    desk, purchase, nobody
):
    anna, bert = await desk.create(), await desk.create()
    await desk.deliver(purchase(anna, units=-5))
    await desk.deliver(purchase(type(anna)(name=nobody)))
    await desk.deliver(purchase(bert))
    await converted(desk, bert)
    assert (await get(desk, anna)).prospect


async def test_prospects_are_listed_by_filter(desk, purchase, refused):
    anna, bert = await desk.create(), await desk.create()
    await desk.deliver(purchase(bert))
    await converted(desk, bert)
    for asked, names in (("prospect = true", [anna.name]), ("prospect = false", [bert.name])):
        listed = await desk.customers.ListCustomers(ListCustomersRequest(filter=asked))
        assert [each.name for each in listed.customers] == names
    wrong = desk.customers.ListCustomers(ListCustomersRequest(filter="prospect = maybe"))
    assert await refused(wrong) == "INVALID_ARGUMENT INVALID_FILTER"


async def test_who_bought_before_this_release_is_no_prospect_after_the_migration(infrastructure):
    url = await infrastructure.fresh_database("customer", service.migrations)
    async with infrastructure.superuser(url) as connection:
        await connection.execute("""
            INSERT INTO customers (id, display_name, kind, given_name, additional_name, family_name,
                honorific_prefix, honorific_suffix, birth_date, organization_name, addresses, language_code,
                time_zone, region_code, relationship_manager, create_time, update_time, version)
            SELECT gen_random_uuid(), n::text, '', '', '', '', '', '', '', '', '', 'en', 'UTC', '',
                'agents/a', now(), now(), 1 FROM generate_series(1, 3) n;
            INSERT INTO timeline (id, customer_id, occur_time, event_type, service, resource, reference,
                channel, direction, topic, summary, department, actor, trace_id, currency_code)
            SELECT gen_random_uuid(), id, now(), 'rapport.loyalty.v1.PurchaseRecorded', 'loyalty', '', '',
                '', '', '', '', '', '', '', '' FROM customers WHERE display_name <> '2';
            DROP TABLE relationships;
            ALTER TABLE customers DROP COLUMN prospect, DROP COLUMN bought;
            UPDATE alembic_version SET version_num = 'customer_0008' WHERE version_num LIKE 'customer_%';
            """)
        database = await connection.fetchval("SELECT current_database()")
        await migrate(
            infrastructure.postgres.url_for(database, owner_of("customer")), service.migrations, "customer"
        )
        prospects = await connection.fetch("SELECT display_name FROM customers WHERE prospect")
        assert [row["display_name"] for row in prospects] == ["2"]
    await infrastructure.drop_database(url)


async def test_who_bought_by_any_of_their_names_is_no_prospect_until_the_merge_is_undone(desk, purchase):
    anna, twin = await desk.create(), await desk.create()
    await desk.deliver(purchase(twin))
    await converted(desk, twin)
    merge = await desk.merge(anna.name, twin.name)
    assert not (await get(desk, anna)).prospect
    await desk.undo(merge)
    assert ((await get(desk, anna)).prospect, (await get(desk, twin)).prospect) == (True, False)


async def test_a_purchase_by_a_name_that_was_merged_away_converts_who_survives(desk, purchase):
    anna, twin = await desk.create(), await desk.create()
    merge = await desk.merge(anna.name, twin.name)
    await desk.deliver(purchase(twin))
    await converted(desk, anna)
    (told,) = await desk.facts("CustomerConverted")
    assert told.data.customer == twin.name
    await desk.undo(merge)
    assert ((await get(desk, anna)).prospect, (await get(desk, twin)).prospect) == (True, False)
    await desk.deliver(purchase(twin))
    await desk.deliver(purchase(anna))
    await converted(desk, anna)
    assert [each.data.customer for each in await desk.facts("CustomerConverted")] == [twin.name, anna.name]
