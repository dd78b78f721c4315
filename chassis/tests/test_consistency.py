from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis import ids
from chassis.consistency import NAMED_MAX, Item, Told, parse, token
from chassis.errors import InvalidArgument

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MADE, OPENED = "rapport.cases.v1.PromiseMade", "rapport.cases.v1.CaseOpened"
TRANSACTION = UUID("019cae6b-6600-7252-8934-1a0f7d1fb139")  # a constant: names of tests hold it


def told(count, name=MADE):
    return [Told(name, ids.uuid7(NOW)) for _ in range(count)]


def test_the_token_of_a_write_without_facts_names_nothing_to_wait_for():
    assert token("cases", TRANSACTION, [], []) == "cases:"
    assert parse("cases:", "t") == ("cases", [])


def test_every_fact_of_a_write_is_named_with_its_type():
    facts = told(NAMED_MAX - 1) + told(1, OPENED)
    assert parse(token("cases", TRANSACTION, facts, []), "t") == (
        "cases",
        [Item(fact.event_id, fact.type) for fact in facts],
    )


def test_facts_too_many_to_name_are_counted_by_type_under_their_transaction():
    text = token("cases", TRANSACTION, told(500) + told(2, OPENED), [])
    assert parse(text, "t") == ("cases", [Item(TRANSACTION, MADE, 500), Item(TRANSACTION, OPENED, 2)])
    assert len(text) < 200


def test_what_another_call_recorded_for_this_one_is_named_too():
    (own, other) = told(2)
    assert [item.id for item in parse(token("cases", TRANSACTION, [own], [other]), "t")[1]] == [
        own.event_id,
        other.event_id,
    ]
    many = parse(token("cases", TRANSACTION, told(17), [other]), "t")[1]
    assert many == [Item(TRANSACTION, MADE, 17), Item(other.event_id, MADE)]


def test_an_event_may_be_named_without_its_type():
    assert parse(f"cases:{TRANSACTION}", "t") == ("cases", [Item(TRANSACTION)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cases",
        ":",
        f":{TRANSACTION}",
        f"cases:{TRANSACTION},",
        f"cases:{str(TRANSACTION).upper()}",
        f"cases:v1.CaseOpened*0@{TRANSACTION}",
        f"cases:v1.CaseOpened*9999999@{TRANSACTION}",
        "cases:0f0e0d0c-0b0a-4908-8706-050403020100",
        "cases:" + ",".join([str(TRANSACTION)] * 65),
    ],
)
def test_anything_else_is_no_token(text):
    with pytest.raises(InvalidArgument, match="must be the consistency-token") as refused:
        parse(text, "consistency_token")
    assert refused.value.reason == "INVALID_CONSISTENCY_TOKEN"


def test_a_fact_of_a_package_of_its_own_is_named_in_full():
    facts = told(1, "acme.gift_shop.v1.GiftSent")
    assert parse(token("gifts", TRANSACTION, facts, []), "t") == (
        "gifts",
        [Item(facts[0].event_id, facts[0].type)],
    )
