from datetime import UTC, datetime
from uuid import UUID

import pytest

from cases.domain.case import Case, CaseState
from chassis.errors import FailedPrecondition

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def case():
    return Case(UUID(int=1), UUID(int=2), "late-delivery", "", "alice", "front-desk", NOW, NOW)


def test_a_case_is_resolved_when_all_its_work_is_finished():
    opened = case()
    fact = opened.resolve("delivered", NOW, unfinished_work_items=0)
    assert (opened.state, opened.resolution, opened.resolve_time) == (CaseState.RESOLVED, "delivered", NOW)
    assert (fact.case, fact.resolution) == (opened.name, "delivered")


def test_a_case_is_not_resolved_while_work_is_unfinished():
    opened = case()
    with pytest.raises(FailedPrecondition) as caught:
        opened.resolve("delivered", NOW, unfinished_work_items=2)
    assert caught.value.reason == "WORK_ITEM_OPEN"
    assert caught.value.metadata == {"resource": opened.name, "unfinished_work_items": "2"}
    assert opened == case()


def test_a_resolved_case_cannot_be_resolved_again():
    opened = case()
    opened.resolve("delivered", NOW, unfinished_work_items=0)
    with pytest.raises(FailedPrecondition) as caught:
        opened.resolve("refunded", NOW, unfinished_work_items=0)
    assert (caught.value.reason, caught.value.metadata) == ("CASE_RESOLVED", {"resource": opened.name})
    assert opened.resolution == "delivered"


def test_a_reopened_case_has_no_resolution_and_counts_how_often():
    opened = case()
    for times in (1, 2):
        opened.resolve("delivered", NOW, unfinished_work_items=0)
        fact = opened.reopen("not-settled")
        assert (fact.reopen_count, fact.reason_code) == (times, "not-settled")
    assert (opened.state, opened.resolution, opened.resolve_time) == (CaseState.OPEN, "", None)


def test_an_open_case_cannot_be_reopened():
    with pytest.raises(FailedPrecondition) as caught:
        case().reopen("")
    assert (caught.value.reason, caught.value.metadata) == ("CASE_OPEN", {"resource": case().name})


def test_a_new_owner_and_the_one_before_are_told():
    fact = case().assign("bob", "billing")
    assert (fact.owner, fact.previous_owner) == ("agents/bob", "agents/alice")


def test_what_changed_of_the_description_is_told_without_what_may_be_personal():
    fact = case().update({"topic": "damaged", "display_name": "Maria's parcel"})
    assert (fact.topic, fact.updated_fields) == ("damaged", ["topic", "display_name"])
    assert "Maria" not in repr(fact)


def test_describing_a_case_as_it_is_described_is_no_news():
    opened = case()
    assert opened.update({"topic": "late-delivery"}) is None
    assert opened == case()


def test_every_change_is_a_new_version():
    opened = case()
    opened.update({"topic": "damaged"})
    opened.assign("bob", "billing")
    opened.resolve("replaced", NOW, unfinished_work_items=0)
    opened.reopen("")
    assert opened.version == 5
