"""Telling customers what has become of what we promised, and no longer when that has changed."""

from collections.abc import Sequence
from uuid import UUID

from chassis.db.transaction import Transaction
from notifications.domain.notice import ALREADY_TOLD, Concern, Notice, State
from notifications.domain.policy import (
    EVENTS,
    News,
    Step,
    meanwhile,
    next_steps,
    replaced,
    something_followed,
    steps,
    untrue,
)
from notifications.store.notices import GET_NOTICE, LOCK_NOTICE, LOCK_NOTICES_OF_PROMISE, LOCK_PROMISE
from notifications.store.policies import POLICIES_FOR_EVENT
from notifications.usecases.request_notice import RequestNotice, request_notice
from notifications.usecases.save_notice import keep, queue, save

KINDS = {Concern.AT_RISK: "promise-at-risk", Concern.RECOVERED: "promise-recovered"}
PURPOSE = "SERVICE"  # a promise is part of the service that the customer has of us

Steps = list[tuple[Step, Notice | None]]


async def hear(tx: Transaction, news: News) -> None:
    """Do what news of a promise asks for. What is older than what was heard before asks for nothing."""
    before = await _locked(tx, news)
    todo = next_steps(before, news)
    if before and news.version > before[0].seen_version:
        before[0].seen_version = news.version
        await keep(tx, before[0])
    await _act(tx, before, news, todo)


async def learn(tx: Transaction, notice_id: UUID, news: News) -> None:
    """Do what the owner of the promise says at the moment of sending, as if its event had come by now."""
    found = await _locked(tx, news)
    notice = next(notice for notice in found if notice.id == notice_id)
    if not notice.ended and news.version >= notice.seen_version:
        notice.seen_version = news.version
        await _act(tx, found, news, steps(found, news))


async def follow_up(tx: Transaction, notice: Notice, moot: str, wanted: dict[str, str]) -> None:
    """Do what news asked for while the latest attempt of a notice was under way.

    `moot` is why it was no longer true by then, and `wanted` what it was to say: newer than what it said,
    perhaps.
    """
    if notice.concern != Concern.NONE and something_followed(notice, moot):
        news = meanwhile(notice, moot, wanted)
        before = [notice if found.id == notice.id else found for found in await _locked(tx, news)]
        await _act(tx, before, news, steps(before, news))


async def lock_notice(tx: Transaction, notice_id: UUID) -> Notice:
    """Lock a notice, and before it the promise that a policy tells of, in the order of `hear`."""
    notice = await GET_NOTICE.one(tx, id=notice_id)
    if notice.concern != Concern.NONE:
        await LOCK_PROMISE.run(tx, promise=notice.promise)
    return await LOCK_NOTICE.one(tx, id=notice_id)


async def _locked(tx: Transaction, news: News) -> list[Notice]:
    """What policies told, or want to tell, this customer of the promise; newest first, nobody else's turn."""
    await LOCK_PROMISE.run(tx, promise=news.promise)
    return await LOCK_NOTICES_OF_PROMISE.all(tx, promise=news.promise, customer=news.customer)


async def _act(tx: Transaction, before: Sequence[Notice], news: News, todo: Steps) -> None:
    for step, notice in todo:
        if step == Step.REQUEST:
            await _request(tx, before, news)
        elif notice is not None and step == Step.REVISE:
            await _revise(tx, notice, news)
        elif notice is not None:
            notice.withdraw(untrue(notice.concern, news) or ALREADY_TOLD)
            await save(tx, notice)
            if notice.concern == news.concern:
                await _counts_again(tx, before)


async def _counts_again(tx: Transaction, before: Sequence[Notice]) -> None:
    """Nothing newer is told after all: what was told last, perhaps, is what counts should it have arrived."""
    if told := next((notice for notice in before if notice.state == State.UNKNOWN), None):
        told.superseded = False
        await keep(tx, told)


async def _request(tx: Transaction, before: Sequence[Notice], news: News) -> None:
    """One notice, whatever the number of policies: the first of the promise's department says how."""
    department_id = news.department.removeprefix("departments/")
    policies = await POLICIES_FOR_EVENT.all(tx, event_type=EVENTS[news.concern], department_id=department_id)
    if not policies:
        return
    policy = policies[0]
    for notice in replaced(before, news.concern):
        notice.superseded = True
        await keep(tx, notice)
    command = RequestNotice(
        customer=news.customer,
        kind=KINDS[news.concern],
        purpose=PURPOSE,
        template=policy.template,
        variables=news.variables,
        promise=news.promise,
        case=news.case,
        expire_time=news.expire_time,
        policy=policy.id,
        policy_version=policy.version,
        concern=news.concern,
        due_time=news.due_time,
        department=news.department,
        promise_version=news.version,
        seen_version=news.version,
    )
    await request_notice(tx, command)


async def _revise(tx: Transaction, notice: Notice, news: News) -> None:
    notice.revise(news.variables, news.expire_time, news.version)
    notice.request_event = tx.record(notice.request_fact(), version=notice.version)
    await queue(tx, notice)
    await save(tx, notice)
