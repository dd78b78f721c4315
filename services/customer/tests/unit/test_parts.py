"""Parts of the view are the same whatever the order of the facts and however often they arrive."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import money, timestamp, value_name
from customer.usecases.parts import SPECS, Fact, PartKind, folded, merged
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.common.v1 import channel_pb2
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty
from rapport.notifications.v1 import notifications_events_pb2 as notifications

OPEN = {"state": "CASE_STATE_OPEN"}
RESOLVED = {"state": "CASE_STATE_RESOLVED"}

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE, LATER = timestamp(START + timedelta(days=3)), timestamp(START + timedelta(days=5))
PROMISE, CASE, NOTICE = "promises/p", "cases/c", "notices/n"
GRANT = {"goodwill": "goodwill/g", "points": 200, "promise": PROMISE, "create_time": timestamp(START)}


def fact(version, message):
    """The fact of a version: an hour after the one before."""
    data = message.SerializeToString(deterministic=True)
    return Fact(
        version, UUID(int=version), START + timedelta(hours=version), message.DESCRIPTOR.full_name, data
    )


def history(*messages):
    return [fact(version, message) for version, message in enumerate(messages, 1)]


def promise(fact, state, **told):
    """A fact about the promise, and where it is by then."""
    state = f"PROMISE_STATE_{state}"
    known = {"kind": "delivery", "reference": "orders/1", "due_time": DUE, "case": CASE}
    return fact(promise=PROMISE, state=state, **known | told)


MADE = promise(cases.PromiseMade, "OPEN")
AT_RISK = promise(cases.PromiseAtRisk, "AT_RISK", forecast_time=LATER)
HISTORIES = {
    PartKind.PROMISE: history(
        MADE,
        AT_RISK,
        promise(cases.PromiseAtRisk, "AT_RISK"),
        promise(cases.PromiseRenegotiated, "RENEGOTIATED", successor="promises/q"),
    ),
    PartKind.CASE: history(
        cases.CaseOpened(**OPEN, case=CASE, topic="late-delivery", owner="agents/a", open_time=DUE),
        cases.CaseAssigned(**OPEN, case=CASE, owner="agents/b"),
        cases.CaseResolved(**RESOLVED, case=CASE),
        cases.CaseReopened(**OPEN, case=CASE, reopen_count=1),
        cases.CaseAssigned(**OPEN, case=CASE, owner="agents/c"),
        cases.CaseResolved(**RESOLVED, case=CASE),
    ),
    PartKind.NOTICE: history(
        notifications.NoticeRequested(
            state="NOTICE_STATE_REQUESTED", notice=NOTICE, kind="promise-at-risk", promise=PROMISE
        ),
        notifications.NoticeSent(
            state="NOTICE_STATE_SENT",
            notice=NOTICE,
            kind="promise-at-risk",
            promise=PROMISE,
            channel="CHANNEL_EMAIL",
        ),
    ),
    PartKind.VALUE: history(
        loyalty.CustomerValueChanged(
            lifetime_values=[money(10, "USD")], purchase_count=1, band="VALUE_BAND_STANDARD"
        ),
        loyalty.CustomerValueChanged(
            lifetime_values=[money(99, "USD"), money(5, "EUR")], purchase_count=2, band="VALUE_BAND_SILVER"
        ),
    ),
    PartKind.BALANCE: history(
        loyalty.TransferPosted(account="programs/p/accounts/a", amount=100, balance=100),
        loyalty.TransferPosted(account="programs/p/accounts/a", amount=50, balance=150),
        loyalty.TransferReversed(account="programs/p/accounts/a", balance=0),
    ),
    PartKind.GOODWILL: history(
        loyalty.GoodwillGranted(**GRANT, state="GOODWILL_STATE_GRANTED"),
        loyalty.GoodwillReversed(**GRANT, state="GOODWILL_STATE_REVERSED"),
    ),
}


def fold(kind, facts):
    return folded(kind, merged(b"", facts))


@st.composite
def arrivals(draw):
    """A kind of part, and its facts in any order, some of them more than once, in any number of batches."""
    kind = draw(st.sampled_from(list(HISTORIES)))
    facts = HISTORIES[kind]
    repeats = draw(st.lists(st.sampled_from(facts), max_size=4))
    order = draw(st.permutations([*facts, *repeats]))
    size = draw(st.integers(1, len(order)))
    return kind, [order[i : i + size] for i in range(0, len(order), size)]


@given(arrivals())
def test_any_order_and_any_repeats_make_the_same_bytes(arrived):
    kind, batches = arrived
    kept = b""
    for batch in batches:
        kept = merged(kept, batch)
    expected = merged(b"", HISTORIES[kind])
    assert kept == expected
    part, wanted = folded(kind, kept).part, folded(kind, expected).part
    assert part.SerializeToString(deterministic=True) == wanted.SerializeToString(deterministic=True)


@pytest.mark.parametrize("kind", list(HISTORIES))
def test_the_latest_facts_of_each_type_fold_to_what_all_of_them_do(kind):
    """Older facts of a type may be forgotten: at every length the part is the fold of the whole history."""
    for length in range(1, len(HISTORIES[kind]) + 1):
        so_far = HISTORIES[kind][:length]
        assert fold(kind, so_far) == folded(kind, msgspec.msgpack.encode(so_far))


def test_a_part_says_what_it_was_built_from():
    source = fold(PartKind.PROMISE, history(MADE, AT_RISK)).part.source
    assert (source.service, source.resource_version) == ("services/cases", 2)
    assert source.occur_time == timestamp(START + timedelta(hours=2))


def test_a_promise_has_a_forecast_while_the_customer_waits_for_it():
    at_risk = fold(PartKind.PROMISE, history(MADE, AT_RISK)).part
    assert (value_name(at_risk, "state"), at_risk.forecast_time) == ("AT_RISK", LATER)
    broken = fold(PartKind.PROMISE, history(MADE, AT_RISK, promise(cases.PromiseBroken, "BROKEN"))).part
    assert (value_name(broken, "state"), broken.forecast_time) == ("BROKEN", LATER)
    kept = fold(PartKind.PROMISE, history(MADE, AT_RISK, promise(cases.PromiseKept, "KEPT_LATE"))).part
    assert (value_name(kept, "state"), kept.HasField("forecast_time")) == ("KEPT_LATE", False)
    assert (kept.kind, kept.reference, kept.case, kept.due_time) == ("delivery", "orders/1", CASE, DUE)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        (cases.PromiseKept, "KEPT"),
        (cases.PromiseBroken, "BROKEN"),
        (cases.PromiseWithdrawn, "WITHDRAWN"),
        (cases.PromiseRenegotiated, "RENEGOTIATED"),
    ],
)
def test_a_promise_that_is_over_has_ended(message, state):
    over = fold(PartKind.PROMISE, history(MADE, promise(message, state)))
    assert (value_name(over.part, "state"), over.ended) == (state, True)
    assert not fold(PartKind.PROMISE, history(MADE, AT_RISK)).ended


def test_a_case_keeps_the_latest_owner_through_states_and_lives_again_when_reopened():
    over = fold(PartKind.CASE, HISTORIES[PartKind.CASE])
    assert (value_name(over.part, "state"), over.part.owner, over.ended) == ("RESOLVED", "agents/c", True)
    reopened = fold(PartKind.CASE, HISTORIES[PartKind.CASE][:4])
    assert (value_name(reopened.part, "state"), reopened.part.owner, reopened.ended) == (
        "OPEN",
        "agents/b",
        False,
    )


def test_a_notice_that_went_out_has_a_channel_and_no_reason():
    sent = notifications.NoticeSent(state="NOTICE_STATE_SENT", notice=NOTICE, channel="CHANNEL_EMAIL")
    part = fold(
        PartKind.NOTICE,
        history(notifications.NoticeRequested(state="NOTICE_STATE_REQUESTED", notice=NOTICE), sent),
    ).part
    assert (value_name(part, "state"), part.channel, part.reason_code) == (
        "SENT",
        channel_pb2.CHANNEL_EMAIL,
        "",
    )


def test_a_notice_that_did_not_go_out_says_why():
    suppressed = notifications.NoticeSuppressed(
        state="NOTICE_STATE_SUPPRESSED", notice=NOTICE, reason_code="no-address"
    )
    part = fold(PartKind.NOTICE, history(suppressed)).part
    assert (value_name(part, "state"), part.reason_code) == ("SUPPRESSED", "no-address")


def test_a_balance_goes_back_to_zero():
    assert fold(PartKind.BALANCE, HISTORIES[PartKind.BALANCE]).part.balance == 0


def test_goodwill_that_was_reversed_says_so_and_has_the_time_of_its_grant():
    granted, taken_back = HISTORIES[PartKind.GOODWILL]
    for facts, state in (([granted], "GRANTED"), ([granted, taken_back], "REVERSED")):
        part = fold(PartKind.GOODWILL, facts).part
        assert (part.goodwill, part.points, part.promise) == ("goodwill/g", 200, PROMISE)
        assert (value_name(part, "state"), part.create_time) == (state, timestamp(START))


def test_every_part_has_facts_and_every_fact_a_part():
    assert {spec.kind for spec in SPECS.values()} == set(PartKind) == set(HISTORIES)


def test_a_merged_case_is_shown_no_more_until_it_stands_by_itself_again():
    told = {"case": CASE, "merged_into": "cases/d", "reason_code": "reported-twice"}
    opened = cases.CaseOpened(**OPEN, case=CASE, topic="late-delivery", open_time=DUE)
    kept = history(opened, cases.CaseMerged(state="CASE_STATE_MERGED", **told))
    assert folded(PartKind.CASE, merged(b"", kept)).ended
    again = [*kept, fact(3, cases.CaseUnmerged(**OPEN, **told))]
    assert not folded(PartKind.CASE, merged(b"", again)).ended
