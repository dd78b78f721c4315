"""What the desk says of a message to many, before it goes and while it does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.errors import InvalidArgument
from desk.pages.notice_jobs import form, view
from desk.pages.trying import Typed
from desk.ui.speech import Speech, speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.notice_job_service_pb2 import NoticeJobReport, PreviewNoticeJobResponse

Count, Sample = PreviewNoticeJobResponse.Count, PreviewNoticeJobResponse.Sample
ERIKA, GONE = "customers/erika", "customers/gone"
SAY: Speech = speech("en-GB", "Europe/Vienna", datetime(2026, 3, 2, 9, tzinfo=UTC))


def names(name: str) -> str:
    return name.removeprefix("agents/").title()


def test_it_says_how_many_who_not_and_why_and_what_they_would_read() -> None:
    seen = view.previewed(
        PreviewNoticeJobResponse(
            customer_count=3,
            customers=[ERIKA, GONE],
            counts=[Count(customer_count=2), Count(reason_code="no-address", customer_count=1)],
            samples=[Sample(language_code="de", subject="Zu", body="Wir schließen.", customer_count=2)],
            customers_asked=True,
        ),
        {ERIKA: Customer(name=ERIKA, display_name="Erika Sommer")},
        SAY,
    )
    assert (seen["told"], seen["is_part"]) == ("3 customers", False)
    assert [(count, bool(why)) for count, why in seen["counts"]] == [("2", False), ("1", True)]
    assert seen["first"] == [(ERIKA, "Erika Sommer"), ("", "nobody we know")]
    assert [(each["language"], each["read"]) for each in seen["samples"]] == [
        ("German", "2 of them read this.")
    ]


def test_more_than_are_counted_are_said_to_be_more_and_that_some_alone_were_asked_about() -> None:
    counts = [Count(customer_count=100)]
    answer = PreviewNoticeJobResponse(customer_count=1001, counts=counts, customers_asked=True)
    seen = view.previewed(answer, {}, SAY)
    assert (seen["told"], seen["checked"], seen["is_part"]) == ("more than 1,000 customers", 100, True)


def test_days_begin_and_end_where_the_reader_is_and_all_that_is_chosen_holds_at_once() -> None:
    typed = {"region": "de", "manager": "alice", "prospect": "no"}
    typed |= {"birthday": "02-29", "since": "2026-01-01"}
    typed |= {"template": "templates/closing", "v-depot": "Kiel", "v-none": " "}
    job = form.job_of(Typed(typed | {"first": "2026-03-04", "last": "2026-03-05"}, {}), SAY)
    assert job.filter == (
        'region_code = "DE" AND relationship_manager = "agents/alice" AND prospect = false'
        ' AND birthday = "02-29" AND create_time >= "2026-01-01T00:00:00+01:00"'
    )
    assert (job.kind, dict(job.variables)) == ("closing", {"depot": "Kiel"})
    assert job.schedule_time.ToJsonString() == "2026-03-03T23:00:00Z"
    assert job.expire_time.ToJsonString() == "2026-03-05T23:00:00Z"
    told = view.which(job.filter, names, SAY)  # type: ignore[arg-type]
    assert told == (
        "customers, in Germany, whom Alice looks after, who bought something, whose birthday is 29 Feb,"
        " known since Thu 1 Jan"
    )
    assert view.agents(job.filter) == {"agents/alice"}
    today = form.job_of(Typed(typed | {"first": "2026-03-02"}, {}), SAY)
    assert (today.HasField("schedule_time"), view.when(today, SAY)) == (False, ["at once"])
    assert view.when(NoticeJob(name="noticeJobs/begun"), SAY) == []
    assert view.which("", names, SAY) == "all customers"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"region": "Germany"}, "region"),
        ({"manager": "a b"}, "manager"),
        ({"birthday": "02-30"}, "birthday"),
        ({"last": "soon"}, "last"),
        ({"first": "2026-03-01"}, "first"),  # it is over
    ],
)
def test_what_is_none_is_refused_at_its_field(typed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        form.job_of(Typed({"template": "templates/closing", **typed}, {}), SAY)
    assert [each.field for each in refused.value.violations] == [field]


def test_a_job_says_of_how_many_it_was_sent_waits_or_was_not_sent_and_why() -> None:
    report = NoticeJobReport()
    for state, why, count in (("SENT", "", 1200), ("REQUESTED", "", 3), ("SUPPRESSED", "consent-denied", 2)):
        report.reasons.add(state=f"NOTICE_STATE_{state}", reason_code=why, notice_count=count)
    assert view.outcomes(report, SAY) == [
        ("1,200", "was sent", "ok", ""),
        ("3", "waits", "", ""),
        ("2", "was not sent", "no", SAY.code("consent-denied")),
    ]
