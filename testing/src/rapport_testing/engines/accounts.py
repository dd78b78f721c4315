"""One NATS account per service: what crosses between departments is listed here, and nothing else does.

All streams live in the account `RAPPORT`, where the administrators are. A service has an account of its own
and asks from there, by imports: it publishes its own events, and fetches and acknowledges what is its own
consumers'. An answer comes back into the account that asked, whatever reply subject the request named: no
request can make the server store or say anything in another's name (docs/adr/0025).

Within its account a user may publish and read only what is listed, so that a mistake is an error in a log and
not a message that reaches nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chassis.events.declarations import Declaration, stream_of

STREAMS = "RAPPORT"
ADMIN = "admin"
# How long the server remembers whom to answer: longer than any fetch, for each leaves an entry behind.
ANSWERS_FOR = "10s"
# An account that imports this one is given no API of its own, which would answer every request a second time.
_INFO = "$JS.API.INFO"
_NEXT = "$JS.API.CONSUMER.MSG.NEXT."


def permissions(declaration: Declaration) -> dict[str, list[str]]:
    """What the service's NATS user may publish to and subscribe to; everything else is denied."""
    service = declaration.service
    own = [f"beat.{service}", f"poke.{service}", f"signal.{service}"]
    return {
        "publish": [*_asked(declaration), *own],
        "subscribe": [f"_INBOX_{service}.>", "beat.*", f"poke.{service}", f"signal.{service}"],
    }


def provisioner_of(service: str) -> str:
    """The user that makes the service's stream and consumers."""
    return f"provision-{service}"


def _provisioning(declaration: Declaration) -> dict[str, list[str]]:
    """What `provision` asks for a service: no stream of another's is changed, read or emptied by it."""
    own = stream_of(declaration.service)
    streams = [own, *map(stream_of, declaration.sources)]
    consumers = [f"{stream_of(each.source)}.{each.durable}" for each in declaration.subscriptions]
    asked = [
        *(f"STREAM.{verb}.{stream}" for stream in dict.fromkeys(streams) for verb in ("INFO", "CREATE")),
        f"STREAM.UPDATE.{own}",
        *(f"CONSUMER.DURABLE.CREATE.{each}" for each in consumers),
    ]
    return {
        "publish": [f"$JS.API.{each}" for each in asked],
        "subscribe": [f"_INBOX_provision.{declaration.service}.>"],
    }


def accounts(declarations: Sequence[Declaration], password: Callable[[str], str]) -> dict[str, Any]:
    """The `accounts` block of the server's configuration.

    Users are each service, its provisioner, and `admin`, who may do everything.
    """
    known = {each.service for each in declarations}
    askers: dict[str, list[str]] = {}
    for each in declarations:
        for subject in _asked(each):
            askers.setdefault(subject, []).append(each.service)
    provisioners = [
        _user(provisioner_of(each.service), password, _provisioning(each)) for each in declarations
    ]
    everything = {"publish": ">", "subscribe": ">"}
    return {
        STREAMS: {
            "jetstream": "enabled",
            "users": [_user(ADMIN, password, everything), *provisioners],
            "exports": [
                {"service": _INFO, "accounts": sorted(known)},
                *(_export(subject, services) for subject, services in askers.items()),
            ],
        },
        **{each.service: _account(each, known, password) for each in declarations},
    }


def _account(declaration: Declaration, known: set[str], password: Callable[[str], str]) -> dict[str, Any]:
    service = declaration.service
    asked = [{"service": {"account": STREAMS, "subject": each}} for each in (_INFO, *_asked(declaration))]
    heard = [each for each in declaration.sources if each != service and each in known]
    return {
        "users": [_user(service, password, permissions(declaration))],
        "exports": [{"stream": f"beat.{service}"}],
        "imports": [*asked, *({"stream": {"account": each, "subject": f"beat.{each}"}} for each in heard)],
    }


def _asked(declaration: Declaration) -> Iterator[str]:
    """What the service asks of the account with the streams."""
    service = declaration.service
    yield f"events.{service}.>"
    for name in dict.fromkeys([service, *declaration.sources]):
        yield f"$JS.API.STREAM.INFO.{stream_of(name)}"
    for each in declaration.subscriptions:
        consumer = f"{stream_of(each.source)}.{each.durable}"
        if f"events.{each.source}.>" in each.subjects:  # who hears everything may read it again
            yield f"$JS.API.STREAM.MSG.GET.{stream_of(each.source)}"
        yield f"$JS.API.CONSUMER.INFO.{consumer}"
        yield f"{_NEXT}{consumer}"
        yield f"$JS.ACK.{consumer}.>"


def _export(subject: str, services: Sequence[str]) -> dict[str, Any]:
    many = {"response_type": "stream", "response_threshold": ANSWERS_FOR} if subject.startswith(_NEXT) else {}
    return {"service": subject, "accounts": list(services), **many}


def _user(name: str, password: Callable[[str], str], allowed: dict[str, Any]) -> dict[str, Any]:
    return {"user": name, "password": password(name), "permissions": allowed}
