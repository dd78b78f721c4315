"""The consistency token: which facts a write recorded, so that a reader can wait until it has them all.

    cases:v1.PromiseMade=0198...,v1.CaseAssigned=0198...     each event and its type
    cases:v1.PromiseMade*500@0198...,v1.CaseOpened*1@0198... too many to name: how many of each type, by
                                                             the transaction that their events carry
    cases:                                                   none: there is nothing to wait for, and what is
                                                             read is what is stored

A caller passes a token on as it is.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.errors import Refusal, invalid

NAMED_MAX = 16  # of the facts of a call; more are named by their transaction, which their events carry
_ITEMS_MAX = 64
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ITEM = re.compile(
    rf"(?:(?P<type>[A-Za-z0-9_.]{{1,128}})(?:=|\*(?P<count>[1-9][0-9]{{0,5}})@))?(?P<id>{_UUID})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that a call recorded: what is needed to name it."""

    type: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Item:
    """What to wait for: the event of that id, or as many of a transaction's as `count` says, of that type.

    The type is the event message's full name; "" when the token does not say.
    """

    id: UUID
    type: str = ""
    count: int = 0


def token(service: str, transaction_id: UUID, told: Sequence[Told], shared: Sequence[Told]) -> str:
    """The token for what one call recorded, in order, and what another recorded for this one as well.

    The events carry the transaction's id when they are too many to name.
    """
    counts = Counter(fact.type for fact in told) if len(told) > NAMED_MAX else {}
    named = shared if counts else [*told, *shared]
    items = [f"{_short(name, service)}*{count}@{transaction_id}" for name, count in counts.items()]
    items += [f"{_short(fact.type, service)}={fact.event_id}" for fact in named]
    return f"{service}:{','.join(items)}"


def parse(text: str, field: str) -> tuple[str, list[Item]]:
    """The service and the items of a token. INVALID_CONSISTENCY_TOKEN when it is none."""
    service, colon, rest = text.partition(":")
    if service and colon and not rest:
        return service, []
    found = [_ITEM.fullmatch(item) for item in rest.split(",", _ITEMS_MAX)]
    if not service or None in found or len(found) > _ITEMS_MAX:
        raise not_a_token(field)
    return service, [
        Item(
            UUID(match["id"]),
            _full(match["type"], service) if match["type"] else "",
            int(match["count"] or 0),
        )
        for match in found
        if match is not None
    ]


def _short(full_name: str, service: str) -> str:
    """A type in the token: without its service's package, or after a dot when it is of another."""
    package = f"rapport.{service}."
    return full_name.removeprefix(package) if full_name.startswith(package) else f".{full_name}"


def _full(name: str, service: str) -> str:
    return name[1:] if name.startswith(".") else f"rapport.{service}.{name}"


def not_a_token(field: str) -> Refusal:
    """The refusal of a text that no write was answered with."""
    return invalid(
        field,
        "INVALID_CONSISTENCY_TOKEN",
        "must be the consistency-token that an earlier write was answered with, unchanged",
    )
