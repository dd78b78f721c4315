from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from notifications.domain.news import (
    News,
    Step,
    meanwhile,
    moot,
    next_steps,
    recount,
    recovery,
    steps,
    untrue,
)
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.reasons import Reason

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FRIDAY = {"old_date": "2026-03-04", "new_date": "2026-03-06", "reason": "weather", "reference": ""}
MONDAY = FRIDAY | {"new_date": "2026-03-09"}


def news(version: int, concern: Concern = Concern.AT_RISK, variables: dict[str, str] = FRIDAY) -> News:
    return News(
        "promises/1", version, "customers/1", "", concern, variables, NOW, NOW, "", "departments/delivery"
    )


def notice(
    state: State,
    variables: dict[str, str] = FRIDAY,
    concern: Concern = Concern.AT_RISK,
    reason_code: str = "",
    version: int = 5,
) -> Notice:
    return Notice(
        id=uuid4(),
        customer="customers/1",
        kind="promise-at-risk",
        purpose="purposes/service",
        template_id="delay",
        variables=variables,
        promise="promises/1",
        case="",
        notice_policy_id="promise-at-risk",
        policy_version=1,
        promise_version=version,
        expire_time=NOW,
        create_time=NOW,
        update_time=NOW,
        request_event=uuid4(),
        concern=concern,
        due_time=NOW,
        department="departments/delivery",
        heard_version=version,
        said=variables,
        said_version=version,
        state=state,
        reason_code=reason_code,
    )


def test_the_first_fact_asks_for_a_notice() -> None:
    assert next_steps([], news(5)) == [(Step.REQUEST, None)]


@pytest.mark.parametrize("concern", [Concern.RECOVERED, Concern.NONE])
@pytest.mark.parametrize("state", [None, State.SENT, State.SUPPRESSED, State.FAILED])
def test_nobody_is_told_that_a_risk_is_over_who_may_not_have_heard_of_it_or_has_a_new_date(
    concern: Concern, state: State | None
) -> None:
    before = [notice(state)] if state else []
    assert next_steps(before, news(6, concern)) == []


@pytest.mark.parametrize("state", [State.REQUESTED, State.SENDING])
def test_a_newer_date_goes_into_the_notice_that_has_not_ended(state: State) -> None:
    waiting = notice(state)
    assert next_steps([waiting], news(6, variables=MONDAY)) == [(Step.REVISE, waiting)]


def test_a_better_date_does_too_and_an_older_fact_that_arrives_late_does_not() -> None:
    waiting = notice(State.REQUESTED, MONDAY)
    assert next_steps([waiting], news(6)) == [(Step.REVISE, waiting)]
    assert next_steps([waiting], news(4)) == []
    assert next_steps([waiting], news(5)) == []


def test_what_was_seen_of_a_promise_counts_not_only_what_is_told_of_it() -> None:
    waiting = replace(notice(State.SUPPRESSED, reason_code=Reason.PROMISE_RECOVERED), heard_version=6)
    assert next_steps([waiting], news(6)) == []
    assert next_steps([waiting], news(7)) == [(Step.REQUEST, None)]


def test_the_same_date_again_changes_nothing() -> None:
    assert next_steps([notice(State.REQUESTED)], news(6)) == []


def test_after_it_was_sent_the_promise_is_told_of_no_more() -> None:
    assert next_steps([notice(State.SENT)], news(6, variables=MONDAY)) == []


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.FAILED, State.UNKNOWN])
def test_what_was_not_sent_or_perhaps_is_tried_again_for_another_date_only(state: State) -> None:
    assert next_steps([notice(state)], news(6)) == []
    assert next_steps([notice(state)], news(6, variables=MONDAY)) == [(Step.REQUEST, None)]


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.FAILED])
def test_the_same_date_is_not_tried_again_when_it_was_never_said(state: State) -> None:
    unsaid = replace(notice(state, reason_code="no-address"), said_version=0)
    assert next_steps([unsaid], news(6)) == []


@pytest.mark.parametrize("concern", [Concern.RECOVERED, Concern.NONE])
@pytest.mark.parametrize("state", [State.REQUESTED, State.SENDING])
def test_what_is_no_longer_true_is_withdrawn(state: State, concern: Concern) -> None:
    waiting = notice(state)
    assert next_steps([waiting], news(6, concern)) == [(Step.WITHDRAW, waiting)]


def test_who_may_have_heard_of_the_risk_hears_of_the_recovery() -> None:
    assert next_steps([notice(State.UNKNOWN)], news(6, Concern.RECOVERED)) == [(Step.REQUEST, None)]


def test_who_waits_for_a_repeat_of_the_risk_may_have_heard_of_it_too() -> None:
    perhaps = replace(notice(State.REQUESTED), in_doubt=True)
    assert next_steps([perhaps], news(6, Concern.RECOVERED)) == [
        (Step.WITHDRAW, perhaps),
        (Step.REQUEST, None),
    ]


def test_what_may_have_arrived_is_not_revised_another_notice_tells_the_other_date() -> None:
    perhaps = replace(notice(State.REQUESTED), in_doubt=True)
    assert next_steps([perhaps], news(6, variables=MONDAY)) == [
        (Step.WITHDRAW, perhaps),
        (Step.REQUEST, None),
    ]
    assert moot(perhaps, news(6, variables=MONDAY)) == Reason.OUTCOME_UNKNOWN
    assert next_steps([perhaps], news(6)) == []


def test_what_waits_is_not_needed_once_the_same_is_known_to_be_told() -> None:
    waiting, perhaps = notice(State.REQUESTED, MONDAY), notice(State.UNKNOWN, version=4)
    assert steps([waiting, perhaps], news(5, variables=MONDAY)) == []
    told = replace(perhaps, state=State.SENT)
    assert steps([waiting, told], news(5, variables=MONDAY)) == [(Step.WITHDRAW, waiting)]
    recovery_of = notice(State.REQUESTED, recovery(FRIDAY), Concern.RECOVERED)
    untold = replace(perhaps, state=State.FAILED)
    assert steps([recovery_of, perhaps], news(5, Concern.RECOVERED, recovery(FRIDAY))) == []
    assert steps([recovery_of, untold], news(5, Concern.RECOVERED, recovery(FRIDAY))) == [
        (Step.WITHDRAW, recovery_of)
    ]


def test_what_nobody_was_told_leaves_what_was_told_before_as_it_is() -> None:
    untold, perhaps = notice(State.FAILED, MONDAY), notice(State.UNKNOWN, version=4)
    assert steps([untold, perhaps], news(6)) == []
    assert steps([untold, perhaps], news(6, variables=MONDAY)) == []


def test_a_recovery_is_told_once() -> None:
    told = notice(State.SENT, concern=Concern.RECOVERED, version=6)
    assert next_steps([told, notice(State.UNKNOWN)], news(7, Concern.RECOVERED)) == []


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
def test_a_risk_that_is_back_after_its_recovery_was_told_is_told(state: State) -> None:
    told = notice(state, concern=Concern.RECOVERED, version=6)
    assert next_steps([told, notice(State.UNKNOWN)], news(7)) == [(Step.REQUEST, None)]


def test_a_recovery_not_yet_told_is_withdrawn_when_the_risk_is_back() -> None:
    waiting, perhaps = notice(State.REQUESTED, concern=Concern.RECOVERED), notice(State.UNKNOWN, version=4)
    assert next_steps([waiting, perhaps], news(6)) == [(Step.WITHDRAW, waiting)]
    assert next_steps([waiting, perhaps], news(6, variables=MONDAY)) == [
        (Step.WITHDRAW, waiting),
        (Step.REQUEST, None),
    ]


def test_while_a_message_is_under_way_nothing_else_is_begun_and_its_end_decides() -> None:
    under_way, perhaps = notice(State.SENDING), notice(State.UNKNOWN, version=4)
    assert next_steps([under_way, perhaps], news(6, Concern.RECOVERED)) == [(Step.WITHDRAW, under_way)]
    under_way.withdraw(Reason.PROMISE_RECOVERED)
    under_way.postpone()
    assert steps([under_way, perhaps], news(6, Concern.RECOVERED)) == [(Step.REQUEST, None)]


@pytest.mark.parametrize(
    ("notice_of", "truth", "why"),
    [
        (Concern.AT_RISK, Concern.AT_RISK, None),
        (Concern.RECOVERED, Concern.RECOVERED, None),
        (Concern.AT_RISK, Concern.RECOVERED, Reason.PROMISE_RECOVERED),
        (Concern.RECOVERED, Concern.AT_RISK, Reason.PROMISE_AT_RISK),
        (Concern.AT_RISK, Concern.NONE, Reason.PROMISE_ENDED),
        (Concern.RECOVERED, Concern.NONE, Reason.PROMISE_ENDED),
    ],
)
def test_why_a_notice_is_not_true(notice_of: Concern, truth: Concern, why: Reason | None) -> None:
    assert untrue(notice_of, news(6, truth)) == why


def test_a_recovery_tells_the_date_that_was_promised() -> None:
    assert recovery(FRIDAY) == FRIDAY | {"new_date": FRIDAY["old_date"], "reason": ""}


@pytest.mark.parametrize(
    ("why", "concern", "says"),
    [
        ("", Concern.AT_RISK, MONDAY),
        (Reason.PROMISE_AT_RISK, Concern.AT_RISK, MONDAY),
        (Reason.PROMISE_RECOVERED, Concern.RECOVERED, recovery(MONDAY)),
    ],
)
def test_what_was_heard_meanwhile_is_what_it_was_to_say(
    why: str, concern: Concern, says: dict[str, str]
) -> None:
    ended = replace(notice(State.SENT), heard_version=7)
    assert meanwhile(ended, why, MONDAY) == news(7, concern, says)


def test_the_newest_counts_of_what_was_told_or_may_have_been() -> None:
    waiting, untold = notice(State.REQUESTED), notice(State.FAILED)
    perhaps, told = notice(State.UNKNOWN), notice(State.SENT)
    before = [waiting, untold, perhaps, told]
    assert recount(before) == [told]
    assert [each.superseded for each in before] == [False, False, False, True]
    perhaps.state = State.FAILED
    assert recount(before) == [told]
    assert not told.superseded
    waiting.in_doubt = True
    assert recount(before) == [told]
    assert told.superseded
