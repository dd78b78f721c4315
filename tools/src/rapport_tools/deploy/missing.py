"""What a cluster lacks of what `prepare` wrote, in sentences."""

import asyncio
import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import SplitResult

from rapport_testing.engines.postgres import owner_of
from rapport_tools.cli.failures import Failure
from rapport_tools.deploy.folder import Folder
from rapport_tools.deploy.kubectl import forwarded, kubectl
from rapport_tools.deploy.plan import Object

CONNECT_S = 10
# What defines a kind that the charts make, by the value of ours that turns it on.
CRDS = {
    ("tls", "issuer", "name"): "certificates.cert-manager.io",
    ("serviceMonitor", "enabled"): "servicemonitors.monitoring.coreos.com",
    ("prometheusRule", "enabled"): "prometheusrules.monitoring.coreos.com",
}


def missing(folder: Folder, values: Mapping[str, Object]) -> Iterator[str]:
    """All that is not as it was prepared, or that the services' values need. Failure without an answer."""
    there = set(_names(kubectl("get", "namespaces", "-o", "json")))
    yield from _namespaces(folder, there)
    yield from _objects(folder, "Secret", "stringData", there)
    yield from _objects(folder, "ConfigMap", "data", there)
    yield from _keys(folder)
    yield from _kinds(values)
    yield from _named(folder, values, there)
    yield from _databases(folder)
    yield from _users(folder)


def _namespaces(folder: Folder, there: set[str]) -> Iterator[str]:
    for name in [each["metadata"]["name"] for each in folder.objects("Namespace")]:
        if name not in there:
            yield f"Namespace {name} is missing, with all that was to be in it."


def _objects(folder: Folder, kind: str, field: str, there: set[str]) -> Iterator[str]:
    wanted = folder.objects(kind)
    for namespace in sorted({each["metadata"]["namespace"] for each in wanted} & there):
        listed = json.loads(kubectl("get", f"{kind.lower()}s", "-n", namespace, "-o", "json"))["items"]
        found = {each["metadata"]["name"]: each.get("data") or {} for each in listed}
        for each in wanted:
            if each["metadata"]["namespace"] == namespace:
                yield from _compared(each, each[field], found.get(each["metadata"]["name"]))


def _compared(wanted: Object, keys: Mapping[str, str], found: Mapping[str, str] | None) -> Iterator[str]:
    what = f"{wanted['kind']} {wanted['metadata']['name']} in {wanted['metadata']['namespace']}"
    if found is None:
        yield f"{what} is missing."
        return
    for key, value in keys.items():
        if key not in found:
            yield f"{what} has no key {key}."
        elif value != (base64.b64decode(found[key]).decode() if wanted["kind"] == "Secret" else found[key]):
            yield f"{what} says something else in {key} than was prepared: apply the manifests again."


def _keys(folder: Folder) -> Iterator[str]:
    """A cluster that signs with other keys than are known has services that know nobody."""
    kept = json.loads((folder.path / "cluster" / "jwks.json").read_text())
    if json.loads(kubectl("get", "--raw", "/openid/v1/jwks")) != kept:
        what = "The cluster signs the tokens of ServiceAccounts with other keys than were prepared"
        yield f"{what}: delete {folder.path / 'cluster'} and prepare again."


def _kinds(of_services: Mapping[str, Object]) -> Iterator[str]:
    known = set(_names(kubectl("get", "customresourcedefinitions", "-o", "json")))
    for path, definition in CRDS.items():
        users = [name for name, values in of_services.items() if _value(values, path)]
        if users and definition not in known:
            what = f"{'.'.join(path)} of {', '.join(users)}"
            yield f"{what} needs {definition}, which the cluster does not know."


def _named(folder: Folder, of_services: Mapping[str, Object], there: set[str]) -> Iterator[str]:
    """Secrets that values name and that are not ours to make."""
    homes = folder.services()
    for namespace in sorted(set(homes.values()) & there):
        listed = json.loads(kubectl("get", "secrets", "-n", namespace, "-o", "json"))["items"]
        found = {each["metadata"]["name"]: each.get("data") or {} for each in listed}
        here = (of_services[name] for name, home in homes.items() if home == namespace)
        for secret, key in sorted({named for values in here for named in secrets_of(values)}):
            what = f"Secret {secret} in {namespace}, which values name,"
            if secret not in found:
                yield f"{what} is missing."
            elif key and key not in found[secret]:
                yield f"{what} has no key {key}."


def secrets_of(values: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """The secrets that values name, and the key that is read of each, "" where that is not known."""
    if isinstance(values, dict):
        if secret := values.get("existingSecret") or values.get("secretName"):
            yield secret, values.get("key") or ("ca.crt" if within == "tls" else "")
        if within == "secretKeyRef":
            yield values["name"], values["key"]
        for key, value in values.items():
            yield from secrets_of(value, key)
    elif within in ("settingsSecrets", "imagePullSecrets"):
        yield from ((each, "") for each in values)
    elif isinstance(values, list):
        for each in values:
            yield from secrets_of(each)


def _databases(folder: Folder) -> Iterator[str]:
    urls = folder.urls("-database") + folder.urls("-database-owner")
    with ExitStack() as forwards:
        at = _at(forwards, urls[0], folder.options()["namespace"])
        if isinstance(at, Failure):
            yield f"PostgreSQL is not reached: {at}"
            return
        for url in urls:
            if problem := asyncio.run(_log_in(url, at)):
                yield problem


def _users(folder: Folder) -> Iterator[str]:
    serving, urls = folder.urls("-nats"), folder.urls("-nats") + folder.urls("-nats-admin")
    authority, problem = _authority(folder)
    if problem:
        yield problem
        return
    with ExitStack() as forwards:
        at = _at(forwards, urls[0], folder.options()["namespace"])
        if isinstance(at, Failure):
            yield f"NATS is not reached: {at}"
            return
        for url in urls:
            if problem := asyncio.run(_enter(url, at, authority, url in serving)):
                yield problem


def _at(forwards: ExitStack, url: SplitResult, namespace: str) -> str | Failure:
    """Where a server is reached from here: a Service of the cluster by port-forward. Why it is not."""
    host, port = url.hostname or "", url.port or 0
    service, *rest = host.split(".")
    if rest and rest[1:2] != ["svc"]:
        return f"{host}:{port}"
    try:
        return forwards.enter_context(forwarded(rest[0] if rest else namespace, service, port))
    except Failure as failure:
        return failure


async def _log_in(url: SplitResult, at: str) -> str:
    """What is wrong with a role's way into its database."""
    import asyncpg

    host, _, port = at.rpartition(":")
    role, database = url.username or "", url.path[1:]
    try:
        connection = await asyncpg.connect(
            host=host, port=int(port), user=role, password=url.password, database=database, timeout=CONNECT_S
        )
        owner = await connection.fetchval(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        )
        await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"PostgreSQL does not let {role} into {database}: {_said(error)}."
    right = owner == owner_of(database)
    return "" if right else f"Database {database} belongs to {owner}, and not to {owner_of(database)}."


def _authority(folder: Folder) -> tuple[str, str]:
    """What vouches for a broker that speaks TLS, and why it is not known; both empty without."""
    if not (secret := folder.options()["nats_tls"]):
        return "", ""
    namespace = folder.options()["namespace"]
    where = f"Secret {secret} in {namespace}"
    try:
        found = json.loads(kubectl("get", "secret", secret, "-n", namespace, "-o", "json"))
        return base64.b64decode(found["data"]["ca.crt"]).decode(), ""
    except Failure:
        return "", f"{where} is missing, with the ca.crt of NATS."
    except KeyError:
        return "", f"{where} has no key ca.crt."


async def _enter(url: SplitResult, at: str, authority: str, serves: bool) -> str:
    """What is wrong with a user's way to the broker, and to the streams if a service `serves` as it.

    An account that a server meets in a reload is led to them by the next one only.
    """
    from nats.aio.client import Client
    from nats.errors import NoRespondersError

    from chassis.events.declarations import stream_of
    from chassis.events.nats import BROKER_ERRORS

    client, user = Client(), url.username or ""
    try:
        await client.connect(
            f"{url.scheme}://{at}",
            tls=ssl.create_default_context(cadata=authority) if authority else None,
            tls_hostname=url.hostname if authority else None,
            user=user,
            password=url.password,
            inbox_prefix=f"_INBOX_{user}",
            allow_reconnect=False,
            max_reconnect_attempts=0,
            connect_timeout=CONNECT_S,
            error_cb=_nothing,
        )
        if serves:
            await client.request(f"$JS.API.STREAM.INFO.{stream_of(user)}", timeout=CONNECT_S)
        await client.close()
    except NoRespondersError:
        return f"NATS does not lead {user} to the streams: tell it to reload its configuration once more."
    except BROKER_ERRORS as error:
        return f"NATS does not let {user} in: {_said(error)}."
    return ""


async def _nothing(_: Exception) -> None:
    """It is raised as well."""


def _said(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _names(listed: str) -> list[str]:
    return [each["metadata"]["name"] for each in json.loads(listed)["items"]]


def _value(values: Any, path: tuple[str, ...]) -> Any:
    for each in path:
        values = values.get(each, {})
    return values
