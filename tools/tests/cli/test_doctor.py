"""What `rapport doctor` makes of the backlog of a service."""

from datetime import UTC, datetime, timedelta

from chassis.api.messages import timestamp
from rapport.common.v1 import states_pb2
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.operations.v1 import operations_pb2
from rapport_tools.cli.doctor import blocked, troubles, unavailable

PARKED, DEAD = states_pb2.SET_ASIDE_STATE_PARKED, states_pb2.SET_ASIDE_STATE_DEAD


def said(**backlog):
    found = list(troubles("loyalty", operations_pb2.Backlog(**backlog)))
    assert all(finding.do for finding in found)
    return [finding.what for finding in found]


def aside(state, error, count):
    return operations_pb2.SetAside(
        consumer="services/loyalty/consumers/loyalty-cases", state=state, error=error, event_count=count
    )


def test_nothing_is_wrong_with_facts_on_their_way():
    just_now = timestamp(datetime.now(UTC))
    assert said(unpublished_fact_count=1, oldest_unpublished_time=just_now) == []


def test_facts_that_wait_and_timers_that_do_not_fire_are_named():
    long_ago = timestamp(datetime.now(UTC) - timedelta(hours=1))
    found = said(unpublished_fact_count=3, oldest_unpublished_time=long_ago, overdue_timer_count=2)
    assert found == [
        "3 facts of loyalty: not published for 1 h.",
        "2 timers of loyalty: due for more than a minute.",
    ]


def test_parked_and_dead_events_and_those_of_a_newer_release_are_named():
    events = [aside(DEAD, "Malformed", 1), aside(PARKED, "", 2), aside(PARKED, "Aborted", 3)]
    assert said(set_aside=events) == [
        "loyalty-cases gave up on 1 event (Malformed).",
        "loyalty-cases keeps 2 events of a type that loyalty does not know.",
        "loyalty-cases has set aside 3 events (Aborted).",
    ]


def test_work_that_waits_for_us_what_nobody_knows_and_what_is_not_done_are_named():
    work = operations_pb2.WorkBacklog(
        kind="send", alarm_count=1, alarm_code="535 5.7.8", unknown_count=1, overdue_count=1
    )
    assert said(work=[work]) == [
        "loyalty: 1 send wait for us to mend something: the other side says 535 5.7.8.",
        "loyalty: Of 1 send of the last day nobody knows whether they were done.",
        "loyalty: 1 send are due for more than a minute.",
    ]


def test_a_provider_that_takes_no_messages_is_named_with_what_waits_and_how_to_have_it_tried():
    away = Provider(
        name="providers/smtp",
        state=Provider.STATE_UNAVAILABLE,
        state_time=timestamp(datetime.now(UTC) - timedelta(hours=1)),
        last_error_code="no-connection",
        waiting_count=3,
    )
    well = Provider(name="providers/gateway", state=Provider.STATE_AVAILABLE)
    [found] = unavailable([well, away])
    assert found.what == "smtp has taken no messages for 1 h (no-connection): 3 notices waiting."
    assert """ProviderService.TryProvider '{"name": "providers/smtp"}'""" in found.do


def test_a_message_to_many_that_cannot_go_on_is_named_with_what_helps():
    long_ago = timestamp(datetime.now(UTC) - timedelta(hours=1))
    stuck = NoticeJob(name="noticeJobs/1", template="templates/a", reason_code="invalid-words")
    stuck.update_time.CopyFrom(long_ago)
    [found] = blocked([stuck])
    assert found.what == "noticeJobs/1 (templates/a) has not gone on for 1 h: invalid-words."
    assert """NoticeJobService.ResumeNoticeJob '{"name": "noticeJobs/1"}'` has it go on""" in found.do
