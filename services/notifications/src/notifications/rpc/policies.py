"""NoticePolicyService: which facts lead to which notices, and whom they would have led to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import grpc
from google.protobuf.empty_pb2 import Empty

from chassis.api.checks import Rules
from chassis.api.messages import moment, timestamp, to_message
from chassis.api.pages import Page, paged
from chassis.api.wellknown import time_of
from chassis.auth.permissions import require
from chassis.context import current_call
from chassis.errors import Unavailable, invalid
from chassis.events.past import Past, Read
from chassis.events.registry import source_of
from chassis.grpc.methods import change, get, listing
from chassis.grpc.status import refusal
from chassis.servicer import Rpc
from notifications.domain.customer_date import CustomerDate, filter_of
from notifications.domain.policy import NoticePolicy
from notifications.domain.pressure import Budget
from notifications.domain.strategy import DeliveryStrategy as Delivery
from notifications.domain.template import Template
from notifications.names import POLICY
from notifications.peers.asking import allowances
from notifications.peers.selection import Selection
from notifications.rpc.checks import check_delivery
from notifications.store import tables as store
from notifications.store.triggers import POLICIES_ON_EVENTS
from notifications.usecases import policy, preview
from notifications.usecases.conditions import require_sound
from notifications.usecases.customer_dates import followed_before
from notifications.usecases.event_types import event_message, event_types
from notifications.usecases.policy import draft_of, read_template, require_template
from notifications.usecases.preview import Outcome, Row
from notifications.usecases.trigger import in_force
from notifications.usecases.walk import first_day, telling_on
from rapport.customer.v1 import consent_service_pb2
from rapport.notifications.v1 import notice_policy_pb2
from rapport.notifications.v1 import notice_policy_service_pb2 as pb
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceServicer
from rapport.notifications.v1.trigger_event_pb2 import TriggerEvent

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub

_NOT_LISTED = "Whose date it is cannot be asked now. Try again."
_DAYS = 7  # that are looked at of customers' dates
_SPAN = timedelta(days=1)
_TICK = timedelta(microseconds=1)


class PolicyRpc(Rpc, NoticePolicyServiceServicer):
    """Policies in versions, and what one would do."""

    rules: ClassVar[Rules] = {DeliveryStrategy: check_delivery}

    past: Past
    selection: Selection
    consents: ConsentServiceAsyncStub
    channels: Sequence[str]  # on which notices are sent, best first
    budget: Budget  # of messages that can wait

    CreateNoticePolicy = change(
        pb.CreateNoticePolicyRequest, policy.create_policy, notice_policy_pb2.NoticePolicy
    )
    GetNoticePolicy = get(POLICY, store.GET_POLICY, notice_policy_pb2.NoticePolicy, store.POLICY_AT)
    ListNoticePolicies = listing(pb.ListNoticePoliciesResponse, store.LIST_POLICIES)
    UpdateNoticePolicy = change(
        pb.UpdateNoticePolicyRequest, policy.update_policy, notice_policy_pb2.NoticePolicy
    )
    DeleteNoticePolicy = change(pb.DeleteNoticePolicyRequest, policy.delete_policy, Empty)

    async def ListTriggerEvents(
        self, request: pb.ListTriggerEventsRequest, context: Any
    ) -> pb.ListTriggerEventsResponse:
        """What a policy may name."""
        found, token = await paged(Page(request, str), event_types(), lambda each: (each.event_type,), _as_is)
        return pb.ListTriggerEventsResponse(trigger_events=found, next_page_token=token)

    async def PreviewNoticePolicy(
        self, request: pb.PreviewNoticePolicyRequest, context: Any
    ) -> pb.PreviewNoticePolicyResponse:
        """Whom a policy would have told."""
        tried = self._tried(request.notice_policy)
        template, texts = await read_template(self.db, tried.template_id)
        await asyncio.to_thread(require_template, template, texts, tried)
        if tried.customer_date:
            rows, more = await self._coming(tried, tried.customer_date, request), None
        else:
            rows, more = await self._happened(tried, request)
        rows, category = await self._allowed(rows, template, tried.delivery)
        if not template.urgent and not template.essential:
            rows = preview.pressed(rows, self.budget.of(category))
        return pb.PreviewNoticePolicyResponse(
            looked_at_count=len(rows),
            counts=[to_message(pb.PreviewNoticePolicyResponse.Count, each) for each in preview.counted(rows)],
            rows=[to_message(pb.PreviewNoticePolicyResponse.Row, each) for each in rows[: preview.ROWS_MAX]],
            next_start_time=timestamp(more) if more else None,
        )

    async def _happened(
        self, tried: NoticePolicy, request: pb.PreviewNoticePolicyRequest
    ) -> tuple[list[Row], datetime | None]:
        """What would have come of the events of a time, and from when on there are more."""
        start, end = self._span(request)
        own = await self._past(tried.event_type, start, end, preview.EVENTS_MAX)
        now = self.db.clock.now()
        others = in_force(await POLICIES_ON_EVENTS.all(self.db, since=now, until=now), now)
        rows = preview.rehearse(tried, others, own.events)
        return await self._by_what_followed(tried, rows, start), own.more

    async def _coming(
        self, tried: NoticePolicy, told: CustomerDate, request: pb.PreviewNoticePolicyRequest
    ) -> list[Row]:
        """Whose dates come in the next days, as whoever asks may read customers."""
        for field in ("start_time", "end_time"):
            if request.HasField(field):
                raise invalid(field, "INVALID_TIME", "must be absent: the next 7 days are looked at")
        rows, first = list[Row](), first_day(tried, self.db.clock.now())
        for day in (first + timedelta(days=n) for n in range(_DAYS)):
            on, _ = telling_on(tried, day)
            try:
                found = await self.selection.first(filter_of(on), preview.EVENTS_MAX - len(rows))
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                    raise refusal(error) from None
                raise Unavailable("CUSTOMERS_NOT_ASKED", _NOT_LISTED) from error
            rows += [preview.on_date(told, each.name, each.effective_time_zone, on) for each in found]
        if rival := await followed_before(self.db, tried):
            rows = [row.but("merged", by=rival.name) for row in rows]
        return rows

    def _tried(self, sent: notice_policy_pb2.NoticePolicy) -> NoticePolicy:
        """The policy as it would be; of the caller's department when it does not say of which.

        PermissionDenied NOT_OWNER of another's, which hears what the caller's own would not.
        """
        draft, named = draft_of(sent), POLICY.match(sent.name)
        principal = current_call.get().principal
        owner = draft.department_id or principal.department
        if not owner:
            raise invalid("notice_policy.department", "REQUIRED", "must be given by who works for none")
        tried = draft.policy(named[0] if named else "", owner, self.db.clock.now())
        require(self.db.service, principal, [tried])
        require_sound(tried)
        if tried.of_promises:
            told = "must be another event: what is told of a promise is decided by the promise as it is then"
            raise invalid("notice_policy.event_type", "INVALID_CODE", told)
        return tried

    def _span(self, request: pb.PreviewNoticePolicyRequest) -> tuple[datetime, datetime]:
        end = time_of(request, "end_time") or self.db.clock.now()
        start = time_of(request, "start_time") or end - _SPAN
        if start >= end:
            raise invalid("start_time", "INVALID_TIME", "must be before end_time")
        return start, end

    async def _past(self, name: str, start: datetime, end: datetime, at_most: int) -> Read:
        message = event_message(name, "notice_policy.event_type")
        return await self.past.read(source_of(message), message, start, end, at_most)

    async def _by_what_followed(self, tried: NoticePolicy, rows: Sequence[Row], start: datetime) -> list[Row]:
        """By what happened until each would have been sent, as far as that can be read."""
        times = [row.schedule_time for row in rows if row.schedule_time is not None]
        until = min(max(times, default=start), self.db.clock.now()) + _TICK
        if until <= start:
            return list(rows)
        names = list(dict.fromkeys((tried.event_type, *tried.cancel_event_types)))
        room = preview.FOLLOWING_MAX // len(names)
        reads = [await self._past(name, start, until, room) for name in names]
        known = min((each.more for each in reads if each.more), default=None)
        return preview.after(tried, rows, [event for each in reads for event in each.events], known)

    async def _allowed(
        self, rows: Sequence[Row], template: Template, delivery: Delivery | None
    ) -> tuple[list[Row], str]:
        """By what each customer allows now, asked once each, as when it is sent; the purpose's category."""
        asked = list(dict.fromkeys(row.customer for row in rows if row.outcome is Outcome.TOLD))
        said = await allowances(self.db.service, self.consents, asked, template, delivery, self.channels)
        answers = dict(zip(asked, said, strict=True))
        judged = [_judged(row, answers[row.customer]) if row.outcome is Outcome.TOLD else row for row in rows]
        return judged, next((each.category for each in said if each.category), "")


async def _as_is(found: Sequence[TriggerEvent]) -> Sequence[TriggerEvent]:
    return found


def _judged(row: Row, answer: consent_service_pb2.CheckContactResponse) -> Row:
    row = row.there(answer.time_zone)
    if answer.allowed:
        return row
    if answer.HasField("open_time"):
        waits = row.but(answer.reason_code, Outcome.DEFERRED)
        return waits.until(moment(answer.open_time))
    return row.but(answer.reason_code)
