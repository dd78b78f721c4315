"""Forms that say first what would become of what was typed, and are kept then."""

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from chassis.errors import InvalidArgument, NotFound, Refusal, Violation
from desk.language.catalogues import N_, Language, violation
from desk.pages.base import Look, Looking
from desk.pages.services import refusal_of
from desk.pages.trying import Typed, typed
from desk.pages.work.route import CODE
from desk.ui.speech import Speech

M = TypeVar("M")
_PLACED = re.compile(r"^line \d+, column \d+: .*$", re.MULTILINE)


def marked(
    refusal: Refusal | None, say: Language, there: Collection[str], field_of: Callable[[str], str]
) -> defaultdict[str, str]:
    """What is wrong, by the field of the form; nothing when some of it is of no field that is `there`."""
    wrong = refusal.violations if isinstance(refusal, InvalidArgument) else []
    if refusal and not wrong and (field := refusal.metadata.get("field")):  # a rule says no to what it holds
        wrong = [Violation(field, refusal.reason, refusal.message)]
    told = {field_of(each.field): plain(violation(each, say)) for each in wrong}
    return defaultdict(str, told if told.keys() <= {*there} else {})


def plain(told: str) -> str:
    """What is wrong with a condition without the condition itself, which stands above."""
    return " ".join(_PLACED.findall(told)) or told


@dataclass(frozen=True)
class Trial(Generic[M]):
    """What became of a form: of one that has just opened, nothing yet."""

    sent: Typed | None = None
    proposed: M | None = None
    preview: Any = None
    refusal: Refusal | None = None
    request_id: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        """What was typed, by the names of the fields."""
        return self.sent.fields if self.sent else {}

    def told(self, say: Speech, errors: Mapping[str, str]) -> str:
        """Why it was refused; of what is marked at its field, that something is."""
        if self.refusal is None:
            return ""
        return say(N_("Not done yet: look at what is marked.")) if errors else say.refusal(self.refusal)


class Editor(ABC, Generic[M]):
    """The pages of a resource that is tried before it is kept: `/{collection}/new`, and each, `/{code}`.

    A message of the resource that has no name yet is new.
    """

    collection: ClassVar[str]
    template: ClassVar[str]
    permission: ClassVar[str]  # to write it
    lists: ClassVar[Sequence[str]] = ()  # fields that its form may have several times

    @abstractmethod
    def begun(self, look: Looking, chosen: Mapping[str, str]) -> M:
        """One of the viewer's department, of which nothing is said yet but what has to be chosen first."""

    @abstractmethod
    async def get(self, look: Looking, name: str) -> M:
        """As it is."""

    @abstractmethod
    def read(self, now: M, sent: Typed) -> M:
        """As it is to be. InvalidArgument for what was typed wrong."""

    @abstractmethod
    async def preview(self, look: Looking, now: M, proposed: M, sent: Typed) -> Any:
        """What would become of it."""

    @abstractmethod
    async def create(self, look: Looking, proposed: M, sent: Typed) -> M:
        """Keep another one."""

    @abstractmethod
    async def update(self, look: Looking, now: M, proposed: M, sent: Typed) -> M:
        """Keep it so."""

    @abstractmethod
    async def known(self, look: Looking, now: M) -> Any:
        """What its page shows beside it."""

    @abstractmethod
    def shown(self, look: Looking, now: M, known: Any, trial: Trial[M]) -> Mapping[str, Any]:
        """The values of the template, beside those that all have."""

    def router(self) -> APIRouter:
        """Its routes."""
        router = APIRouter(prefix=f"/{self.collection}")

        @router.get("/new")
        async def new(look: Look) -> Response:
            look.require(self.permission)
            return await self._opened(look, self.begun(look, look.request.query_params))

        @router.post("/new")
        async def create(look: Look) -> Response:
            look.require(self.permission)
            sent = await typed(look.request, *self.lists)
            return await self._sent(look, self.begun(look, sent.fields), sent)

        @router.get("/{code}")
        async def one(look: Look, code: str) -> Response:
            return await self._opened(look, await self.found(look, code))

        @router.post("/{code}")
        async def change(look: Look, code: str) -> Response:
            now = await self.found(look, code)
            return await self._sent(look, now, await typed(look.request, *self.lists))

        return router

    async def found(self, look: Looking, code: str) -> M:
        """The one of that code. NotFound."""
        if not CODE.fullmatch(code):
            raise NotFound(f"{self.collection}/…")
        return await self.get(look, f"{self.collection}/{code}")

    async def _opened(self, look: Looking, now: M) -> Response:
        return self._answer(look, now, await self.known(look, now), Trial())

    async def _sent(self, look: Looking, now: Any, sent: Typed) -> Response:
        """Look, or save and show it, once for each form; what is refused is said in the form, which stays."""
        known, proposed, request_id = await self.known(look, now), None, sent.request_id
        try:
            proposed = self.read(now, sent)
            if sent.text("act") != "save":
                preview = await self.preview(look, now, proposed, sent)
                return self._answer(look, now, known, Trial(sent, proposed, preview, None, request_id))
            kept = await self._kept(look, now, proposed, sent)
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else request_id
            return self._answer(look, now, known, Trial(sent, proposed, None, refusal, anew))
        return RedirectResponse(f"/{kept.name}", 303)

    async def _kept(self, look: Looking, now: Any, proposed: Any, sent: Typed) -> Any:
        if not now.name:
            return await self.create(look, proposed, sent)
        proposed.etag = sent.text("etag")
        return await self.update(look, now, proposed, sent)

    def _answer(self, look: Looking, now: Any, known: Any, trial: Trial[M]) -> Response:
        return look.answer(
            self.template,
            422 if trial.refusal else 200,
            is_new=not now.name,
            code=trial.fields.get("code", ""),
            etag=trial.fields.get("etag", now.etag),
            request_id=trial.request_id or str(uuid4()),
            refusal=trial.refusal,
            may_write=look.viewer.may_change(self.permission, now.department),
            **self.shown(look, now, known, trial),
        )
