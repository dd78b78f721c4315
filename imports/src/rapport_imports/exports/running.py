"""An export, from what is wanted to its file: page by page, in a memory that does not grow with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from chassis.grpc.status import refusal
from rapport.customer.v1.customer_service_pb2 import BatchGetCustomersRequest, ListCustomersRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_imports import own
from rapport_imports.exports.cells import Cell
from rapport_imports.exports.kinds import KINDS, WHOSE, Kind
from rapport_imports.exports.rows import email_of, known_as
from rapport_imports.exports.writing import Format, Writer, writer
from rapport_imports.patience import opened_channels
from rapport_imports.people import Channels
from rapport_imports.wanted import WrongOption

PAGE = 1000
CUSTOMERS_AT_ONCE = 16  # whose first pages are asked for together, where a list is of one customer
_FIRST_PAGE = 100
_REMEMBERED = 10_000  # customers that rows of other kinds are of
_READS_CUSTOMERS = "customer.customers.read"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be exported: a kind, those of a filter, of the customers of another, in a format."""

    kind: str
    format: Format
    filter: str = ""
    customers: str = ""


@dataclass(slots=True)
class Done:
    """What was written: rows, of which those before this run; and columns that the caller may not read."""

    rows: int = 0
    before: int = 0
    withheld: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Resumable:
    """How far an export has come, beside its unfinished file."""

    asked: dict[str, str]
    columns: list[str]
    token: str
    size: int
    rows: int


async def run(
    asked: Asked,
    path: Path,
    done: Done,
    *,
    connect: Channels,
    say: Callable[[str], None],
    progress: Callable[[int, int | None], None],
) -> None:
    """Write a file. What is unfinished is `PATH.part`, which another run goes on with, but of a workbook.

    Args:
        asked: what is to be in it.
        path: where it goes; an older one of that name is replaced in the end.
        done: is filled as it goes on.
        connect: opens a channel to a service, with the identity of whoever exports.
        say: is told that a service does not answer for a while.
        progress: is told how many rows are written.

    Raises:
        WrongOption: there is no such list.
        Unwritable: it does not fit into a file of that format.
        grpc.RpcError: a service refuses, as for a caller who may not read what is listed, or is down.
    """
    kind = KINDS[asked.kind]
    if asked.filter and not kind.has_filter:
        raise WrongOption("filter", asked.filter, f"{kind.name} have none; --customers says whose they are")
    if asked.customers and not kind.parent:
        raise WrongOption("customers", asked.customers, f"{kind.name} are filtered by --filter")
    part, notes = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    before = _before(asked, part, notes)
    async with opened_channels(connect, say) as channel:
        people = _People(CustomerServiceStub(channel("customer")))
        done.rows = done.before = before.rows if before else 0
        out: Writer | None = None
        try:
            async for messages, token in _pages(kind, asked, channel, before.token if before else ""):
                found = await _rows(kind, messages, people)
                if out is None:  # now that it is known what may be read
                    columns = before.columns if before else _columns(kind, people)
                    out = writer(asked.format, part, columns, after=before.size if before else 0)
                for row in found:
                    out.row([row.get(name, "") for name in kind_columns(kind)])
                done.rows += len(found)
                progress(done.rows, None)
                if token and (size := out.mark()) >= 0:
                    _keep(notes, Resumable(asdict(asked), [*columns], token, size, done.rows))
        except BaseException:
            if out:
                out.stop()
            raise
    assert out is not None, "there is a page of every list"
    out.close()
    done.withheld = [*people.withheld]
    part.replace(path)
    notes.unlink(missing_ok=True)


def _before(asked: Asked, part: Path, notes: Path) -> Resumable | None:
    """How far an interrupted export of the same has come; None when there is none to go on with."""
    try:
        found = Resumable(**json.loads(notes.read_text()))
        return found if found.asked == asdict(asked) and part.stat().st_size >= found.size else None
    except (OSError, ValueError, TypeError):
        return None


def _keep(notes: Path, come: Resumable) -> None:
    notes.touch(0o600)
    notes.write_text(json.dumps(asdict(come)))


def kind_columns(kind: Kind) -> list[str]:
    """The columns of a kind: what each thing is called, whose it is, and the rest."""
    first, *rest = kind.columns
    return [first, *(WHOSE if kind.whose else ()), *rest]


def _columns(kind: Kind, people: "_People") -> list[str]:
    """The same, of which those say so that the caller may not read."""
    hidden = WHOSE[1:] if people.withheld else ()
    missing = f" (left out: {_READS_CUSTOMERS} is needed)"
    return [f"{name}{missing}" if name in hidden else name for name in kind_columns(kind)]


async def _rows(kind: Kind, messages: Sequence[Message], people: "_People") -> list[dict[str, Cell]]:
    whose = [kind.customer(message) if kind.whose else "" for message in messages]
    known = await people.of(whose)
    return [
        {**known.get(customer, {}), **row}
        for customer, message in zip(whose, messages, strict=True)
        for row in kind.rows(message)
    ]


async def _pages(
    kind: Kind, asked: Asked, channel: Channels, token: str
) -> AsyncIterator[tuple[Sequence[Message], str]]:
    """What is listed, page by page, and the token to go on behind it: "" where one cannot, and at the end."""
    call = kind.call(channel(kind.service))
    if not kind.parent:
        async for page in _listed(call, kind, token, filter=asked.filter):
            yield page
        return
    customers = CustomerServiceStub(channel("customer")).ListCustomers
    said = {"filter": asked.filter} if kind.has_filter else {}
    while True:
        listed = await customers(
            ListCustomersRequest(page_size=PAGE, page_token=token, filter=asked.customers)
        )
        for some in _chunks([each.name for each in listed.customers], CUSTOMERS_AT_ONCE):
            requests = [kind.request(page_size=_FIRST_PAGE, **{kind.parent: each}, **said) for each in some]
            for request, answer in zip(requests, await asyncio.gather(*map(call, requests)), strict=True):
                yield getattr(answer, kind.items), ""
                while answer.next_page_token:
                    request.page_token = answer.next_page_token
                    answer = await call(request)
                    yield getattr(answer, kind.items), ""
        token = listed.next_page_token
        yield (), token
        if not token:
            return


async def _listed(
    call: Callable[[Any], Any], kind: Kind, token: str, **said: Any
) -> AsyncIterator[tuple[Sequence[Message], str]]:
    while True:
        answer = await call(kind.request(page_size=PAGE, page_token=token, **said))
        token = answer.next_page_token
        yield getattr(answer, kind.items), token
        if not token:
            return


def _chunks(names: list[str], size: int) -> Iterator[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


class _People:
    """Who the customers of rows are, as far as the caller may read that."""

    def __init__(self, customers: Any) -> None:
        self._customers = customers
        self._known: dict[str, dict[str, Cell]] = {}
        self.withheld: list[str] = []

    async def of(self, names: Sequence[str]) -> dict[str, dict[str, Cell]]:
        """What rows say of their customers, by name; of who was merged what is said of the survivor."""
        new = [name for name in dict.fromkeys(names) if name and name not in self._known]
        if len(self._known) + len(new) > _REMEMBERED:
            self._known.clear()
            new = [name for name in dict.fromkeys(names) if name]
        for some in _chunks(new, PAGE):
            self._known |= await self._asked(some)
        return {name: self._known[name] for name in names if name}

    async def _asked(self, names: list[str]) -> dict[str, dict[str, Cell]]:
        plain: dict[str, dict[str, Cell]] = {name: {own.CUSTOMER: name} for name in names}
        if self.withheld:
            return plain
        try:
            asked = BatchGetCustomersRequest(names=names, allow_missing=True)
            found = (await self._customers.BatchGetCustomers(asked)).customers
        except grpc.aio.AioRpcError as error:
            if refusal(error).code != "PERMISSION_DENIED":
                raise
            self.withheld = [*WHOSE[1:]]
            return plain
        return plain | {
            name: {
                own.CUSTOMER: known_as(each),
                "customer_name": each.display_name,
                "customer_email": email_of(each),
            }
            for name, each in zip(names, found, strict=True)
            if each.name
        }
