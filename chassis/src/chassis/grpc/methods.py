"""Methods in which nothing special happens, a line each in the servicer's class.

    class NoteRpc(Rpc, NoteServiceServicer):
        CreateNote = change(pb.CreateNoteRequest, usecases.create_note, Note)
        GetNote = get(NOTE, store.NOTE, Note)
        ListNotes = listing(pb.ListNotesResponse, store.LIST, parent=(CASE, store.CASE))

Requests have been checked when a method is called. One that does more is written out.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar, cast

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.api.decoding import decoder
from chassis.api.entities import found
from chassis.api.listing import Listing
from chassis.api.messages import to_message
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from chassis.names import Pattern

R = TypeVar("R")
Show = type[Message] | Callable[[Any], Message]
"""Makes the message of an entity; a message's class: by `to_message`."""


def change(request: type[Message], usecase: Callable[..., Awaitable[Any]], show: Show) -> Any:
    """A mutation: the use case in a transaction, and what it returns as a message.

    That is `usecase(tx, own, *, ...)`: `own` is the servicer's attribute of that name, what comes by keyword
    is the request's, see `chassis.api.decoding`. TypeError when they do not fit.
    """
    values = decoder(request.DESCRIPTOR, usecase)
    parameters = inspect.signature(usecase).parameters.values()
    own = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD][1:]
    message_of = shows(show)

    async def method(self: Any, sent: Any, tx: Transaction) -> Message:
        return message_of(await usecase(tx, *(getattr(self, name) for name in own), **values(sent)))

    method.__doc__ = usecase.__doc__
    return mutation(method)


def get(
    pattern: Pattern, statement: Statement[Any], show: Show, version: Statement[Any] | None = None
) -> Any:
    """The resource with the name of the request; NOT_FOUND without. The statement as for `found`.

    With `version`, which finds one by `id` and `version`, also the version that a name ends with.
    """
    message_of, of_version = shows(show), pattern.version()

    async def method(self: Any, request: Any, context: Any) -> Message:
        ids = of_version.match(request.name) if version else None
        if version is None or ids is None:
            return message_of(await found(self.db, pattern, statement, *pattern.parse(request.name)))
        row = await version.maybe(self.db, **dict(zip(("id", "version"), ids, strict=True)))
        if row is None:
            raise NotFound(request.name)
        shown: Any = message_of(row)
        shown.name = request.name
        return cast(Message, shown)

    return method


def listing(
    response: type[Message],
    rows: Listing[Any],
    show: Show | None = None,
    parent: tuple[Pattern, Statement[Any]] | None = None,
) -> Any:
    """A page of a list; the response has one repeated field, of what `show` makes, and `next_page_token`.

    `rows` has a parameter for each id of the parent's name, `case_id`. With the pattern of the request's
    `parent` and the statement that finds it, as for `found`, that is looked for when the page is empty:
    NOT_FOUND without.
    """
    (field,) = (field for field in response.DESCRIPTOR.fields if field.is_repeated)
    message_of = shows(show or GetMessageClass(cast(Any, field.message_type)))

    async def method(self: Any, request: Any, context: Any) -> Message:
        ids = {}
        if parent is not None:
            pattern, statement = parent
            named = pattern.parse(request.parent, "parent")
            ids = dict(zip(map("{}_id".format, pattern.variables), named, strict=True))
        page, token = await rows.page(self.db, request, message_of, **ids)
        if not page and parent is not None:
            await found(self.db, pattern, statement, *named)
        return response(**{field.name: page}, next_page_token=token)

    return method


def shows(show: Show) -> Callable[[Any], Message]:
    return partial(to_message, show) if isinstance(show, type) else show
