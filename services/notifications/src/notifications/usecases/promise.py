"""Telling customers what has become of what we promised, and no longer when that has changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.api import etags
from chassis.api.entities import write
from chassis.api.messages import date_of, enum_name, moment
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.facts import Decision, Outcome
from notifications.domain.news import News, Step, moot, next_steps, recount, recovery, steps, what_follows
from notifications.domain.notice import Concern, Notice
from notifications.domain.policy import CONCERNS
from notifications.domain.told import end_fact
from notifications.store import tables as store
from notifications.usecases.notice import queue, request_notice, save
from rapport.cases.v1 import promise_pb2
from rapport.common.v1 import states_pb2

_STATE = states_pb2.PromiseState.DESCRIPTOR
_LIVE = ("OPEN", "AT_RISK")


def news_of(promise: str, version: int, concern: Concern, data: Any) -> News:
    """The news in an event, or a promise: messages with the same names of fields."""
    variables = {}
    due_time = expire_time = moment(data.due_time)
    if concern != Concern.NONE:
        variables = {
            "reason": data.reason_code if concern == Concern.AT_RISK else "",
            "old_date": _date(data, "due"),
            "reference": data.reference,
        }
    if concern == Concern.AT_RISK:
        # Of use until the new date: who could not be told before the old one is better told late than never.
        variables["new_date"] = _date(data, "forecast")
        expire_time = moment(data.forecast_time)
    elif concern == Concern.RECOVERED:
        variables = recovery(variables)
    return News(
        promise,
        version,
        data.customer,
        data.case,
        concern,
        variables,
        expire_time,
        due_time,
        data.time_zone,
        data.department,
    )


def news_in(promise: promise_pb2.Promise) -> News:
    """The news that a promise is, as its owner shows it now. ValueError when its etag is none.

    A broken one can have a new date, but not be in time again.
    """
    concern, state = Concern.NONE, enum_name(_STATE, promise.state)
    if promise.HasField("forecast_time") and not promise.successor and state in (*_LIVE, "BROKEN"):
        concern = Concern.AT_RISK
    elif state in _LIVE:
        concern = Concern.RECOVERED
    return news_of(promise.name, etags.version_of(promise.etag), concern, promise)


def _date(data: Any, name: str) -> str:
    """A day where a day was promised, else a moment; RFC 3339."""
    if data.HasField(f"{name}_date"):
        return date_of(getattr(data, f"{name}_date")).isoformat()
    return moment(getattr(data, f"{name}_time")).isoformat()


Steps = list[tuple[Step, Notice | None]]


async def hear(tx: Transaction, news: News) -> None:
    """Do what news of a promise asks for. What is older than what was heard before asks for nothing."""
    before = await _locked(tx, news)
    todo = next_steps(before, news)
    if before and news.version > before[0].heard_version:
        before[0].heard_version = news.version
        await write(tx, store.UPDATE_NOTICE, before[0])
    await _act(tx, news, todo)


async def learn(tx: Transaction, notice_id: UUID, news: News) -> None:
    """Do what the owner of the promise says at the moment of sending, as if its event had come by now."""
    found = await _locked(tx, news)
    notice = next(notice for notice in found if notice.id == notice_id)
    if not notice.ended and news.version >= notice.heard_version:
        notice.heard_version = news.version
        await _act(tx, news, steps(found, news))


async def told_of_promise(tx: Transaction, notice: Notice) -> list[Notice]:
    """What policies told, or want to tell, of the promise of a locked notice; a department's, alone."""
    if notice.concern == Concern.NONE:
        return [notice]
    found = await store.LOCK_NOTICES_OF_PROMISE.all(tx, promise=notice.promise, customer=notice.customer)
    return [notice if each.id == notice.id else each for each in found]


async def follow_up(
    tx: Transaction, before: Sequence[Notice], notice: Notice, why: str, wanted: dict[str, str]
) -> None:
    """Do what is to be done after what became of an attempt at a notice: see `what_follows`."""
    if news := what_follows(before, notice, why, wanted):
        await _act(tx, news, steps(before, news))
    await count_told(tx, before)


async def count_told(tx: Transaction, before: Sequence[Notice]) -> None:
    """Have the last date count that a customer was told, or may have been, of a promise."""
    for notice in recount(before):
        if notice.told and not notice.superseded:
            tx.record(end_fact(notice), version=notice.version, caused_by=notice.request_event)
        await write(tx, store.UPDATE_NOTICE, notice)


async def lock_notice(tx: Transaction, notice_id: UUID) -> Notice:
    """Lock a notice, and before it the promise that a policy tells of, in the order of `hear`."""
    notice = await store.GET_NOTICE.one(tx, id=notice_id)
    if notice.concern != Concern.NONE:
        await LOCK_NAME.run(tx, name=notice.promise)
    return await store.LOCK_NOTICE.one(tx, id=notice_id)


async def _locked(tx: Transaction, news: News) -> list[Notice]:
    """What policies told, or want to tell, this customer of the promise; newest first, nobody else's turn."""
    # Also while there is no notice about it to lock.
    await LOCK_NAME.run(tx, name=news.promise)
    return await store.LOCK_NOTICES_OF_PROMISE.all(tx, promise=news.promise, customer=news.customer)


async def _act(tx: Transaction, news: News, todo: Steps) -> None:
    for step, notice in todo:
        if step == Step.REQUEST:
            await _request(tx, news)
        elif notice is not None and step == Step.REVISE:
            await _revise(tx, notice, news)
        elif notice is not None:
            why = moot(notice, news)
            notice.decide([_of_news(Outcome.STOPPED, why, news, tx.now)])
            notice.withdraw(why)
            await save(tx, notice)


async def _request(tx: Transaction, news: News) -> None:
    """One notice, whatever the number of policies: the first of the promise's department says how."""
    department_id = news.department.removeprefix("departments/")
    means = CONCERNS[news.concern]
    policies = await store.POLICIES_FOR_EVENT.all(
        tx, event_type=means.event_type, department_id=department_id
    )
    if not policies:
        return
    policy = policies[0]
    template = await store.GET_TEMPLATE.one(tx, id=policy.template_id)
    notice = Notice(
        id=ids.uuid7(tx.now),
        customer=news.customer,
        kind=means.kind,
        purpose=template.purpose,
        template_id=template.id,
        variables=news.variables,
        promise=news.promise,
        case=news.case,
        expire_time=news.expire_time,
        create_time=tx.now,
        update_time=tx.now,
        request_event=tx.id,
        notice_policy_id=policy.id,
        policy_version=policy.version,
        promise_version=news.version,
        heard_version=news.version,
        concern=news.concern,
        department=news.department,
        due_time=news.due_time,
        time_zone=news.time_zone,
        urgent=template.urgent,
        delivery=policy.delivery,
    )
    await request_notice(tx, notice, template)


async def _revise(tx: Transaction, notice: Notice, news: News) -> None:
    notice.decide([_of_news(Outcome.PASSED, "revised", news, tx.now)])
    notice.revise(news.variables, news.expire_time, news.version)
    await queue(tx, notice, (await store.GET_TEMPLATE.one(tx, id=notice.template_id)).type)
    await save(tx, notice)


def _of_news(outcome: Outcome, why: str, news: News, now: datetime) -> Decision:
    """The step by which news of its promise changes what a notice says, or ends it."""
    return Decision(
        "promise", outcome, why, {"promise": news.promise, "promise_version": str(news.version)}, now
    )
