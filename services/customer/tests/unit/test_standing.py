"""Which value stands, against a model a few lines long, in whatever order values are recorded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from customer.domain import provenance
from customer.domain.attributes import (
    Attribute,
    Candidate,
    DataClass,
    Pin,
    Reason,
    Rule,
    Type,
    best_of_each,
    decided,
    latest_pin,
)
from customer.domain.customers import new_customer
from customer.usecases.standing import Known

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA, ANNE = UUID(int=1), UUID(int=2)
SOURCES = ("crm", "registry", "web-form")


def attribute(rule=Rule.LATEST, trusted=()):
    fields = ("billing.size", "Size", "", Type.TEXT, DataClass.PLAIN, [], rule, list(trusted), NOW, NOW)
    return Attribute(*fields)


def said(source="crm", value="42", days=0, confidence=1.0, customer=ANNA):
    at = NOW + timedelta(days=days)
    return Candidate(customer, "billing.size", source, value, uuid4(), "billing", "agent:a", at, confidence)


sayings = st.lists(
    st.builds(
        said,
        st.sampled_from(SOURCES),
        st.sampled_from("abc"),
        st.integers(0, 2),
        st.sampled_from([0.5, 1.0]),
        st.sampled_from([ANNA, ANNE]),
    ),
    min_size=1,
    max_size=8,
)
rules = st.sampled_from(
    [
        attribute(),
        attribute(Rule.TRUSTED_SOURCE, ["billing.registry", "billing.crm"]),
        attribute(Rule.MANUAL, ["billing.crm"]),
    ]
)


def model(of, everything):
    """What stands of everything that was ever said, by the words of the contract."""
    trusted = of.trusted_sources
    best = sorted(
        everything,
        key=lambda each: (
            trusted.index(f"billing.{each.source}") if f"billing.{each.source}" in trusted else len(trusted),
            -each.observe_time.timestamp(),
            -each.confidence,
            [-ord(letter) for letter in each.source],
            -ord(each.value),
        ),
    )[0]
    return best.source, best.value


def stands(of, batches, ids):
    known = Known()
    for batch in batches:
        known.add(batch)
    found = known.standing(ids, of).standing
    return found and (found.candidate.source, found.candidate.value)


@given(rules, sayings, st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_same_value_stands_in_whatever_order_and_batches_it_was_recorded(of, sayings, chance, size):
    shuffled = chance.sample(sayings, len(sayings))
    batches = [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
    ours = [each for each in sayings if each.customer_id == ANNA]
    assert stands(of, batches, [ANNA]) == (model(of, ours) if ours else None)


@given(rules, sayings, st.randoms(use_true_random=False))
def test_of_a_merged_customer_the_same_value_stands_as_if_all_had_been_said_of_one(of, sayings, chance):
    ids = chance.sample([ANNA, ANNE], 2)
    assert stands(of, [sayings], ids) == model(of, sayings)


@given(sayings)
def test_a_pinned_value_stands_whatever_else_is_said(sayings):
    pinned = said("desk", "pinned", -100, 0.0)
    (first, *others) = decided(attribute(Rule.MANUAL), best_of_each(sayings), pinned)
    assert (first.candidate, first.reason) == (pinned, Reason.PINNED)
    assert {each.reason for each in others} == {Reason.PINNED}
    assert decided(attribute(), best_of_each(sayings), pinned)[0].candidate != pinned


@pytest.mark.parametrize(
    ("of", "other", "reason"),
    [
        (attribute(), said(days=-1), Reason.LATER),
        (attribute(), said(source="a", confidence=0.5), Reason.SURER),
        (attribute(), said(source="a"), Reason.ORDER),
        (attribute(), said(value="41", source="a"), Reason.ORDER),
        (attribute(Rule.TRUSTED_SOURCE, ["billing.crm"]), said("web-form", days=5), Reason.TRUSTED),
    ],
)
def test_it_is_said_by_what_a_value_stands(of, other, reason):
    first, second = decided(of, [other, said()], None)
    assert (first.candidate.source, first.reason, second.reason) == ("crm", reason, reason)


def test_who_is_alone_stands_and_nobody_is_nobody():
    assert decided(attribute(), [], None) == []
    assert [each.reason for each in decided(attribute(), [said()], None)] == [Reason.ONLY]


def test_of_merged_customers_the_latest_pin_holds_and_what_is_released_is_none():
    def pin(customer, days, observation=ANNE):
        return Pin(customer, "billing.size", observation, "agent:a", NOW + timedelta(days=days), 1)

    assert latest_pin([pin(ANNA, 1), pin(ANNE, 2)]) == pin(ANNE, 2)
    assert latest_pin([pin(ANNA, 1, None)]) is None


def test_a_type_and_codes_stay():
    held = replace(attribute(), type=Type.CODE, codes=["a", "b"])
    more = replace(held, codes=["c", "b", "a"])
    assert (more.follow(held), more.version) == (["codes"], 2)
    for other in (replace(held, type=Type.TEXT), replace(held, codes=["a"])):
        with pytest.raises(FailedPrecondition, match="stays"):
            other.follow(held)


ACT = "0" * 32


@pytest.mark.parametrize(
    ("held", "changes", "stays"),
    [
        (["family_name"], {"family_name": "B", "given_name": "X"}, ["family_name"]),
        (["family_name"], {"family_name": "A"}, []),
        (["family_name"], {"display_name": "X A"}, ["display_name"]),
        (["birth_date"], {"kind": "ORGANIZATION", "region_code": "DE"}, ["kind"]),
        ([], {"family_name": "B", "display_name": "X"}, []),
        (["region_code"], {"display_name": "X"}, []),
    ],
)
def test_what_a_person_said_stays_and_what_goes_with_it(held, changes, stays):
    customer = new_customer(ANNA, {"kind": "PERSON", "family_name": "A", "birth_date": "1984"}, "", NOW)
    customer.region_code = "AT"
    provenance.note(customer, provenance.FIELDS, ACT, "desk", held)
    assert provenance.kept_back(customer, changes, "import", {}) == stays


def test_where_the_fields_come_from_is_kept_an_observation_once_and_without_what_is_empty():
    customer = new_customer(ANNA, {"given_name": "A", "family_name": "B"}, "", NOW)
    provenance.note(customer, ["given_name", "family_name", "birth_date"], ACT, "crm", ["given_name"])
    assert customer.profile_sources == f'{{"{ACT}":["crm","given_name!","family_name"]}}'
    assert provenance.release(customer, "given_name")
    assert not provenance.release(customer, "given_name")
    customer.family_name = ""
    provenance.note(customer, ["family_name"], ACT, "crm", ["family_name"])
    assert provenance.sources(customer) == {"given_name": provenance.Said(ACT, "crm", held=False)}
