"""How the services are: a pure function of what they answered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from grpc_health.v1.health_pb2 import HealthCheckResponse

from chassis.api.messages import moment
from desk.language.catalogues import N_
from desk.pages.notice_jobs.stuck import WHY
from desk.pages.operations.asking import Asked
from desk.pages.services import Silence
from desk.ui.speech import Speech
from desk.ui.words import last
from rapport.common.v1.states_pb2 import SET_ASIDE_STATE_DEAD
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.operations.v1.operations_pb2 import Backlog, Consumer

OUTBOX_OLD = timedelta(seconds=30)


@dataclass(frozen=True)
class Cell:
    """A value of a table, and its mood: `good`, `warn`, `bad`, `soft` or nothing."""

    text: str
    mood: str = ""


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong with a service, and what to do."""

    service: str
    mood: str
    what: str
    do: str = ""
    href: str = ""


@dataclass(frozen=True)
class Service:
    """A line of the table."""

    name: str
    state: Cell
    note: str  # since when it is silent, or its version
    cells: Sequence[Cell]  # outbox, consumers, set aside, dead letters, work, timers


@dataclass(frozen=True)
class Overview:
    """All of them, and what is wrong, the worst first."""

    services: Sequence[Service]
    troubles: Sequence[Trouble]
    verdict: Cell


def overview(
    asked: Mapping[str, Asked],
    silent: Mapping[str, Silence],
    providers: Sequence[Provider],
    blocked: Sequence[NoticeJob],
    say: Speech,
) -> Overview:
    """The page, of what each service answered, and since when those that answer nothing do so."""
    services = [_service(name, each, silent.get(name), say) for name, each in asked.items()]
    troubles = [trouble for name, each in asked.items() for trouble in _troubles(name, each, say)]
    troubles += [_unavailable(each, say) for each in providers if each.state != Provider.STATE_AVAILABLE]
    troubles += [_blocked(each, say) for each in blocked]
    return Overview(
        services,
        sorted(troubles, key=lambda trouble: trouble.mood != "bad"),
        _verdict(len(troubles), sum(each.is_silent for each in asked.values()), say),
    )


def _verdict(troubles: int, silent: int, say: Speech) -> Cell:
    if silent:
        told = say.count(
            silent,
            "{n} service does not answer: its state is unknown.",
            "{n} services do not answer: their state is unknown.",
        )
        return Cell(told, "bad")
    if troubles:
        return Cell(say.count(troubles, "{n} thing needs somebody.", "{n} things need somebody."), "warn")
    return Cell(say("All services serve, and nothing waits for somebody."), "good")


def _service(name: str, asked: Asked, silence: Silence | None, say: Speech) -> Service:
    unknown = Cell(say("unknown"), "soft")
    if silence is not None:
        since, at = N_("last answered {moment}, {ago}"), silence.heard
        if at is None:
            since, at = N_("silent since {moment}, {ago}, when this desk first asked"), silence.since
        since = say(since, moment=say.moment(at), ago=say.away(at))
        return Service(name, Cell(say("No answer"), "bad"), since, [unknown] * 6)
    backlog, consumers = asked.backlog.value, asked.consumers.value
    waiting = _waiting(backlog, say) if backlog else [unknown] * 5
    lag, version = (
        _lag(consumers.consumers, say) if consumers else unknown,
        backlog.version if backlog else "",
    )
    return Service(name, _state(asked, say), version, [waiting[0], lag, *waiting[1:]])


def _state(asked: Asked, say: Speech) -> Cell:
    if asked.health.value is None:
        return Cell(say("Unknown"), "warn")
    if asked.health.value.status == HealthCheckResponse.SERVING:
        return Cell(say("Serves"), "good")
    return Cell(say("Not ready"), "bad")


def _waiting(backlog: Backlog, say: Speech) -> list[Cell]:
    """What waits in the outbox, what is set aside, dead letters, work, timers."""
    unpublished, age = backlog.unpublished_fact_count, _age(backlog, say)
    oldest = say("{n}, oldest {age}", n=unpublished, age=say.lasting(age))
    dead = sum(each.event_count for each in backlog.set_aside if each.state == SET_ASIDE_STATE_DEAD)
    parked = sum(each.event_count for each in backlog.set_aside) - dead
    stuck = sum(each.alarm_count for each in backlog.work)
    late = sum(each.overdue_count for each in backlog.work)
    return [
        Cell(oldest, "bad" if age > OUTBOX_OLD else "") if unpublished else Cell(say("empty"), "soft"),
        Cell(say.number(parked), "warn" if parked else "soft"),
        Cell(say.number(dead), "bad" if dead else "soft"),
        Cell(say("{n} stuck", n=stuck), "bad") if stuck else _late(late, say),
        _late(backlog.overdue_timer_count, say),
    ]


def _late(count: int, say: Speech) -> Cell:
    return Cell(say("{n} late", n=count), "warn") if count else Cell(say("on time"), "soft")


def _age(backlog: Backlog, say: Speech) -> timedelta:
    """How long the oldest fact waits; nothing by a clock that is ahead of ours."""
    if not backlog.HasField("oldest_unpublished_time"):
        return timedelta(0)
    return max(timedelta(0), say.now - moment(backlog.oldest_unpublished_time))


def _lag(consumers: Sequence[Consumer], say: Speech) -> Cell:
    if any(each.missing for each in consumers):
        return Cell(say("missing at the broker"), "bad")
    behind = sum(each.pending_count + each.in_hand_count for each in consumers)
    return Cell(say("{n} behind", n=behind)) if behind else Cell(say("up to date"), "soft")


def _troubles(name: str, asked: Asked, say: Speech) -> Iterator[Trouble]:
    """What is wrong with a service that answers."""
    if asked.is_silent:
        return
    if (health := asked.health.value) and health.status != HealthCheckResponse.SERVING:
        what = say("{service} is not ready: it answers, and should get no calls.", service=name)
        yield Trouble(name, "bad", what, say("Its health page says what it lacks; so does its log."))
    for part in (asked.backlog, asked.consumers):
        if part.refusal:
            why = say.refusal(part.refusal)
            what = say("{service} does not say what waits: {why}", service=name, why=why)
            yield Trouble(name, "bad" if part.away else "warn", what)
    if asked.consumers.value:
        for each in asked.consumers.value.consumers:
            if each.missing:
                what = say("The broker has no consumer {consumer}.", consumer=last(each.name))
                do = say("Provision {service} again: its streams and consumers are made so.", service=name)
                yield Trouble(name, "bad", what, do, f"/operations/services/{name}")
    if asked.backlog.value:
        yield from _of_backlog(name, asked.backlog.value, say)


def _unavailable(one: Provider, say: Speech) -> Trouble:
    waiting = say.count(one.waiting_count, "{n} notice waits", "{n} notices wait")
    what = N_("{provider} has taken no messages since {moment} ({code}): {waiting}.")
    since = say.moment(moment(one.state_time))
    what = say(what, provider=last(one.name), moment=since, code=one.last_error_code, waiting=waiting)
    do = say("Mend it, then have it tried.")
    return Trouble("notifications", "bad", what, do, f"/operations/providers#provider-{last(one.name)}")


def _blocked(job: NoticeJob, say: Speech) -> Trouble:
    what = N_("The message to many {template} has not gone on since {moment}.")
    what = say(what, template=say.named(job.template), moment=say.moment(moment(job.update_time)))
    do = say(WHY[job.reason_code]) if job.reason_code in WHY else say.code(job.reason_code)
    return Trouble("notifications", "bad", what, do[:1].upper() + do[1:] + ".", f"/{job.name}")


def _of_backlog(name: str, backlog: Backlog, say: Speech) -> Iterator[Trouble]:
    if (age := _age(backlog, say)) > OUTBOX_OLD:
        facts, told = say.count(backlog.unpublished_fact_count, "{n} fact", "{n} facts"), say.lasting(age)
        what = say("{facts} of {service} not published, for {age}.", facts=facts, service=name, age=told)
        yield Trouble(name, "bad", what, say("Its relay logs what stops it; the broker may be away."))
    if late := backlog.overdue_timer_count:
        timers = say.count(late, "{n} timer", "{n} timers")
        what = say("{timers} of {service} due for more than a minute.", timers=timers, service=name)
        do = say("Its handler logs what stops it.")
        yield Trouble(name, "warn", what, do, f"/operations/services/{name}#timers")
    for each in backlog.set_aside:
        events, consumer = say.count(each.event_count, "{n} event", "{n} events"), last(each.consumer)
        if each.state == SET_ASIDE_STATE_DEAD:
            what = say("{who} gave up on {events} ({error}).", who=consumer, events=events, error=each.error)
            do, href = say("Mend the cause, then replay."), f"/operations/dead-letters?service={name}"
            yield Trouble(name, "bad", what, do, href)
        elif each.error:
            what = say("{who} set aside {events} ({error}).", who=consumer, events=events, error=each.error)
            yield Trouble(name, "warn", what, say("It tries them again by itself."))
        else:
            what = say("{who} keeps {events} that it does not know.", who=consumer, events=events)
            do = say("The release of {service} that does applies them.", service=name)
            yield Trouble(name, "warn", what, do)
    yield from _of_work(name, backlog, say)


def _of_work(name: str, backlog: Backlog, say: Speech) -> Iterator[Trouble]:
    href = f"/operations/services/{name}#work"
    for each in backlog.work:
        kind = say.titled(each.kind)
        if count := each.alarm_count:
            told = say("the other side says {code}", code=each.alarm_code)
            what = say("{kind}: {n} wait for us to mend something, {told}.", n=count, kind=kind, told=told)
            do = N_("Mail: our sign-in, sender, quota. A service: the log of {service} says what it told.")
            yield Trouble(name, "bad", what, say(do, service=name), href)
        if count := each.unknown_count:
            what = N_("{kind}: of {n} of the last day nobody knows whether they were done.")
            what = say(what, n=count, kind=kind)
            yield Trouble(name, "warn", what, say("Their answers were lost: ask the other side."), href)
        if count := each.overdue_count:
            what = say("{kind}: {n} due for more than a minute.", n=count, kind=kind)
            do = say("They come faster than they can be done, or nobody does them.")
            yield Trouble(name, "warn", what, do, href)
