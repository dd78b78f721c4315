"""Explaining resources, a line for each in its servicer's class.

    ExplainCase = explain(CASE, store.CASE, Case)
    ExplainPromise = explain(PROMISE, store.PROMISE, Promise, why_promise)

A service says in words why something is as it is, and by which rule, where there is more to say than what its
latest fact does. What the rule looked at are the fields of the resource that are not personal. The chain of
causes goes on in whichever service the events came from, by its own method for the resource.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import grpc
import structlog
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.api import messages
from chassis.api.actors import what
from chassis.api.entities import found
from chassis.api.resources import referred
from chassis.contracts import services
from chassis.db.database import Database
from chassis.db.statement import Statement
from chassis.errors import Refusal
from chassis.explain.chain import ANY_VERSION, Foreign, chain
from chassis.facts import Told, Why, why_told
from chassis.grpc.client import Channels
from chassis.grpc.methods import Show, shows
from chassis.names import Pattern
from rapport.common.v1.explanation_pb2 import Cause, Decision, Explanation
from rapport.options.v1 import options_pb2

_log = structlog.get_logger()
_BY_FACT = functools.partial(why_told, None)
_NOT_LOOKED_AT = ("name", "customer", "related_customer", "update_time", "etag")
_TEXTS: dict[str, Callable[[Any], str]] = {
    "google.protobuf.Timestamp": lambda value: value.ToJsonString(),
    "google.type.Date": lambda value: messages.date_of(value).isoformat(),
    "google.type.Money": messages.shown_amount,
}


class Explainer:
    """Explains resources of one service, and asks others where a chain goes on there."""

    def __init__(self, db: Database, channels: Channels) -> None:
        self._db, self._channels = db, channels

    async def explain(
        self,
        request: Any,
        resource: Message,
        why: Callable[[Told], Why] = _BY_FACT,
        *,
        event: UUID | None = None,
        fact: tuple[str, int] | None = None,
        known: Cause | None = None,
    ) -> Explanation:
        """Why a resource is as it is, or how the event that is asked for came to be.

        The request says which event, by its `event_id` where it has one, if not the resource's latest.
        `event` is what the resource stands for, when that is an event of anything; `fact` what it is told by,
        when that is a fact about another resource: its name, and version after; `known` the cause when no
        other is kept. InvalidArgument EVENT_OF_OTHER_RESOURCE.
        """
        shown: Any = resource
        event_id = getattr(request, "event_id", "")
        asked = UUID(event_id) if event_id else None
        if event is not None and asked is None:
            chained = await chain(self._db, event_id=event)
        else:
            name, version = fact or (shown.name, ANY_VERSION)
            chained = await chain(self._db, resource=name, event_id=asked, version=version)
        causes = list(chained.causes)
        if chained.continues is not None:
            causes += await self._elsewhere(chained.continues) or [chained.continues.cause]
        causes = causes or ([known] if known else [])
        said = why(_told(causes[0]) if causes and asked is None else Told())
        return Explanation(
            name=shown.name,
            summary=said.summary or _summary(resource, causes),
            rule=said.rule,
            rule_version=said.rule_version,
            inputs=_inputs(resource) | dict(said.inputs),
            causes=causes,
            customer=_customer(shown),
            decisions=[messages.to_message(Decision, each) for each in said.decisions],
        )

    async def _elsewhere(self, event: Foreign) -> list[Cause]:
        """The rest of a chain, as another service tells it; nothing when it cannot be asked or knows no more.

        It may ask us in turn about an earlier event: a chain only goes back in time, and each call has less
        time than the one before, so this ends.
        """
        method = explained_by(event.resource)
        if method is None or "event_id" not in method.input_type.fields_by_name:
            return []
        if event.source not in self._channels:
            return []
        ask = self._channels.to(event.source).unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            GetMessageClass(method.input_type).SerializeToString,
            Explanation.FromString,
        )
        try:
            request = GetMessageClass(method.input_type)(name=event.resource, event_id=str(event.event_id))
            return list((await ask(request)).causes)
        except (grpc.aio.AioRpcError, Refusal) as error:
            _log.warning("a chain of causes ends early", source=event.source, error=type(error).__name__)
            return []


def explain(
    pattern: Pattern, statement: Statement[Any], show: Show, why: Callable[[Any, Told], Why] = why_told
) -> Any:
    """The method that explains a resource; NOT_FOUND without. Its servicer has an `explainer`.

    The statement is as for `chassis.api.entities.found`; `why` makes the words, of the row and its latest
    fact.
    """
    message_of = shows(show)

    async def method(self: Any, request: Any, context: Any) -> Explanation:
        row = await found(self.db, pattern, statement, *pattern.parse(request.name))
        explainer: Explainer = self.explainer
        return await explainer.explain(request, message_of(row), functools.partial(why, row))

    return method


def explained_by(name: str) -> MethodDescriptor | None:
    """The method that explains what has a name, of whichever service; None when there is none."""
    return next((method for pattern, method in explanations() if pattern.match(name)), None)


@functools.cache
def explanations() -> tuple[tuple[Pattern, MethodDescriptor], ...]:
    """The patterns of all names that can be explained, each with the method that does it."""
    methods: list[Any] = [method for service in services() for method in service.methods]
    asking = [m for m in methods if m.output_type.full_name == Explanation.DESCRIPTOR.full_name]
    named = [(referred(method.input_type.fields_by_name["name"]), method) for method in asking]
    return tuple((pattern, method) for pattern, method in named if pattern)


def _told(cause: Cause) -> Told:
    happened = what(cause).rpartition(".")[2].rpartition("/")[2]
    return Told(happened, messages.moment(cause.occur_time), cause.actor)


def _summary(resource: Any, causes: Sequence[Cause]) -> str:
    """The words where there are no others: the event that is asked for, or why there is none to tell of."""
    if causes:
        return _BY_FACT(_told(causes[0])).summary
    if "etag" in resource.DESCRIPTOR.fields_by_name and not resource.etag:  # nobody ever wrote it
        return "Nothing has been told of this yet."
    return "No fact about this is kept: nothing has been told of it yet, or only what is too old by now."


def _inputs(resource: Message) -> dict[str, str]:
    """What is known of a resource and not personal: names, codes, times, amounts."""
    found = {
        field.name: _text(field, value)
        for field, value in resource.ListFields()
        if field.name not in _NOT_LOOKED_AT and not field.GetOptions().Extensions[options_pb2.data_class]
    }
    return {name: text for name, text in found.items() if text}


def _text(field: FieldDescriptor, value: Any) -> str:
    if field.is_repeated:
        return ", ".join(value) if field.type == FieldDescriptor.TYPE_STRING else ""
    if field.message_type is not None:
        write = _TEXTS.get(field.message_type.full_name)
        return write(value) if write else ""
    if field.enum_type is not None:
        return messages.enum_name(field.enum_type, value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _customer(resource: Any) -> str:
    """Whom a resource is about: what it says, or whose it is by its name."""
    said: str = getattr(resource, "customer", "")
    owner = "/".join(resource.name.split("/")[:2])
    return said or (owner if owner.startswith("customers/") else "")
