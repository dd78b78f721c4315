"""The streams and durable consumers of a service: made by `provision` as declared, verified at start.

A service's own identity may use its stream and consumers and may not make or change them (`accounts`).
`provision` runs with an identity that may do that for this service, and no more: from the chart's hook in
Kubernetes; with an administrator's from `rapport up` on a developer's machine.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from chassis.events.declarations import Consumption, Declaration, stream_of
from chassis.events.nats import Connection, connect
from chassis.events.registry import FACT_MAX_BYTES

DAY_S = 24 * 3600.0
MAX_MESSAGE_BYTES = FACT_MAX_BYTES + 16 * 1024  # and its attributes
ACK_WAIT_S = 6.0  # consumers hold what they work on, so this is how soon the work of a dead one is done again
GIB = 1024**3
MARKER = "rapport-marker"  # in a stream's metadata: which making of it this is
MADE_OTHERWISE = 10058  # NATS' code: there is a stream of that name, of another configuration


class NotProvisioned(Exception):
    """The broker is not as the service declares it. The message names each difference."""


async def provision(
    url: str, declaration: Declaration, replicas: int = 1, stream_gib: int = 1, tls_dir: Path | None = None
) -> None:
    """Make the service's stream and consumers, or change them to what is declared. Safe to repeat.

    The URL is of an identity with the right to create them. There are `replicas` copies of each stream, 3 in
    production. A full stream refuses, and the outbox keeps. NotProvisioned when the broker has no room for a
    stream.
    """
    room = {"num_replicas": replicas, "max_bytes": stream_gib * GIB}
    connection = await connect(url, f"provision.{declaration.service}", tls_dir=tls_dir)
    js = connection.js
    try:
        await _stream(js, _stream_config(declaration.service).evolve(**room))
        for source in declaration.sources:
            # Services that listen to each other could never be installed, if each waited for the other.
            await _stream(js, _stream_config(source).evolve(**room), change=False)
        for each in declaration.subscriptions:
            await js.add_consumer(stream_of(each.source), _consumer_config(each))
    finally:
        await connection.close()


async def verify(connection: Connection, declaration: Declaration) -> None:
    """Compare the broker with the declaration. NotProvisioned when facts would be lost or never come.

    What the next release has provisioned while this one still runs, such as more subjects or a longer memory,
    is no reason to refuse.
    """
    differences = await _stream_differences(connection.js, declaration.service)
    for each in declaration.subscriptions:
        differences += await _consumer_differences(connection.js, each)
    if differences:
        lines = "\n  ".join(differences)
        raise NotProvisioned(
            f"the broker is not provisioned for {declaration.service}:\n  {lines}\n"
            f"Run `python -m {declaration.service} provision` with RAPPORT_NATS_ADMIN_URL."
        )


def _stream_config(service: str) -> StreamConfig:
    return StreamConfig(
        name=stream_of(service),
        subjects=[f"events.{service}.>"],
        retention=RetentionPolicy.LIMITS,
        max_age=14 * DAY_S,
        discard=DiscardPolicy.NEW,  # a full stream refuses, and the outbox keeps; `old` would lose silently
        duplicate_window=600.0,
        max_msg_size=MAX_MESSAGE_BYTES,
        storage=StorageType.FILE,
    )


def _consumer_config(each: Consumption) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=each.durable,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_deliver=-1,  # the service decides what is poison; a limit here would lose events in an outage
        max_ack_pending=each.max_ack_pending,
        filter_subjects=sorted(each.subjects),
        deliver_policy=DeliverPolicy.ALL,
    )


async def _stream(js: JetStreamContext, config: StreamConfig, change: bool = True) -> None:
    try:
        found = await js.stream_info(str(config.name))
    except nats.js.errors.NotFoundError:
        try:
            await js.add_stream(config.evolve(metadata={MARKER: str(uuid4())}))
            return
        except nats.js.errors.ServerError as error:  # no room, above all
            what = f"the broker makes no stream {config.name} of {(config.max_bytes or 0) // GIB} GiB"
            mend = "(RAPPORT_STREAM_GIB, or more room for the broker)"
            raise NotProvisioned(f"{what}: {error.description} {mend}") from error
        except nats.js.errors.BadRequestError as error:
            if error.err_code != MADE_OTHERWISE:
                raise
            found = await js.stream_info(str(config.name))  # made meanwhile, by one who hears it
    if change:
        marker = (found.config.metadata or {}).get(MARKER)
        await js.update_stream(config.evolve(metadata={MARKER: marker} if marker else None))


async def _stream_differences(js: JetStreamContext, service: str) -> list[str]:
    wanted = _stream_config(service)
    what = f"stream {wanted.name}"
    try:
        found = (await js.stream_info(str(wanted.name))).config
    except nats.js.errors.NotFoundError:
        return [f"{what} does not exist"]
    except nats.errors.TimeoutError:
        return [f"{what}: no answer; is the user allowed $JS.API.STREAM.INFO.{wanted.name}?"]
    differences = _differences(what, wanted, found, ["retention", "discard", "storage"])
    differences += _too_small(what, wanted, found, ["max_age", "max_msg_size"])
    missing = set(wanted.subjects or ()) - set(found.subjects or ())
    return differences + [f"{what} does not take {subject}" for subject in sorted(missing)]


async def _consumer_differences(js: JetStreamContext, each: Consumption) -> list[str]:
    stream = stream_of(each.source)
    what = f"consumer {each.durable} on stream {stream}"
    try:
        found = (await js.consumer_info(stream, each.durable)).config
    except nats.js.errors.NotFoundError:
        return [f"{what} does not exist"]
    except nats.errors.TimeoutError:
        return [f"{what}: no answer; is the user allowed $JS.API.CONSUMER.INFO.{stream}.{each.durable}?"]
    wanted = _consumer_config(each)
    differences = _differences(what, wanted, found, ["ack_policy", "max_deliver"])
    differences += _too_small(what, wanted, found, ["ack_wait"])
    missing = set(each.subjects) - set(found.filter_subjects or [found.filter_subject])
    return differences + [f"{what} does not read {subject}" for subject in sorted(missing)]


def _differences(what: str, wanted: Any, found: Any, fields: Iterable[str]) -> list[str]:
    pairs = [(field, getattr(wanted, field), getattr(found, field)) for field in fields]
    return [f"{what} has {field} {is_!r}, must be {must!r}" for field, must, is_ in pairs if must != is_]


def _too_small(what: str, wanted: Any, found: Any, fields: Iterable[str]) -> list[str]:
    """Limits below what this release counts on; none at all, which the server says as 0 or -1, is enough."""
    pairs = [(field, getattr(wanted, field), getattr(found, field) or 0) for field in fields]
    return [
        f"{what} has {field} {is_!r}, must be at least {must!r}"
        for field, must, is_ in pairs
        if 0 < is_ < must
    ]
