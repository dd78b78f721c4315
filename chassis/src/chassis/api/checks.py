"""Checks of whole requests, compiled from what the contract says of each field, before any method runs.

Compiled is a plain function for each field, called one after another; what it says of a field is in
`rapport.options.v1.allowed`, in `google.api.field_behavior` and `google.api.resource_reference`, and in its
type. A number is not negative, a batch holds at most 1,000 items, and a text at most 200 characters unless
the contract says otherwise. What is OUTPUT_ONLY is ignored, and of an update what the mask leaves out.

What no option can say is a rule of a message, a function with the servicer's other code:

    def due(check: Check, promise: pb.Promise, now: datetime) -> None:
        if promise.HasField("due_time") == promise.HasField("due_date"):
            check.refuse("due_time", "REQUIRED", "must be given, or due_date, not both")

    class PromiseRpc(Rpc, PromiseServiceServicer):
        rules: ClassVar[Rules] = {pb.Promise: due}

It is called for each such message of a request wherever that is, with the paths there, and whatever else is
wrong with it: times may be none yet. Of an update, what it says of what the mask leaves out does not count.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.api import formats, wellknown
from chassis.api.formats import Judge, Wrong
from chassis.api.messages import is_prose
from chassis.api.resources import behavior, changeable, chosen, is_ours, other_form, referred, updated
from chassis.api.validation import Check, Found, exceeding
from chassis.errors import Violation
from chassis.visible import shows_something
from rapport.options.v1 import options_pb2

Part = Callable[[Any, str, datetime, Found], None]
"""Looks at a field of the message, whose path is the prefix, and adds what is wrong."""
Look = Callable[[Any, datetime], Found]
"""Finds what is wrong with a request at a moment."""
Rule = Callable[[Check, Any, datetime], None]
Rules = Mapping[type[Message], Rule]
ITEMS_MAX = 1000
GIVEN: Wrong = "REQUIRED", "must be given"
_ID_GIVEN: Wrong = "REQUEST_ID_REQUIRED", "must be a UUID that the caller made for this request"
_LATER = {"page_token", "filter", "consistency_token"}  # judged by who knows what they mean
_ANY_LENGTH = 2**31
_OWN = ("name", "etag")
_NO_MASK = FieldMask()


def checker(request: Any, rules: Rules | None = None) -> Look:
    """What finds everything that is wrong with a request at a moment, one thing for each field."""
    by_message: dict[Any, Rule] = {kind.DESCRIPTOR: rule for kind, rule in (rules or {}).items()}
    parts = _Compiler(by_message).parts(request, is_request=True)

    def look(message: Any, now: datetime) -> Found:
        if found := exceeding(by_message.get(request), message, now):
            return found
        for part in parts:
            part(message, "", now, found)
        return list({each.field: each for each in reversed(found)}.values())[::-1] if found else found

    return look


class _Compiler:
    """Makes the checks of messages, of each kind of message once."""

    def __init__(self, rules: Mapping[Descriptor, Rule]) -> None:
        self._rules = rules
        self._made: dict[Descriptor, list[Part]] = {}

    def parts(self, descriptor: Descriptor, *, is_request: bool = False) -> list[Part]:
        """The checks of a message: of its fields, then its rule."""
        resource = updated(descriptor) if is_request else None
        fields = [field for field in descriptor.fields if field is not resource]
        if not is_request:  # the whole is repeated, or not at all
            fields = [field for field in fields if field.name != "request_id"]
        parts = [part for field in fields if (part := self._field(field, is_request))]
        if resource is not None:
            parts.append(self._update(descriptor, resource))
        if rule := self._rules.get(descriptor):
            parts.append(lambda message, prefix, now, found: rule(Check(prefix, found), message, now))
        return parts

    def _field(self, field: FieldDescriptor, is_request: bool = False) -> Part | None:
        """The check of a field, None when it may hold anything."""
        options: Any = field.GetOptions()
        if is_ours(field) or options.Extensions[options_pb2.judged_apart]:
            return None
        if is_request and options.Extensions[options_pb2.allowed].batch_only:
            return _empty(field.name)
        return self._allowed(field, field_behavior_pb2.REQUIRED in behavior(field))

    def _allowed(self, field: FieldDescriptor, is_required: bool) -> Part | None:
        options: Any = field.GetOptions()
        allowed, inner = options.Extensions[options_pb2.allowed], field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            return _map(field.name, options)
        if (
            inner is not None
            and inner.file.package == "google.protobuf"
            and not wellknown.look(inner, allowed)
        ):
            return None  # such as Any: whoever unpacks it knows what it may be
        if inner is not None:
            look = wellknown.look(inner, allowed) or self._inside(inner)
            return (
                _many(field.name, look, allowed, is_required)
                if field.is_repeated
                else _one(field.name, look, is_required)
            )
        judge = _judge(field, allowed, is_required)
        if judge is None:
            is_missed = is_required and field.type == FieldDescriptor.TYPE_BYTES
            return _text(field.name, lambda _: None, GIVEN, is_prose=False) if is_missed else None
        if field.is_repeated:
            return _many(field.name, _judged(judge), allowed, is_required)
        if field.type != FieldDescriptor.TYPE_STRING:
            return _number(field.name, judge)
        needed = (_ID_GIVEN if field.name == "request_id" else GIVEN) if is_required else None
        return _text(field.name, judge, needed, is_prose(field))

    def _inside(self, descriptor: Descriptor) -> wellknown.Look:
        """The check of a message inside another, made when it is first needed: messages may be recursive."""

        def look(message: Any, path: str, now: datetime, found: Found) -> None:
            parts = self._made.get(descriptor)
            if parts is None:
                parts = self._made[descriptor] = self.parts(descriptor)
            prefix = f"{path}."
            for part in parts:
                part(message, prefix, now, found)

        return look

    def _at(self, message: Any, path: str) -> Part | None:
        """The check of the field at a path, which may be inside of others."""
        name, _, rest = path.partition(".")
        field = message.fields_by_name[name]
        part = self._at(field.message_type, rest) if rest else self._field(field)
        if part is None or not rest:
            return part
        return lambda sent, prefix, now, found: part(getattr(sent, name), f"{prefix}{name}.", now, found)

    def _update(self, request: Descriptor, resource: FieldDescriptor) -> Part:
        """The check of a resource that is changed: its name, its etag, and the fields that the mask names."""
        inner: Any = resource.message_type
        name, allowed = resource.name, changeable(request, inner)
        always = [cast(Part, self._allowed(f, f.name == "name")) for f in inner.fields if f.name in _OWN]
        parts = {each: self._at(inner, each) for each in allowed}
        rule, may_be_new = self._rules.get(inner), "allow_missing" in request.fields_by_name
        unknown: Wrong = "UNKNOWN_FIELD", f"must hold only {', '.join(allowed)}, or * alone"

        def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
            if not message.HasField(name):
                found.append(Violation(name, *GIVEN))
                return
            sent, inside = getattr(message, name), f"{name}."
            paths = chosen(message.update_mask, sent, allowed)
            if paths is None:
                found.append(Violation("update_mask", *unknown))
                paths = []
            if may_be_new and message.allow_missing:  # of a new one, all that is given counts
                paths = list(dict.fromkeys([*paths, *(chosen(_NO_MASK, sent, allowed) or ())]))
            for path in paths:
                if (part := parts[path]) is not None:
                    part(sent, inside, now, found)
            for each in always:
                each(sent, inside, now, found)
            if rule is not None:
                rules: Found = []
                rule(Check(inside, rules), sent, now)
                found += [each for each in rules if _is_at(each.field.removeprefix(inside), paths)]

        return check


def _is_at(field: str, paths: Sequence[str]) -> bool:
    """Whether a field is one of the paths, or inside of one, or holds one."""
    at = f"{field.partition('[')[0]}."
    return any(at.startswith(f"{path}.") or f"{path}.".startswith(at) for path in paths)


def _judge(field: FieldDescriptor, allowed: Any, is_required: bool) -> Judge | None:
    options: Any = field.GetOptions()
    if field.name == "page_size":  # judged by who knows
        return None
    if field.enum_type is not None:
        return formats.member(field.enum_type, is_required=is_required or field.is_repeated)
    if field.type != FieldDescriptor.TYPE_STRING:
        return wellknown.number(field, allowed)
    if (pattern := referred(field)) is not None:
        return formats.name(pattern, pattern.any() if allowed.wildcard else other_form(field))
    if options.Extensions[resource_pb2.resource_reference].type == "*":
        return formats.ANY_NAME
    if allowed.format:
        judge = formats.FORMATS[allowed.format]
        if not allowed.max_characters:
            return judge
        short = formats.text(allowed.max_characters)
        return lambda value: judge(value) or short(value)
    if field.name in ("etag", "request_id"):
        return formats.ETAG if field.name == "etag" else formats.UUID
    if field.name in _LATER and not allowed.max_characters:
        return formats.text(_ANY_LENGTH)
    is_multiline = bool(options.Extensions[options_pb2.multiline])
    return formats.text(allowed.max_characters or formats.TEXT_MAX, is_multiline=is_multiline)


def _text(name: str, judge: Judge, needed: Wrong | None, is_prose: bool) -> Part:
    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        value = getattr(message, name)
        if value and (wrong := judge(value)):
            found.append(Violation(prefix + name, *wrong))
        elif needed and not (shows_something(value) if is_prose else value):
            found.append(Violation(prefix + name, *needed))

    return check


def _number(name: str, judge: Judge) -> Part:
    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        if wrong := judge(getattr(message, name)):
            found.append(Violation(prefix + name, *wrong))

    return check


def _empty(name: str) -> Part:
    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        if getattr(message, name):
            found.append(Violation(prefix + name, "INVALID_NAME", "must be empty outside a batch"))

    return check


def _one(name: str, look: wellknown.Look, is_required: bool) -> Part:
    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        if message.HasField(name):
            look(getattr(message, name), prefix + name, now, found)
        elif is_required:
            found.append(Violation(prefix + name, *GIVEN))

    return check


def _many(name: str, look: wellknown.Look, allowed: Any, is_required: bool) -> Part:
    """Too many are not looked at."""
    most = allowed.max_items or ITEMS_MAX
    holds = f"must hold {'1 to' if is_required else 'at most'} {most} items"

    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        items, path = getattr(message, name), prefix + name
        if not items and is_required:
            found.append(Violation(path, "REQUIRED", holds))
        elif len(items) > most:
            found.append(Violation(path, "TOO_LONG", holds))
        else:
            for i, item in enumerate(items):
                look(item, f"{path}[{i}]", now, found)

    return check


def _judged(judge: Judge) -> wellknown.Look:
    """Looks at an item: an empty text is none."""

    def look(value: Any, path: str, now: datetime, found: Found) -> None:
        if wrong := GIVEN if value == "" else judge(value):
            found.append(Violation(path, *wrong))

    return look


def _map(name: str, options: Any) -> Part:
    """Of a map of texts. What is wrong with a key, which may be personal, is told without it."""
    allowed, is_multiline = options.Extensions[options_pb2.allowed], options.Extensions[options_pb2.multiline]
    most = allowed.max_items or ITEMS_MAX
    judge_key = formats.FORMATS[allowed.keys] if allowed.keys else formats.text()
    text = formats.text(allowed.max_characters or formats.TEXT_MAX, is_multiline=bool(is_multiline))
    judge = formats.FORMATS[allowed.format] if allowed.format else text

    def check(message: Any, prefix: str, now: datetime, found: Found) -> None:
        items, path = getattr(message, name), prefix + name
        if len(items) > most:
            found.append(Violation(path, "TOO_LONG", f"must hold at most {most} items"))
            return
        for key, value in sorted(items.items()):
            if wrong := judge_key(key):
                found.append(Violation(path, wrong[0], f"keys {wrong[1]}"))
            elif wrong := judge(value):
                found.append(Violation(f"{path}[{key}]", *wrong))

    return check
