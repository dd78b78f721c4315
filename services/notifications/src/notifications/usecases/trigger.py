"""Policies on any event: each notice once, whatever comes again, and in whatever order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.api.entities import write
from chassis.db.aliases import Groups, groups_of, lock_people
from chassis.db.statement import SHARE_NAME, Executor
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.facts import Decision, Outcome
from notifications.domain.customer_date import tells_date
from notifications.domain.notice import Notice, State
from notifications.domain.policy import NoticePolicy
from notifications.domain.reasons import Reason
from notifications.domain.trigger import When, Word, hears, turn
from notifications.names import CASE, CUSTOMER
from notifications.store import triggers as store
from notifications.store.tables import LATEST_POLICY, UPDATE_NOTICE
from notifications.usecases import conditions
from notifications.usecases.attempt import Forbidden
from notifications.usecases.hearing import Hearing, ids_of, told_and_going
from notifications.usecases.marks import HEARD_FOR, why_old
from notifications.usecases.notice import of_policy, save
from notifications.usecases.timing import on_day, telling


@dataclass(frozen=True, slots=True)
class Heard:
    """What an event means to one policy, and for which it was said."""

    event: Event[Any]
    word: Word


async def react(tx: Transaction, per_customer: int, events: Sequence[Event[Any]]) -> None:
    """Do what policies ask for because of these events.

    Those are followed that were in force when an event happened, and still are: who writes a policy tells
    nobody of what was before it. What happened `HEARD_FOR` ago, or before, changes nothing.

    No policy sends a customer more than `per_customer` notices within a day.
    """
    oldest = tx.now - HEARD_FOR
    known = [event for event in events if event.data is not None and event.time > oldest]
    times = [event.time for event in known]
    since, until = min(times, default=tx.now), max(times, default=tx.now)
    versions = await store.POLICIES_ON_EVENTS.all(tx, since=since, until=until)
    heard = [each for event in known for each in words_of(event, versions, tx.now)]
    if not heard:
        return
    call, whose = tx.call, await _lock_whose(tx, heard)
    hearing = await Hearing.open(tx, [each.word for each in heard], whose)
    for each in sorted(heard, key=_in_order):
        tx.act(each.event.causing(call))
        if not await _hear(hearing, each.word, per_customer):
            tx.forget(tx.call)
    tx.act(call)
    await hearing.keep()


def words_of(event: Event[Any], versions: Iterable[NoticePolicy], now: datetime) -> list[Heard]:
    """What an event means to each policy that was in force when it happened, of all their versions.

    A customer is told by the first policy, in their turn, whose condition holds and which can tell.
    """
    policies = in_force(versions, event.time)
    # Those first: they leave no mark, and one of the same event would make them no news.
    found, told, is_told = _as_was_asked(event, policies, versions), event.data, set[str]()
    for policy in sorted(policies, key=turn):
        thing = _thing(policy, event) if _is_heard(policy, event) else None
        if thing is None:
            continue
        subject, whose, when = thing
        customer = conditions.customer_of(policy, told)
        if event.type != policy.event_type:
            found.append(Heard(event, Word(policy, subject, whose, when, event.time, cancels=True)))
        elif customer:
            notice = None
            if customer not in is_told and conditions.holds(policy, told):
                notice = _notice(policy, event, customer, subject, now)
                is_told |= {customer} if notice else set()
            word = Word(policy, subject, whose, when, event.time, cancels=False, notice=notice)
            found.append(Heard(event, word))
    return found


def _as_was_asked(
    event: Event[Any], policies: Iterable[NoticePolicy], versions: Iterable[NoticePolicy]
) -> list[Heard]:
    """That what earlier versions of policies asked for is over, where the present ones do not say so."""
    present = {each.id: each for each in policies}
    said = defaultdict[tuple[str, tuple[str, str, When]], list[NoticePolicy]](list)
    for each in versions:
        now = present.get(each.id)
        if now is None or each.version >= now.version or event.type not in each.cancel_event_types:
            continue
        thing = _thing(each, event)
        if thing and (event.type not in now.cancel_event_types or thing != _thing(now, event)):
            said[each.id, thing].append(each)
    return [
        Heard(event, Word(group[0], *thing, event.time, cancels=True, asked_by=_versions(group)))
        for (_, thing), group in said.items()
    ]


def _versions(policies: Iterable[NoticePolicy]) -> frozenset[int]:
    return frozenset(each.version for each in policies)


def _thing(policy: NoticePolicy, event: Event[Any]) -> tuple[str, str, When] | None:
    """What an event is about to a policy that hears it, of whom, and where it stands; None of nothing."""
    subject = conditions.subject_of(policy, event.resource, event.data)
    whose = conditions.counts_for(policy, event.data)
    version = event.resource_version if subject == event.resource else 0
    return (subject, whose, When(version, event.id)) if subject else None


def in_force(versions: Iterable[NoticePolicy], at: datetime) -> list[NoticePolicy]:
    """Of each policy the version that held then, if it was neither deleted nor switched off."""
    latest: dict[str, NoticePolicy] = {}
    for each in versions:
        if each.update_time <= at and (each.id not in latest or latest[each.id].version < each.version):
            latest[each.id] = each
    return [
        each for each in latest.values() if not each.deleted and not each.disabled and not each.of_promises
    ]


async def require_on(on: Executor, notice: Notice, now: datetime) -> list[Decision]:
    """The step of what a policy on any event asked for. Forbidden when that was off since, or deleted.

    Also when something newer happened to what goes on to another channel, for it was told while that came,
    and of what is told each year, or of a date of theirs, for another of their names may be told by now.
    """
    if notice.trigger_event is None:
        return []
    inputs = {"notice_policy": notice.notice_policy, "version": str(notice.policy_version)}
    if why := await _why_not(on, notice):
        raise Forbidden(why, [Decision("policy", Outcome.STOPPED, why, inputs, now)])
    return [Decision("policy", Outcome.PASSED, inputs=inputs, decide_time=now)]


async def is_on(tx: Transaction, notice: Notice) -> bool:
    """Whether a notice's policy is on still, and nobody switches it off until the transaction ends."""
    if notice.trigger_event is None:
        return True
    await SHARE_NAME.run(tx, name=notice.notice_policy)  # which every change of it has for itself
    return await _why_not(tx, notice) is None


async def _why_not(on: Executor, notice: Notice) -> Reason | None:
    if await is_off(on, notice):
        return Reason.POLICY_OFF
    if (notice.spent or notice.years is not None) and (why := await why_old(on, notice)):
        return why
    if tells_date(notice):
        everybody = (await groups_of(on, CUSTOMER.ids(notice.customer))).everybody
        names = [CUSTOMER.format(each) for each in everybody]
        if await store.TOLD_BY_ANOTHER.maybe(on, **of_date(notice, names), notice=notice.id):
            return Reason.ALREADY_TOLD
    return None


def of_date(notice: Notice, names: Sequence[str]) -> dict[str, Any]:
    """What `ASKED_OF_DATE` takes: of the same date, of a customer by these names."""
    return {
        "customers": names,
        "trigger_event": notice.trigger_event,
        "notice_policy_id": notice.notice_policy_id,
        "send_on": notice.send_on,
    }


async def is_off(on: Executor, notice: Notice) -> bool:
    """Whether its policy was off since, or, on a date of customers, has other words, or an event, by now.

    Or comes to it at another hour, or on another day: then who was to be told is told anew.
    """
    id_, version = notice.notice_policy_id, notice.policy_version
    if await store.OFF_SINCE.maybe(on, id=id_, version=version) is not None:
        return True
    if not tells_date(notice):
        return False
    policy = await LATEST_POLICY.one(on, id=id_)
    if policy.customer_date is None or policy.template_id != notice.template_id:
        return True
    told = policy.customer_date
    if (told.offset_days, told.send_hour) == (notice.day_offset, notice.send_hour):
        return False
    return on_day(told, policy.lasts, notice.send_on).schedule_time > policy.update_time


def _is_heard(policy: NoticePolicy, event: Event[Any]) -> bool:
    if event.type in policy.cancel_event_types:
        return True  # whoever ended it
    return event.type == policy.event_type and hears(policy, event.shown.department)


def _in_order(heard: Heard) -> tuple[Any, ...]:
    return heard.word.key, heard.word.when


async def _lock_whose(tx: Transaction, heard: Iterable[Heard]) -> Groups:
    """The customers who may be told, or not any more, each with all their names, before any other lock."""
    names = {each.word.customer for each in heard} | {
        each.word.notice.customer for each in heard if each.word.notice
    }
    return await lock_people(tx, ids_of(names))


async def _hear(hearing: Hearing, word: Word, per_customer: int) -> bool:
    """Withdraw what is not to be sent any more, and request what is. False when it was no news."""
    known = hearing.known(word)
    if not known.is_news(word.when, word.customer):
        return False
    if word.asked_by is None:
        hearing.hear(word)
    withdrawn = word.withdraws(hearing.open_of(word), known)
    for notice, why in withdrawn:
        await _withdraw(hearing, notice, why, word)
    told = word.notice is not None and await _request(hearing, word.notice, per_customer)
    return told or bool(withdrawn)


async def _withdraw(hearing: Hearing, notice: Notice, why: Reason, word: Word) -> None:
    tx = hearing.tx
    await hearing.keep()
    inputs = {"event": str(word.when.id), "subject": word.subject}
    notice.decide([Decision("trigger", Outcome.STOPPED, why, inputs, tx.now)])
    may_have_arrived = notice.state is State.UNKNOWN  # which was told, and stays so
    notice.withdraw(why)
    if may_have_arrived:
        await write(tx, UPDATE_NOTICE, notice)
    else:
        await save(tx, notice)
    if notice.state is State.SUPPRESSED:
        hearing.not_going(notice)


async def request_once(tx: Transaction, notices: Sequence[Notice], per_customer: int, whose: Groups) -> None:
    """Request each, of no thing, that was not requested before, of customers who are locked: `whose`."""
    hearing = Hearing(tx, whose, *await told_and_going(tx, notices, whose))
    for notice in notices:
        await _request(hearing, notice, per_customer)
    await hearing.keep()


async def _request(hearing: Hearing, notice: Notice, per_customer: int) -> bool:
    """Put it into the queue, unless it was before: however late an event comes again."""
    if hearing.was_told(notice):
        return False
    tx, template = hearing.tx, await hearing.template(notice)
    notice.purpose, notice.urgent, notice.request_event = template.purpose, template.urgent, tx.id
    at = notice.schedule_time or tx.now
    count = hearing.count(notice, at)
    hearing.request(notice, template, at)
    if count >= per_customer:
        await hearing.keep()
        inputs = {"count": str(count), "most": str(per_customer)}
        notice.decide([Decision("measure", Outcome.STOPPED, Reason.TOO_MANY, inputs, tx.now)])
        notice.suppress(Reason.TOO_MANY)
        await save(tx, notice, caused_by=notice.request_event)
        hearing.not_going(notice)
    return True


def _notice(
    policy: NoticePolicy, event: Event[Any], customer: str, subject: str, now: datetime
) -> Notice | None:
    """What is to be told; None when it is of no more use, or the event does not say all that it takes."""
    if (said := telling(policy, event, now)) is None:
        return None
    variables, when = said
    case = getattr(event.data, "case", "")
    inputs = {"event": str(event.id), "event_type": event.type, "subject": subject}
    return of_policy(
        policy,
        customer,
        when,
        now,
        trigger_event=event.id,
        inputs=inputs,
        variables=variables,
        subject=subject,
        case=case if CASE.match(case) else "",
    )
