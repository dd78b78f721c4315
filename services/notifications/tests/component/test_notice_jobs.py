"""One message to many customers: each once, at a rate, paused, resumed, given up."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis.api.messages import moment, timestamp, value_name
from chassis.errors import InvalidArgument, PermissionDenied, Unavailable, invalid
from chassis.grpc.status import refusal
from notifications.usecases import words
from notifications.usecases.notice_job import measure_jobs
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1 import notice_job_service_pb2 as pb
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.notice_job_service_pb2_grpc import NoticeJobServiceStub
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport_testing.running import error_of, reason
from rapport_testing.wait import eventually
from services.notifications.tests.component.merging import another_name

CUSTOMERS = "rapport_notice_job_customers_total"
MINUTE = timedelta(minutes=1)
DEPOT = Template.Variable(name="depot", impersonal=True)
HELLO = TemplateText(subject="Hello {{ depot }}", body="{{ contact_name }} of {{ company_name }} says hello.")


class Jobs:
    """What is done with jobs, in words."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.known = desk, desk.peers.profiles.known
        self.service: Any = desk.running.stub(NoticeJobServiceStub)

    def customers(self, count: int) -> list[str]:
        names = [f"customers/{uuid4()}" for _ in range(count)]
        self.are_known(*names)
        return names

    def are_known(self, *names: str) -> None:
        now = timestamp(self.desk.clock.now() - MINUTE)
        self.known |= {name: Customer(name=name, create_time=now) for name in names}

    def job(self, **fields: Any) -> NoticeJob:
        own = {
            "department": "departments/delivery",
            "filter": 'region_code = "DE"',
            "kind": "closing",
            "template": "templates/closing",
            "variables": {"depot": "Kiel"},
        }
        return NoticeJob(**own | fields)

    async def create(self, **fields: Any) -> NoticeJob:
        request = pb.CreateNoticeJobRequest(notice_job=self.job(**fields))
        job: NoticeJob = await self.service.CreateNoticeJob(request)
        return job

    async def get(self, job: NoticeJob) -> NoticeJob:
        found: NoticeJob = await self.service.GetNoticeJob(pb.GetNoticeJobRequest(name=job.name))
        return found

    async def became(self, job: NoticeJob) -> list[tuple[str, str, int]]:
        """Of how many notices what became, and why."""
        found = await self.service.ReportNoticeJob(pb.ReportNoticeJobRequest(name=job.name))
        assert found.notice_count == sum(each.notice_count for each in found.reasons)
        return [(value_name(each, "state"), each.reason_code, each.notice_count) for each in found.reasons]

    async def reached(self, job: NoticeJob, state: str, seen: int) -> NoticeJob:
        async def found() -> NoticeJob | None:
            now = await self.get(job)
            return now if (value_name(now, "state"), seen_by(now)) == (state, seen) else None

        reached = await eventually(found)
        assert reached is not None
        return reached

    async def results(self, job: NoticeJob, filter: str = "") -> dict[str, tuple[str, str]]:
        request = pb.ListNoticeJobResultsRequest(parent=job.name, filter=filter)
        listed = (await self.service.ListNoticeJobResults(request)).notice_job_results
        return {each.customer: (each.notice, each.reason) for each in listed}

    async def notices_to(self, customer: str) -> list[Notice]:
        request = ListNoticesRequest(filter=f"customer = {customer}")
        return list((await self.desk.notices.ListNotices(request)).notices)


def seen_by(job: NoticeJob) -> int:
    return int(job.requested_count + job.refused_count)


@pytest.fixture
async def jobs(desk: Any) -> Jobs:
    await desk.create_template("closing", HELLO, variables=[DEPOT])
    return Jobs(desk)


async def test_each_customer_is_sent_one_by_and_by_as_the_department(jobs: Jobs) -> None:
    customers = jobs.customers(3)
    job = await jobs.create(rate_per_minute=2)
    running = await jobs.reached(job, "RUNNING", 2)
    assert running.author == "agents/alice"
    jobs.desk.clock.advance(MINUTE)
    done = await jobs.reached(job, "DONE", 3)
    assert (done.requested_count, moment(done.end_time)) == (3, jobs.desk.clock.now())
    results = await jobs.results(job)
    assert set(results) == set(customers)
    for customer, (name, why) in results.items():
        [notice] = await jobs.notices_to(customer)
        assert (notice.name, why) == (name, "")
        assert (notice.kind, notice.department) == ("closing", "departments/delivery")
        await jobs.desk.sent(name)
    assert len(jobs.desk.mail.accepted) == 3
    assert await jobs.became(job) == [("SENT", "", 3)]
    [created] = await jobs.desk.told("NoticeJobCreated")
    assert {each.causation_id for each in await jobs.desk.told("NoticeRequested")} == {created.id}
    [ended] = await jobs.desk.told("NoticeJobEnded")
    assert (value_name(ended.data, "state"), ended.data.requested_count) == ("DONE", 3)
    assert {*jobs.desk.peers.profiles.filters} == {job.filter}


async def test_what_is_paused_goes_no_further_until_it_is_resumed(jobs: Jobs) -> None:
    jobs.customers(3)
    job = await jobs.create(rate_per_minute=1)
    await jobs.reached(job, "RUNNING", 1)
    pause = pb.PauseNoticeJobRequest(name=job.name)
    paused = await jobs.service.PauseNoticeJob(pause)
    assert (value_name(paused, "state"), paused.reason_code) == ("PAUSED", "")
    assert await jobs.service.PauseNoticeJob(pause) == paused
    other = await jobs.create(filter="", rate_per_minute=3)
    jobs.desk.clock.advance(2 * MINUTE)
    await jobs.reached(other, "DONE", 3)
    assert seen_by(await jobs.get(job)) == 1
    resumed = await jobs.service.ResumeNoticeJob(pb.ResumeNoticeJobRequest(name=job.name))
    assert (value_name(resumed, "state"), resumed.reason_code) == ("RUNNING", "")
    await jobs.reached(job, "RUNNING", 2)
    jobs.desk.clock.advance(MINUTE)
    done = await jobs.reached(job, "DONE", 3)
    assert await jobs.service.ResumeNoticeJob(pb.ResumeNoticeJobRequest(name=job.name)) == done


@pytest.mark.parametrize("is_paused", [True, False])
async def test_what_is_given_up_has_ended_and_tells_nobody_more(jobs: Jobs, is_paused: bool) -> None:
    jobs.customers(2)
    job = await jobs.create(rate_per_minute=1)
    await jobs.reached(job, "RUNNING", 1)
    if is_paused:
        await jobs.service.PauseNoticeJob(pb.PauseNoticeJobRequest(name=job.name))
    cancel = pb.CancelNoticeJobRequest(name=job.name)
    ended = await jobs.service.CancelNoticeJob(cancel)
    assert (value_name(ended, "state"), ended.reason_code) == ("CANCELLED", "")
    assert moment(ended.end_time) == jobs.desk.clock.now()
    assert await jobs.service.CancelNoticeJob(cancel) == ended
    for act in (pb.PauseNoticeJobRequest, pb.ResumeNoticeJobRequest):
        assert await getattr(jobs.service, act.DESCRIPTOR.name[:-7])(act(name=job.name)) == ended
    [told] = await jobs.desk.told("NoticeJobEnded")
    assert (value_name(told.data, "state"), told.data.requested_count) == ("CANCELLED", 1)
    jobs.desk.clock.advance(2 * MINUTE)
    await jobs.reached(await jobs.create(filter="", rate_per_minute=2), "DONE", 2)
    assert await jobs.get(job) == ended


async def test_who_was_merged_is_told_by_one_of_their_names(jobs: Jobs) -> None:
    one, other = jobs.desk.customer, await another_name(jobs.desk)
    jobs.are_known(other, one)
    job = await jobs.create(rate_per_minute=1)  # a step for each name
    await jobs.reached(job, "RUNNING", 1)
    jobs.desk.clock.advance(MINUTE)
    await jobs.reached(job, "DONE", 1)
    assert set(await jobs.results(job)) == {one}


async def test_who_is_sent_none_is_listed_with_the_reason(jobs: Jobs) -> None:
    [customer] = jobs.customers(1)
    for _ in range(jobs.desk.running.app.settings.notices_per_customer):
        await jobs.desk.send(_notice(customer))
    job = await jobs.create()
    done = await jobs.reached(job, "DONE", 1)
    assert (done.requested_count, done.refused_count) == (0, 1)
    assert await jobs.results(job, 'reason = "TOO_MANY_NOTICES"') == {customer: ("", "TOO_MANY_NOTICES")}


def _notice(customer: str) -> Notice:
    return Notice(customer=customer, kind="x", template="templates/closing", variables={"depot": "Kiel"})


async def test_a_filter_that_is_none_is_refused_and_later_blocks_the_job(jobs: Jobs) -> None:
    later = timestamp(jobs.desk.clock.now() + MINUTE)
    job = await jobs.create(schedule_time=later)
    jobs.desk.peers.profiles.refusal = invalid("filter", "INVALID_FILTER", "must be one")
    preview = jobs.service.PreviewNoticeJob(pb.PreviewNoticeJobRequest(notice_job=jobs.job()))
    for asked in (preview, jobs.create()):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked
        found = refusal(refused.value)
        assert isinstance(found, InvalidArgument)
        [told] = found.violations
        assert (told.field, told.reason) == ("notice_job.filter", "INVALID_FILTER")
        assert told.description == "must be one that ListCustomers takes: must be one"
    jobs.desk.clock.advance(MINUTE)
    assert (await jobs.reached(job, "BLOCKED", 0)).reason_code == "invalid-filter"


async def test_while_customers_cannot_be_asked_a_job_waits_and_is_blocked_at_last(jobs: Jobs) -> None:
    jobs.customers(1)
    jobs.desk.peers.profiles.refusal = Unavailable("DOWN", "for now")
    job = await jobs.create()
    jobs.desk.clock.advance(timedelta(days=30))
    assert (await jobs.reached(job, "BLOCKED", 0)).reason_code == "customers-not-asked"
    jobs.desk.peers.profiles.refusal = None
    await jobs.service.ResumeNoticeJob(pb.ResumeNoticeJobRequest(name=job.name))
    await jobs.reached(job, "DONE", 1)


async def test_what_is_of_no_more_use_ends(jobs: Jobs) -> None:
    jobs.customers(3)
    soon = timestamp(jobs.desk.clock.now() + MINUTE)
    job = await jobs.create(rate_per_minute=1, expire_time=soon)
    await jobs.reached(job, "RUNNING", 1)
    jobs.desk.clock.advance(MINUTE)
    await jobs.reached(job, "DONE", 1)


async def test_words_that_cannot_be_said_any_more_block_the_job_which_goes_on_when_they_can(
    jobs: Jobs,
) -> None:
    customers = jobs.customers(3)
    job = await jobs.create(rate_per_minute=1)
    await jobs.reached(job, "RUNNING", 1)
    text = "templates/closing/texts/en"
    await jobs.desk.update_template(
        "closing", variables=[DEPOT, Template.Variable(name="day", impersonal=True)]
    )
    await jobs.desk.update_text(text, body="{{ contact_name }} says hello on {{ day }}.")
    jobs.desk.clock.advance(MINUTE)
    blocked = await jobs.reached(job, "BLOCKED", 1)
    assert (blocked.reason_code, blocked.refused_count) == ("invalid-words", 0)
    came = REGISTRY.get_sample_value(CUSTOMERS, {"outcome": "requested"}) or 0.0
    await measure_jobs(jobs.desk.running.db)
    assert [states("running"), states("paused"), states("blocked")] == [0, 0, 1]
    await jobs.desk.update_text(text, body='{{ contact_name }} says hello on {{ day | default("Monday") }}.')
    await jobs.service.ResumeNoticeJob(pb.ResumeNoticeJobRequest(name=job.name))
    await jobs.reached(job, "RUNNING", 2)
    jobs.desk.clock.advance(MINUTE)
    await jobs.reached(job, "DONE", 3)
    assert [len(await jobs.notices_to(each)) for each in customers] == [1, 1, 1]
    assert REGISTRY.get_sample_value(CUSTOMERS, {"outcome": "requested"}) == came + 2
    await measure_jobs(jobs.desk.running.db)
    assert [states("running"), states("paused"), states("blocked")] == [0, 0, 0]


def states(state: str) -> float | None:
    return REGISTRY.get_sample_value("rapport_notice_jobs", {"state": state})


async def test_words_are_looked_at_once_for_many_customers(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, rehearse = list[str](), words.rehearse

    def counted(template: Any, *given: Any) -> None:
        looked.append(template.id)
        rehearse(template, *given)

    jobs.customers(20)
    monkeypatch.setattr(words, "rehearse", counted)
    await jobs.reached(await jobs.create(), "DONE", 20)
    assert looked == ["closing", "closing"]  # as it was created, and as its one step was taken


async def test_a_preview_says_how_many_whom_not_and_what_they_read(jobs: Jobs) -> None:
    customers = jobs.customers(25)
    request = pb.PreviewNoticeJobRequest(notice_job=jobs.job())
    seen = await jobs.service.PreviewNoticeJob(request)
    assert (seen.customer_count, list(seen.customers)) == (25, customers[:20])
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [("", 25)]
    assert seen.customers_asked
    [sample] = seen.samples
    assert (sample.language_code, sample.subject, sample.customer_count) == ("en", "Hello Kiel", 25)
    assert sample.body == "[contact_name] of Acme says hello."
    jobs.desk.peers.customers.answer = CheckContactResponse(allowed=False, reason_code="consent-denied")
    seen = await jobs.service.PreviewNoticeJob(request)
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [("consent-denied", 25)]
    assert list(seen.samples) == []
    jobs.desk.peers.customers.answer = CheckContactResponse(
        allowed=True, channel=channel_pb2.CHANNEL_EMAIL, language_code="en"
    )
    jobs.desk.peers.customers.absent = customers[1]  # gone since the page was read
    seen = await jobs.service.PreviewNoticeJob(request)
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [
        ("", 24),
        ("customer-not-found", 1),
    ]
    jobs.desk.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    seen = await jobs.service.PreviewNoticeJob(request)
    assert (seen.customers_asked, [(each.subject, each.customer_count) for each in seen.samples]) == (
        False,
        [("Hello Kiel", 0)],
    )
    assert await jobs.desk.told("NoticeRequested") == []


@pytest.mark.parametrize("texting", [{}])
async def test_a_preview_reaches_nobody_on_a_channel_on_which_nothing_is_sent(
    jobs: Jobs, texting: dict[str, str]
) -> None:
    jobs.customers(1)
    jobs.desk.peers.customers.answer.channel = channel_pb2.CHANNEL_SMS
    seen = await jobs.service.PreviewNoticeJob(pb.PreviewNoticeJobRequest(notice_job=jobs.job()))
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [("no-address", 1)]
    by = DeliveryStrategy(channels=[channel_pb2.CHANNEL_SMS])
    seen = await jobs.service.PreviewNoticeJob(pb.PreviewNoticeJobRequest(notice_job=jobs.job(delivery=by)))
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [("channel-not-served", 1)]


async def test_by_its_own_channels_alone_people_are_reached(jobs: Jobs) -> None:
    jobs.customers(1)
    by = DeliveryStrategy(channels=[channel_pb2.CHANNEL_SMS])
    request = pb.PreviewNoticeJobRequest(notice_job=jobs.job(delivery=by))
    seen = await jobs.service.PreviewNoticeJob(request)
    assert [(each.reason_code, each.customer_count) for each in seen.counts] == [("no-address", 1)]
    job = await jobs.reached(await jobs.create(delivery=by), "DONE", 1)
    assert job.delivery == by
    [(name, _)] = (await jobs.results(job)).values()
    assert (await jobs.desk.reached(name, "SUPPRESSED")).delivery == by
    assert await jobs.became(job) == [("SUPPRESSED", "no-address", 1)]
    wrong = jobs.create(delivery=DeliveryStrategy(channels=[channel_pb2.CHANNEL_FAX]))
    assert await jobs.desk.violations(wrong) == {"notice_job.delivery.channels[0]": "INVALID_ENUM"}


async def test_one_that_is_scheduled_begins_then_with_who_is_there_then(jobs: Jobs) -> None:
    later = jobs.desk.clock.now() + 60 * MINUTE
    job = await jobs.create(schedule_time=timestamp(later))
    jobs.customers(1)
    for act in (pb.PauseNoticeJobRequest, pb.ResumeNoticeJobRequest):  # which does not begin before it
        await getattr(jobs.service, act.DESCRIPTOR.name.removesuffix("Request"))(act(name=job.name))
    await jobs.reached(await jobs.create(), "DONE", 1)
    assert seen_by(await jobs.get(job)) == 0
    jobs.desk.clock.advance(60 * MINUTE)
    there = jobs.customers(1)
    jobs.known[there[0]].create_time.CopyFrom(timestamp(later - timedelta(microseconds=1)))
    after = jobs.customers(1)
    jobs.known[after[0]].create_time.CopyFrom(timestamp(later))
    await jobs.reached(job, "DONE", 2)
    assert not {*after} & {*await jobs.results(job)}
    over = jobs.create(schedule_time=timestamp(later + MINUTE), expire_time=timestamp(later + MINUTE))
    assert await jobs.desk.violations(over) == {"notice_job.expire_time": "INVALID_TIME"}


async def test_who_may_not_read_customers_is_not_told_of_them(jobs: Jobs) -> None:
    jobs.desk.peers.profiles.refusal = PermissionDenied("PERMISSION_DENIED", "not yours")
    request = pb.PreviewNoticeJobRequest(notice_job=jobs.job())
    for asked in (jobs.service.PreviewNoticeJob(request), jobs.create()):
        error = await error_of(asked)
        assert (error.code().name, reason(error)) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    jobs.desk.peers.profiles.refusal = Unavailable("DOWN", "for now")
    jobs.service = jobs.desk.running.stub(NoticeJobServiceStub, ["notifications.*"])
    assert reason(await error_of(jobs.create())) == "PERMISSION_DENIED"


async def test_what_cannot_be_said_is_refused_before_anybody_is_told(jobs: Jobs) -> None:
    wrong = await jobs.desk.violations(jobs.create(variables={"depot": "Kiel", "else": "x"}))
    assert wrong == {"notice_job.variables[else]": "VARIABLE_UNKNOWN"}
    error = await error_of(jobs.create(template="templates/delay", variables={}))
    assert reason(error) == "TEMPLATE_NOT_SENDABLE"
