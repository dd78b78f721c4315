"""Spans as a trace store tells them: OTLP's JSON, and of it only what a page may show."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

FAILED = 2  # STATUS_CODE_ERROR
NAME_MAX = 100
# What a service says no with has not failed, though whoever asked calls it an error.
REFUSALS = (
    *("INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED"),
    *("FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"),
)
_PACKAGE = re.compile(r"^(?:[a-z]\w*\.)+(?=[A-Z])")
_NAME = re.compile(r"[a-z][A-Za-z]*(?:/[\w.~-]+)+")
_CUSTOMER = re.compile(r"customers/[\w.~-]+")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work, by the clock of whoever did it."""

    trace_id: str
    span_id: str
    parent_id: str  # empty of what began the trace
    service: str
    name: str
    begin_ns: int
    end_ns: int
    failed: bool = False
    error: str = ""  # what went wrong, a code; empty when the span does not say
    links: tuple[str, ...] = ()  # the ids of other traces that it goes on with
    resources: tuple[str, ...] = ()  # the names of what it was about

    @property
    def what(self) -> str:
        """Its name as it is said: an RPC without its package, and of any no more than a line."""
        return _PACKAGE.sub("", self.name)[:NAME_MAX]

    @property
    def duration_ns(self) -> int:
        """How long it took; 0 when it ends before it begins, or never ended."""
        return max(0, self.end_ns - self.begin_ns)


def customers(spans: Sequence[Span]) -> list[str]:
    """`customers/{customer}` whom these spans concern, those that are named first."""
    found = (_CUSTOMER.match(name) for span in spans for name in span.resources)
    return list(dict.fromkeys(match[0] for match in found if match))


class _Wire(msgspec.Struct, rename="camel"):
    """A message of OTLP: unknown members are skipped, int64 may be text."""


class _Values(_Wire):
    values: list["_Value"] = []


class _Value(_Wire):
    string_value: str = ""
    array_value: _Values = msgspec.field(default_factory=_Values)


class _Attribute(_Wire):
    key: str
    value: _Value = msgspec.field(default_factory=_Value)


class _Link(_Wire):
    trace_id: str = ""


class _Status(_Wire):
    code: int = 0


class _Span(_Wire):
    trace_id: str
    span_id: str
    parent_span_id: str = ""
    name: str = ""
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: list[_Attribute] = []
    links: list[_Link] = []
    status: _Status = msgspec.field(default_factory=_Status)


class _Scope(_Wire):
    spans: list[_Span] = []


class _Resource(_Wire):
    attributes: list[_Attribute] = []


class _Group(_Wire):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scope_spans: list[_Scope] = []


class _Traces(_Wire):
    resource_spans: list[_Group] = []


class _Answer(_Wire):
    result: _Traces


_DECODER = msgspec.json.Decoder(_Answer, strict=False)


def spans_of(answer: bytes | bytearray) -> list[Span]:
    """The spans in an answer of Jaeger's. ValueError when it is none."""
    try:
        told = _DECODER.decode(answer)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return list(_spans(told.result))


def _spans(told: _Traces) -> Iterator[Span]:
    for group in told.resource_spans:
        service = _one(group.resource.attributes, "service.name")
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _span(service, span)


def _span(service: str, span: _Span) -> Span:
    # Attributes of other makers' spans may hold anything: codes and names of resources are not personal.
    answered = _one(span.attributes, "rpc.response.status_code")
    code = answered or _one(span.attributes, "error.type")
    failed = span.status.code == FAILED and answered not in REFUSALS
    named = (
        value for each in span.attributes if each.key == "rapport.resource" for value in _texts(each.value)
    )
    links = dict.fromkeys(link.trace_id for link in span.links)
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_span_id.strip("0") and span.parent_span_id,
        service=service,
        name=span.name,
        begin_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=failed,
        error=code if failed else "",
        links=tuple(each for each in links if each not in ("", span.trace_id)),
        resources=tuple(name for name in named if _NAME.fullmatch(name)),
    )


def _one(attributes: Sequence[_Attribute], key: str) -> str:
    return next((each.value.string_value for each in attributes if each.key == key), "")


def _texts(value: _Value) -> Iterator[str]:
    yield value.string_value
    for each in value.array_value.values:
        yield each.string_value
