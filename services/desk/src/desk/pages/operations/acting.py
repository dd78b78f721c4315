"""Replaying and dropping dead letters, one or many: each by itself, with its own result."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

from starlette.datastructures import FormData

from chassis.errors import InvalidArgument, NotFound, Refusal, Violation
from chassis.names import CODE
from desk.pages.operations.asking import LETTERS_MAX, operations
from desk.pages.operations.letters import NAME
from desk.pages.services import Services, refusal_of
from desk.ui.speech import Speech
from rapport.operations.v1.operations_service_pb2 import DeleteDeadLetterRequest, ReplayDeadLetterRequest

AT_ONCE = 8
EACH_S = 5.0
REASONS = ("repaired-by-hand", "no-longer-needed", "malformed")


@dataclass(frozen=True)
class Chosen:
    """What is to be done about which dead letters.

    Attributes:
        act: `replay` or `drop`.
        names: which.
        everything: of one service, or of all when that is empty, instead of names; None for names.
        reason: why they may stay missing, a code, of a drop.
        request_id: makes it happen once, however often it is sent.
        sure: whether it was said once what will happen. To replay one needs no saying: it harms nothing.
    """

    act: str
    names: Sequence[str]
    everything: str | None
    reason: str
    request_id: UUID
    sure: bool

    @property
    def reason_error(self) -> bool:
        """Whether a drop has no reason that is a code."""
        return self.act == "drop" and not re.fullmatch(CODE, self.reason)


@dataclass(frozen=True)
class Done:
    """What became of one."""

    name: str
    ok: bool
    words: str


def chosen(form: FormData) -> Chosen:
    """What a form says. InvalidArgument, with everything that is wrong with it."""
    wrong = []
    act, names = str(form.get("act", "")), [str(each) for each in form.getlist("name")]
    if act not in ("replay", "drop"):
        wrong.append(Violation("act", "INVALID_ENUM", "must be replay or drop"))
    if len(names) > LETTERS_MAX:
        wrong.append(Violation("name", "TOO_LONG", f"must be at most {LETTERS_MAX}"))
    if any(NAME.match(each) is None for each in names):
        wrong.append(Violation("name", "INVALID_NAME", f"must be a name like {NAME}"))
    try:
        request_id = UUID(str(form.get("request_id") or uuid4()))
    except ValueError:
        wrong.append(Violation("request_id", "INVALID_UUID", "must be a UUID"))
    if wrong:
        raise InvalidArgument(wrong)
    everything = str(form.get("of", "")) if "all" in form else None
    reason = str(form.get("reason", "")).strip()
    sure = "sure" in form or (act == "replay" and len(names) == 1)
    return Chosen(act, list(dict.fromkeys(names)), everything, reason, request_id, sure)


async def do(services: Services, wanted: Chosen, say: Speech) -> list[Done]:
    """Do it with each, a few at once. What one is refused costs the others nothing."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Done:
        async with room:
            try:
                await _call(services, wanted, name)
            except Exception as error:
                return Done(name, False, _refused(refusal_of(error), say))
            return Done(name, True, say("is tried again") if wanted.act == "replay" else say("is dropped"))

    return list(await asyncio.gather(*map(one, wanted.names)))


async def _call(services: Services, wanted: Chosen, name: str) -> None:
    service, *_ = NAME.parse(name)
    if service not in services.channels:
        raise NotFound(f"services/{service}")
    # Of what is asked, so that the same form with another reason is another request.
    request_id = str(uuid5(wanted.request_id, f"{wanted.act} {wanted.reason} {name}"))
    stub: Any = operations(services, service)
    if wanted.act == "replay":
        await stub.ReplayDeadLetter(ReplayDeadLetterRequest(name=name, request_id=request_id), timeout=EACH_S)
        return
    request = DeleteDeadLetterRequest(name=name, reason_code=wanted.reason, request_id=request_id)
    await stub.DeleteDeadLetter(request, timeout=EACH_S)


def _refused(refusal: Refusal, say: Speech) -> str:
    if refusal.code == "NOT_FOUND":
        return say("is no dead letter any more: somebody else was faster, or it is being tried")
    if refusal.code == "PERMISSION_DENIED":
        return say("is not yours to change: {why}", why=say.refusal(refusal))
    return say("{why} ({reason})", why=say.refusal(refusal), reason=refusal.reason)
