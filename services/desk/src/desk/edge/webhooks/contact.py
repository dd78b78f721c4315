"""What a webhook says, whatever its kind: whom it is from, where, and in which words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from chassis.api.handles import OF_SYSTEMS, judge
from chassis.api.text import NOT_ONE_LINE, NOT_TEXT
from chassis.names import CODE

SUMMARY_MAX = 4000  # what the contract of a timeline's entry allows
NAME_MAX = 200
HANDLE_MAX = 320
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}")
_CODE = re.compile(CODE)
# Best first: an id proves more than an address, and a number proves nothing.
TYPES = ("EXTERNAL_ID", "ACCOUNT_NUMBER", "EMAIL", "SOCIAL", "DEVICE", "PHONE", "FAX")
# What became of a message, as the contract calls it.
Delivery = Literal["DELAYED", "DELIVERED", "TECHNICAL_FAILURE", "TEMPORARY_FAILURE", "PERMANENT_FAILURE"]
NUMBERS = frozenset({"PHONE", "FAX"})


class NotUnderstood(Exception):
    """It is authentic, and no contact can be read from it."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = list(problems)  # what is wrong, by field; never a value


@dataclass(frozen=True, slots=True)
class Handle:
    """What somebody is found by."""

    type: str  # as the contract calls it: `PHONE`
    value: str = field(repr=False)  # as it is given; of a number the form in which it is matched
    system: str = ""  # of an id who made it, of a social handle the network; empty of all others


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact."""

    channel: str  # as the contract calls them: `VOICE`, `INBOUND`
    direction: str = "INBOUND"
    # The best first; those that nobody can be found by are left out.
    handles: tuple[Handle, ...] = field(default=(), repr=False)
    # The number or address that it came from, as it was told: nobody may be found by it.
    told: str = field(default="", repr=False)
    customer: str = ""  # `customers/{uuid}`, where the sender knows
    name: str = field(default="", repr=False)  # what they are called
    summary: str = field(default="", repr=False)  # what was said
    topic: str = ""  # a code; empty for none
    reference: str = ""  # what it refers to in another system
    occur_time: datetime | None = None  # when it was; None for when it was received
    outcome_code: str = ""  # how it ended; empty when nobody says
    duration: timedelta | None = None  # how long it took, if it took any
    language_code: str = ""  # BCP 47, of a customer who is made of it
    is_automatic: bool = False  # whether a machine wrote it: nobody becomes a customer by that


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reports of a message of ours that it accepted. No contact: nobody wrote."""

    provider: str  # who accepted it, `providers/{id}`
    provider_key: str  # by which it knows the message: the Message-ID of an e-mail
    delivery: Delivery
    complaint: bool = False  # whether its reader told their provider that it was not wanted
    code: str = ""  # the provider's own; empty for none
    recipient: str = field(default="", repr=False)  # the address, if the provider says it
    time: datetime | None = None  # when that was; None for when it was received


def handles(given: Iterable[tuple[str, str, str]], region_code: str) -> tuple[Handle, ...]:
    """Those of `given` (type, value, system) that somebody can be found by: the best first, each once."""
    found: dict[Handle, None] = {}
    for of_type, given_value, given_system in sorted(given, key=lambda each: TYPES.index(each[0])):
        value, system = given_value.strip(), given_system if of_type in OF_SYSTEMS else ""
        if not value or len(value) > HANDLE_MAX or (of_type in OF_SYSTEMS and not _CODE.fullmatch(system)):
            continue
        if normalized := judge(of_type, value, region_code).normalized_value:
            found[Handle(of_type, normalized if of_type in NUMBERS else value, system)] = None
    return tuple(found)


def line(text: str, most: int = NAME_MAX) -> str:
    """A text as one line: what breaks it becomes a space, and it ends at `most` characters."""
    return " ".join(NOT_ONE_LINE.sub(" ", text).split())[:most].rstrip()


def words(*parts: str) -> str:
    """Paragraphs as a summary: what is no text is left out, and where it is too long, that is said."""
    text = "\n\n".join(filter(None, (_text(part) for part in parts)))
    if len(text) <= SUMMARY_MAX:
        return text
    said = f"\n\n[The first part of {len(text):,} characters.]"
    return text[: SUMMARY_MAX - len(said)].rstrip() + said


def code(text: str) -> str:
    """A text as a code, `Late delivery` as `late-delivery`; empty when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")


def reference(text: str) -> str:
    """A reference; empty when it is none that a timeline can hold."""
    return text if _REFERENCE.fullmatch(text) else ""


def _text(part: str) -> str:
    lines = NOT_TEXT.sub("", part.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    kept: list[str] = []
    for each in (line.rstrip() for line in lines):
        if each or (kept and kept[-1]):  # one empty line between two is enough
            kept.append(each)
    return "\n".join(kept).strip("\n")
