"""What the services say about themselves, asked as whoever looks; and what one has still to do."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.base import Looking
from desk.pages.services import Listed, Part, Parts, Services, ask
from desk.ui.speech import Speech
from rapport.operations.v1 import operations_service_pb2 as pb
from rapport.operations.v1.operations_pb2 import Backlog, Consumer, DeadLetter
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub

PATIENCE_S = 2.5  # a service waits 2 s for its broker before it says that it does not know
SHOWN = 50
LETTERS_MAX = 100
READ, WRITE = "operations.read", "operations.write"
STATES = {
    "PENDING": N_("waits for its time"),
    "CLAIMED": N_("is being prepared"),
    "HANDING_OVER": N_("is being handed over"),
    "UNKNOWN": N_("nobody knows whether it was done"),
}


@dataclass(frozen=True)
class Asked:
    """What one service answered."""

    health: Part[HealthCheckResponse]
    backlog: Part[Backlog]
    consumers: Part[pb.ListConsumersResponse]

    @property
    def is_silent(self) -> bool:
        """Whether nothing came: a refusal is an answer."""
        return self.health.away and self.backlog.away and self.consumers.away


def readable(look: Looking) -> list[str]:
    """The services about which the viewer may know. PermissionDenied when there is none."""
    look.require(f"*.{READ}")
    return [name for name in look.services.channels if look.viewer.may(f"{name}.{READ}")]


async def overview(services: Services, names: Sequence[str]) -> Mapping[str, Asked]:
    asked = await asyncio.gather(*(_asked(services, name) for name in names))
    return dict(zip(names, asked, strict=True))


async def _asked(services: Services, name: str) -> Asked:
    health, stub = HealthStub(services.channels.to(name)), operations(services, name)
    parts = await ask(
        PATIENCE_S,
        health=health.Check(HealthCheckRequest(), timeout=PATIENCE_S),
        backlog=stub.GetBacklog(pb.GetBacklogRequest(name=f"services/{name}/backlog")),
        consumers=stub.ListConsumers(pb.ListConsumersRequest(parent=f"services/{name}", page_size=1000)),
    )
    return Asked(**parts)


async def still_to_do(services: Services, name: str) -> Parts:
    """What one service has still to do: its timers and its work, the next first."""
    stub, parent = operations(services, name), f"services/{name}"
    return await ask(
        PATIENCE_S,
        timers=stub.ListTimers(pb.ListTimersRequest(parent=parent, page_size=SHOWN)),
        work=stub.ListWork(pb.ListWorkRequest(parent=parent, page_size=SHOWN)),
    )


async def letters(services: Services, names: Sequence[str], token: str = "") -> Parts:
    """The dead letters of each service, oldest first; `token` goes on with those of one."""
    asked = {
        name: operations(services, name).ListDeadLetters(
            pb.ListDeadLettersRequest(
                parent=f"services/{name}/consumers/-", page_size=LETTERS_MAX, page_token=token
            )
        )
        for name in names
    }
    return await ask(PATIENCE_S, **asked)


def of_all(parts: Parts) -> list[DeadLetter]:
    """The dead letters that came, oldest first; at most LETTERS_MAX."""
    answers: list[pb.ListDeadLettersResponse] = [part.value for part in parts.values() if part.value]
    found = [letter for answer in answers for letter in answer.dead_letters]
    return sorted(found, key=lambda letter: letter.set_aside_time.ToNanoseconds())[:LETTERS_MAX]


async def letter(services: Services, service: str, name: str) -> DeadLetter:
    """One dead letter with its event. AioRpcError, TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        found: DeadLetter = await operations(services, service).GetDeadLetter(
            pb.GetDeadLetterRequest(name=name)
        )
        return found


def operations(services: Services, name: str) -> Any:
    """The operations of a service: awaited, unlike what the generated types say of the stub."""
    return OperationsServiceStub(services.channels.to(name))


@dataclass(frozen=True)
class Due:
    """A timer, or work on the outside world."""

    what: str  # its kind, as people say it
    key: str  # to what
    due: str  # when, and `is_late` when that is over
    exactly: str
    is_late: bool
    state: str  # how it is with it
    mood: str = ""


@dataclass(frozen=True)
class Waiting:
    """The page of one service."""

    consumers: Listed[Consumer]
    timers: Listed[Due]
    work: Listed[Due]


def waiting(asked: Asked, parts: Parts, say: Speech) -> Waiting:
    return Waiting(
        _listed(asked.consumers, "consumers", lambda each, _: each, say),
        _listed(parts["timers"], "timers", _timer, say),
        _listed(parts["work"], "work", _work, say),
    )


def _listed(part: Part[Any], field: str, row: Any, say: Speech) -> Listed[Any]:
    if part.value is None:
        return Listed(trouble=say("unknown: {why}", why=say.refusal(part.refusal) if part.refusal else ""))
    rows = [row(each, say) for each in getattr(part.value, field)]
    return Listed(rows, bool(part.value.next_page_token))


def _timer(each: Any, say: Speech) -> Due:
    failed = say("failed {n} times", n=each.attempt_count) if each.attempt_count else ""
    return _due(each, failed, "warn" if failed else "", say)


def _work(each: Any, say: Speech) -> Due:
    state = value_name(each, "state")
    told = say(STATES[state]) if state in STATES else say.code(state.lower())
    if each.alarm:
        told = say("waits for us to mend something")
    if each.attempt_count:
        told = say("{told}, attempt {n}", told=told, n=each.attempt_count)
    if each.code:
        told = say("{told}: {code}", told=told, code=each.code)
    return _due(each, told, "bad" if each.alarm else "warn" if state == "UNKNOWN" else "", say)


def _due(each: Any, state: str, mood: str, say: Speech) -> Due:
    at = moment(each.due_time)
    return Due(say.code(each.kind), each.key, say.away(at), say.exactly(at), at < say.now, state, mood)
