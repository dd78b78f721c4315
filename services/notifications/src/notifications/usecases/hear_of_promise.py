"""Telling customers what has become of what we promised, and no longer when that has changed."""

from collections.abc import Sequence
from uuid import UUID

from chassis import ids
from chassis.api.entities import write
from chassis.db.locks import LOCK_NAME
from chassis.db.transaction import Transaction
from notifications.domain.news import News, Step, moot, next_steps, recount, steps, what_follows
from notifications.domain.notice import Concern, Notice
from notifications.domain.policy import CONCERNS
from notifications.store.notices import GET_NOTICE, LOCK_NOTICE, LOCK_NOTICES_OF_PROMISE, UPDATE_NOTICE
from notifications.store.policies import POLICIES_FOR_EVENT
from notifications.store.templates import GET_TEMPLATE
from notifications.usecases.request_notice import request_notice
from notifications.usecases.save_notice import queue, save

Steps = list[tuple[Step, Notice | None]]


async def hear(tx: Transaction, news: News) -> None:
    """Do what news of a promise asks for. What is older than what was heard before asks for nothing."""
    before = await _locked(tx, news)
    todo = next_steps(before, news)
    if before and news.version > before[0].heard_version:
        before[0].heard_version = news.version
        await write(tx, UPDATE_NOTICE, before[0])
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
    found = await LOCK_NOTICES_OF_PROMISE.all(tx, promise=notice.promise, customer=notice.customer)
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
            tx.record(notice.end_fact(), version=notice.version, caused_by=notice.request_event)
        await write(tx, UPDATE_NOTICE, notice)


async def lock_notice(tx: Transaction, notice_id: UUID) -> Notice:
    """Lock a notice, and before it the promise that a policy tells of, in the order of `hear`."""
    notice = await GET_NOTICE.one(tx, id=notice_id)
    if notice.concern != Concern.NONE:
        await LOCK_NAME.run(tx, name=notice.promise)
    return await LOCK_NOTICE.one(tx, id=notice_id)


async def _locked(tx: Transaction, news: News) -> list[Notice]:
    """What policies told, or want to tell, this customer of the promise; newest first, nobody else's turn."""
    # Also while there is no notice about it to lock.
    await LOCK_NAME.run(tx, name=news.promise)
    return await LOCK_NOTICES_OF_PROMISE.all(tx, promise=news.promise, customer=news.customer)


async def _act(tx: Transaction, news: News, todo: Steps) -> None:
    for step, notice in todo:
        if step == Step.REQUEST:
            await _request(tx, news)
        elif notice is not None and step == Step.REVISE:
            await _revise(tx, notice, news)
        elif notice is not None:
            notice.withdraw(moot(notice, news))
            await save(tx, notice)


async def _request(tx: Transaction, news: News) -> None:
    """One notice, whatever the number of policies: the first of the promise's department says how."""
    department_id = news.department.removeprefix("departments/")
    means = CONCERNS[news.concern]
    policies = await POLICIES_FOR_EVENT.all(tx, event_type=means.event_type, department_id=department_id)
    if not policies:
        return
    policy = policies[0]
    template = await GET_TEMPLATE.one(tx, id=policy.template_id)
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
    )
    await request_notice(tx, notice, template)


async def _revise(tx: Transaction, notice: Notice, news: News) -> None:
    notice.revise(news.variables, news.expire_time, news.version)
    await queue(tx, notice, (await GET_TEMPLATE.one(tx, id=notice.template_id)).type)
    await save(tx, notice)
