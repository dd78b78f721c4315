from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from chassis.facts import Decision, Outcome
from notifications.channels.mail import message_id
from notifications.domain.facts import NoticeFailed, NoticeSent, NoticeSuppressed, NoticeUnknown, ToldPromise
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.rank import FIRST, LAST, MIDDLE, rank_of
from notifications.domain.reasons import Reason
from notifications.domain.template import Text
from notifications.domain.told import end_fact
from notifications.jobs.gate import WAIT_MOST, patience

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = Text("delay", "en-gb", "en-GB", 3, "", "", "", {}, NOW)
NEW_DATE = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def notice() -> Notice:
    return Notice(
        id=UUID("0198c2d0-0000-7000-8000-000000000001"),
        customer="customers/0198c2d0-0000-7000-8000-000000000002",
        kind="promise-at-risk",
        purpose="purposes/service",
        template_id="delay",
        variables={"reason": "weather", "new_date": NEW_DATE.isoformat()},
        promise="promises/0198c2d0-0000-7000-8000-000000000003",
        case="",
        notice_policy_id="promise-at-risk",
        policy_version=1,
        promise_version=2,
        expire_time=NEW_DATE,
        create_time=NOW,
        update_time=NOW,
        request_event=UUID("0198c2d0-0000-7000-8000-000000000004"),
        concern=Concern.AT_RISK,
        heard_version=2,
    )


def test_a_notice_that_is_handed_over_is_being_sent(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    assert (notice.state, notice.attempt_count, notice.version) == (State.SENDING, 1, 2)


def test_what_is_urgent_or_of_a_promise_goes_first_and_what_many_are_sent_last(notice: Notice) -> None:
    single = replace(notice, concern=Concern.NONE, urgent=False, send_on="")
    assert rank_of(single, of_many=False) == MIDDLE
    assert (
        rank_of(single, of_many=True) == rank_of(replace(single, send_on="2026-03-02"), of_many=False) == LAST
    )
    assert rank_of(replace(single, urgent=True), of_many=True) == FIRST
    assert rank_of(replace(single, concern=Concern.AT_RISK), of_many=False) == FIRST
    waits = [patience(replace(single, rank=each)) for each in (FIRST, MIDDLE, LAST)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] == WAIT_MOST


def test_how_it_was_decided_is_kept_once_and_not_without_end(notice: Notice) -> None:
    def steps(hour: int, reason: str = "") -> list[Decision]:
        at = NOW + timedelta(hours=hour)
        return [Decision(step, Outcome.PASSED, reason, {}, at) for step in ("consent", "quiet")]

    notice.decide(steps(0))
    notice.decide(steps(1))
    notice.decide([])
    assert notice.decisions == steps(0)
    for hour in range(50):
        notice.decide(steps(hour, str(hour)))
    assert notice.decisions[:2] == steps(0)
    assert notice.decisions[-2:] == steps(49, "49")
    assert len(notice.decisions) == 40


def test_an_attempt_counts_once(notice: Notice) -> None:
    notice.tried(2)  # the first was deferred
    for again in (2, 1):
        notice.tried(again)
    assert (notice.attempt_count, notice.latest_attempt, notice.version) == (1, 2, 2)
    notice.attempt_count, notice.latest_number = 3, 0  # a row of before numbers were kept
    notice.tried(3)
    assert notice.attempt_count == 3


def test_what_was_only_requested_has_said_nothing(notice: Notice) -> None:
    assert (notice.said_version, notice.text_version, notice.attempt_count) == (0, 0, 0)


def test_every_change_is_a_new_version(notice: Notice) -> None:
    versions = [notice.version]
    for change in (
        lambda: notice.begin(1, "EMAIL", TEXT),
        notice.postpone,
        lambda: notice.revise(notice.variables, NEW_DATE, 3),
        lambda: notice.begin(2, "EMAIL", TEXT),
        lambda: notice.withdraw(Reason.PROMISE_RECOVERED),
        lambda: notice.accept(NOW, "abc"),
    ):
        change()
        versions.append(notice.version)
    assert versions == [1, 2, 3, 4, 5, 6, 7]


def test_every_attempt_to_say_the_same_has_the_same_key(notice: Notice) -> None:
    first = message_id(notice, "acme.example")
    notice.begin(1, "EMAIL", TEXT)
    notice.postpone()
    notice.begin(2, "EMAIL", TEXT)
    assert message_id(notice, "acme.example") == first == f"<{notice.id}@acme.example>"


def test_an_attempt_that_came_to_nothing_leaves_it_waiting(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.postpone()
    assert notice.waits
    before = replace(notice)
    notice.postpone()
    assert notice == before


@pytest.mark.parametrize(
    ("state", "fact"), [(State.SUPPRESSED, NoticeSuppressed), (State.FAILED, NoticeFailed)]
)
def test_a_notice_that_is_given_up_tells_how_and_why(notice: Notice, state: State, fact: type) -> None:
    notice.give_up(state, Reason.GAVE_UP)
    told = end_fact(notice)
    assert isinstance(told, fact)
    assert (notice.state, told.reason_code) == (state, "gave-up")
    before = replace(notice)
    notice.give_up(State.FAILED, Reason.REFUSED)
    assert notice == before


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.FAILED, State.UNKNOWN])
def test_what_may_have_been_accepted_ends_unknown(notice: Notice, state: State) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.in_doubt = True
    notice.give_up(state, Reason.GAVE_UP)
    told = end_fact(notice)
    assert isinstance(told, NoticeUnknown)
    assert (notice.state, told.reason_code) == (State.UNKNOWN, "gave-up")
    assert not notice.told


def test_an_answer_that_comes_late_ends_the_doubt(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.in_doubt = True
    notice.give_up(State.UNKNOWN, Reason.OUTCOME_UNKNOWN)
    refused = replace(notice, in_doubt=False)
    refused.give_up(State.FAILED, Reason.REFUSED)
    assert (refused.state, refused.reason_code) == (State.FAILED, "refused")
    not_accepted = replace(notice, in_doubt=False)
    not_accepted.postpone()
    assert (not_accepted.state, not_accepted.reason_code) == (State.REQUESTED, "")
    replaced = replace(notice, in_doubt=False)
    replaced.postpone(replaced=True)
    assert (replaced.state, replaced.reason_code) == (State.SUPPRESSED, "already-told")
    notice.accept(NOW, "abc")
    assert (notice.state, notice.reason_code) == (State.SENT, "")


def test_the_fact_of_sending_tells_the_date_the_reason_and_the_version_that_were_told(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.accept(NOW, "abc")
    fact = end_fact(notice)
    assert isinstance(fact, NoticeSent)
    assert (fact.channel, fact.language_code, fact.text_version) == ("EMAIL", "en-GB", 3)
    assert (fact.template, fact.notice_policy, fact.send_time) == (notice.template, notice.notice_policy, NOW)
    assert fact.told_promise == ToldPromise(
        promise=notice.promise,
        customer=notice.customer,
        promise_version=2,
        new_due_time=NEW_DATE,
        new_due_date=None,
        time_zone="",
        tell_time=NOW,
        reason_code="weather",
    )


def told_promise(notice: Notice) -> ToldPromise | None:
    notice.begin(1, "EMAIL", TEXT)
    notice.accept(NOW, "abc")
    fact = end_fact(notice)
    assert isinstance(fact, NoticeSent)
    return fact.told_promise


def test_a_day_is_told_as_a_day_with_the_moment_at_which_it_is_over_there(notice: Notice) -> None:
    notice.variables["new_date"], notice.time_zone = "2026-03-09", "Europe/Berlin"
    told = told_promise(notice)
    assert told is not None
    assert (told.new_due_date, told.time_zone) == (date(2026, 3, 9), "Europe/Berlin")
    assert told.new_due_time == datetime(2026, 3, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("concern", [Concern.NONE, Concern.RECOVERED])
def test_only_a_policys_notice_of_a_risk_tells_a_date_that_counts(notice: Notice, concern: Concern) -> None:
    notice.concern = concern
    assert told_promise(notice) is None


def test_what_a_superseded_notice_told_no_longer_counts(notice: Notice) -> None:
    notice.count(superseded=True)
    assert told_promise(notice) is None


def test_a_revision_has_a_key_of_its_own(notice: Notice) -> None:
    first = message_id(notice, "acme.example")
    notice.revise({"new_date": "2026-03-10T00:00:00+00:00"}, NEW_DATE + timedelta(days=1), 3)
    assert message_id(notice, "acme.example") == f"<{notice.id}.1@acme.example>" != first
    assert notice.expire_time == NEW_DATE + timedelta(days=1)


def test_what_was_sent_counts_even_when_it_was_revised_meanwhile(notice: Notice) -> None:
    said = notice.variables
    notice.begin(1, "EMAIL", TEXT)
    notice.revise({"new_date": "2026-03-10T00:00:00+00:00"}, NEW_DATE + timedelta(days=1), 3)
    notice.accept(NOW, "abc")
    assert (notice.variables, notice.promise_version, notice.heard_version) == (said, 2, 3)


def test_what_may_have_arrived_ends_as_it_was_when_it_was_revised_meanwhile(notice: Notice) -> None:
    said = notice.variables
    notice.begin(1, "EMAIL", TEXT)
    notice.revise({"new_date": "2026-03-10T00:00:00+00:00"}, NEW_DATE + timedelta(days=1), 3)
    notice.in_doubt = True
    notice.postpone()
    assert (notice.state, notice.reason_code, notice.variables) == (State.UNKNOWN, "outcome-unknown", said)


def test_what_was_withdrawn_and_is_true_again_is_sent(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.withdraw(Reason.PROMISE_RECOVERED)
    notice.revise(notice.variables, NEW_DATE, 4)
    notice.postpone()
    assert notice.waits


def test_a_notice_that_is_no_longer_true_is_suppressed(notice: Notice) -> None:
    notice.withdraw(Reason.PROMISE_ENDED)
    assert (notice.state, notice.reason_code) == (State.SUPPRESSED, "promise-ended")


def test_an_attempt_under_way_is_the_last_once_the_notice_is_no_longer_true(notice: Notice) -> None:
    notice.begin(1, "EMAIL", TEXT)
    notice.withdraw(Reason.PROMISE_ENDED)
    assert notice.state == State.SENDING
    refused = replace(notice)
    refused.give_up(State.FAILED, Reason.REFUSED)
    notice.postpone()
    for ended in (refused, notice):
        assert (ended.state, ended.reason_code) == (State.SUPPRESSED, "promise-ended")
