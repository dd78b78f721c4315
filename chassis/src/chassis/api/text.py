"""What no text holds, in any field of any request: control characters, and in a line what breaks or turns it.

Control characters are no text: PostgreSQL stores no NUL, terminals obey ESC, mail headers end at a line's
end. Neither are noncharacters, nor tags, which say what only programs read; in a flag, such as that of
England, they are text. A text is one line unless its field has the option `multiline`: a name of two lines
forges a second entry in a list of names, and one that overrides its direction reads as another name. Joiners,
marks, and scripts that run from right to left are names as people have them. So are characters of private
use: older systems have the rare ideographs of Chinese names as such. Lone surrogates never get this far: they
are not UTF-8, so gRPC's decoder refuses the message. What can be seen of a text: `chassis.visible`.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import Violation
from rapport.options.v1 import options_pb2

# C0 but newline and tab, DEL, C1 and surrogates: none is text; PostgreSQL stores neither NUL nor surrogates.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
# Noncharacters, and tags that are in no flag. Not all that is unassigned: emoji of tomorrow are text today.
_NONE = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane | 0xFFFE)}-{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_NONE += "\U000e0000-\U000e001f\U000e0080-\U000e00ff"
_FLAG, _TAG, _END = "\U0001f3f4", "\U000e0020-\U000e007e", "\U000e007f"
_HIDDEN = rf"(?<![{_FLAG}{_TAG}])[{_TAG}{_END}]|[{_TAG}](?![{_TAG}{_END}])|{_FLAG}[{_TAG}]{{8,}}"
NOT_TEXT = re.compile(f"(?:[{_CONTROL}{_NONE}]|{_HIDDEN})")
# What embeds, overrides or isolates a direction: programs put it around what is copied from them.
_TURNS = "\u202a-\u202e\u2066-\u2069"
TURNS = re.compile(f"[{_TURNS}]")
NOT_ONE_LINE = re.compile(f"(?:[{_CONTROL}{_NONE}\t\n\u2028\u2029{_TURNS}]|{_HIDDEN})")
_ALLOWED = {
    NOT_TEXT: "must be text of any script, with newlines and tabs but no other control characters,"
    " noncharacters or tags outside of flags",
    NOT_ONE_LINE: "must be one line of any script: no newlines, tabs or other control characters,"
    " noncharacters or tags outside of flags, and none that turn the direction of text"
    " (U+202A to U+202E, U+2066 to U+2069)",
}


def no_line(value: str) -> tuple[str, str] | None:
    """INVALID_TEXT and what is allowed, for a text that is not one line; None for one that is."""
    if value.isprintable() or not NOT_ONE_LINE.search(value):
        return None
    return "INVALID_TEXT", _ALLOWED[NOT_ONE_LINE]


def no_text(value: str) -> tuple[str, str] | None:
    """INVALID_TEXT and what is allowed, for a text of several lines that is none; None for one that is."""
    return ("INVALID_TEXT", _ALLOWED[NOT_TEXT]) if NOT_TEXT.search(value) else None


def wrong_texts(request: Message) -> list[Violation]:
    """INVALID_TEXT with the path of every text that holds what it must not.

    A field with the option `judged_apart` is left to whoever answers for each of its items.
    """
    lines: list[str] = []
    texts: list[str] = []
    _gather(request, _plan(request.DESCRIPTOR), lines, texts)
    # One look at all: nearly always, there is nothing to find.
    line, text = " ".join(lines), " ".join(texts)
    if (not line.isprintable() and NOT_ONE_LINE.search(line)) or NOT_TEXT.search(text):
        return list(bad_texts(request))
    return []


def bad_texts(message: Message) -> Iterator[Violation]:
    """What is wrong with the texts of a message, INVALID_TEXT."""
    for path, forbidden in _bad(message, _plan(message.DESCRIPTOR)):
        yield Violation(path, "INVALID_TEXT", _ALLOWED[forbidden])


@dataclass
class _Plan:
    """The fields of a message that are text or hold some, by how they hold it."""

    multiline: list[str] = field(default_factory=list)
    one: list[str] = field(default_factory=list)
    many: list[str] = field(default_factory=list)
    map: list[str] = field(default_factory=list)
    message: "list[tuple[str, _Plan]]" = field(default_factory=list)
    messages: "list[tuple[str, _Plan]]" = field(default_factory=list)


def _gather(message: Any, plan: _Plan, lines: list[str], texts: list[str]) -> None:
    for name in plan.multiline:
        texts.append(getattr(message, name))
    for name in plan.one:
        lines.append(getattr(message, name))
    for name in plan.many:
        lines.extend(getattr(message, name))
    for name in plan.map:
        for item in getattr(message, name).items():
            lines.extend(map(str, item))
    for name, inner in plan.message:
        if message.HasField(name):
            _gather(getattr(message, name), inner, lines, texts)
    for name, inner in plan.messages:
        for each in getattr(message, name):
            _gather(each, inner, lines, texts)


def _bad(message: Any, plan: _Plan) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Where something is that must not be, and what. A map has one path: a key may be wrong, or personal."""
    yield from ((name, NOT_TEXT) for name in plan.multiline if NOT_TEXT.search(getattr(message, name)))
    found = [name for name in plan.one if NOT_ONE_LINE.search(getattr(message, name))]
    for name in plan.many:
        found += [
            f"{name}[{i}]" for i, text in enumerate(getattr(message, name)) if NOT_ONE_LINE.search(text)
        ]
    for name in plan.map:
        if any(NOT_ONE_LINE.search(f"{key}{text}") for key, text in getattr(message, name).items()):
            found.append(name)
    yield from ((path, NOT_ONE_LINE) for path in found)
    for name, inner in plan.message:
        yield from ((f"{name}.{path}", why) for path, why in _bad(getattr(message, name), inner))
    for name, inner in plan.messages:
        for i, each in enumerate(getattr(message, name)):
            yield from ((f"{name}[{i}].{path}", why) for path, why in _bad(each, inner))


@functools.cache
def _plan(message: Descriptor) -> _Plan:
    plan = _Plan()
    for each in message.fields:
        inner = each.message_type
        if not _has_text(each, frozenset()) or each.GetOptions().Extensions[options_pb2.judged_apart]:
            continue
        if each.GetOptions().Extensions[options_pb2.multiline]:
            plan.multiline.append(each.name)
        elif inner is None:
            (plan.many if each.is_repeated else plan.one).append(each.name)
        elif inner.GetOptions().map_entry:
            plan.map.append(each.name)
        else:
            (plan.messages if each.is_repeated else plan.message).append((each.name, _plan(inner)))
    return plan


def _has_text(each: FieldDescriptor, above: frozenset[str]) -> bool:
    inner = each.message_type
    if inner is None:
        return each.type == FieldDescriptor.TYPE_STRING
    return inner.full_name not in above and any(
        _has_text(part, above | {inner.full_name}) for part in inner.fields
    )
