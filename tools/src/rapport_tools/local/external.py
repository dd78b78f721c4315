"""The servers that the environment names in place of the embedded ones: asked before anything is started."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import asyncpg
import nats.errors
from nats.aio.client import Client

from chassis.events.nats import BROKER_ERRORS, CONNECT_TIMEOUT_S, parted
from rapport_testing.engines.process import WrongUse

DATABASE, BROKER = "RAPPORT_UP_DATABASE_URL", "RAPPORT_UP_NATS_URL"
# What one service reads, which whoever starts a stack may mean for all of it; and what that would be.
_OF_ONE_SERVICE = (
    ("RAPPORT_DATABASE_URL", DATABASE),
    ("RAPPORT_DATABASE_OWNER_URL", DATABASE),
    ("RAPPORT_NATS_URL", BROKER),
    ("RAPPORT_NATS_ADMIN_URL", BROKER),
)
_SCHEMES = {DATABASE: ("postgresql", "postgres"), BROKER: ("nats", "tls")}
_FORMS = {
    DATABASE: "postgresql://user:password@host:5432/postgres, of a role that may create databases and roles",
    BROKER: "nats://user:password@host:4222, of a user who may create streams",
}
_FAILURES = (
    *BROKER_ERRORS,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def refuse_others(environ: Mapping[str, str]) -> None:
    """Raise WrongUse when a variable of a service is set, and say which one is meant for a stack."""
    for one, instead in _OF_ONE_SERVICE:
        if name := next((each for each in (one, f"{one}_FILE") if environ.get(each)), None):
            raise WrongUse(
                f"{name} is of one service: for a server of yours in place of the embedded one set "
                f"{instead}, an administrator's; else unset {name}."
            )


async def reach(environ: Mapping[str, str]) -> None:
    """Connect to each server that is named. WrongUse, naming the variable, unless it answers within 5 s."""
    asked: dict[str, Callable[[str], Awaitable[None]]] = {DATABASE: _database, BROKER: _broker}
    for name in asked:
        if environ.get(name):
            _check(name, environ[name])
    for name, ask in asked.items():
        if url := environ.get(name):
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await ask(url)
            except _FAILURES as error:
                why = "no answer within 5 s" if isinstance(error, TimeoutError) else _words(error)
                where = urlsplit(url).netloc.rpartition("@")[2]  # without who is asking
                raise WrongUse(f"{name}: {where} cannot be used ({why}): must be {_FORMS[name]}") from error


def _words(error: Exception) -> str:
    """What a server or the system says of it; what a library says may be of the URL."""
    said = isinstance(error, OSError | asyncpg.PostgresError | nats.errors.Error)
    return str(error).splitlines()[0][:100] if said and str(error) else type(error).__name__


def _check(name: str, url: str) -> None:
    """WrongUse, without a word of it for a password may be in it, when it is no URL of such a server."""
    if not all(_is_url(name, each) for each in (url.split(",") if name == BROKER else [url])):
        raise WrongUse(
            f"{name}: must be {_FORMS[name]}; what is special in a password is percent-encoded (%40 for @)"
        )


def _is_url(name: str, url: str) -> bool:
    try:
        parts = urlsplit(url)
        hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
        right = all(host.port != 0 and (host.hostname or name == DATABASE) for host in hosts)
    except ValueError:
        return False
    # An @ behind the host is of a password, of which something before was taken for the end.
    return right and parts.scheme in _SCHEMES[name] and "@" not in parts.path + parts.query + parts.fragment


async def _database(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.close()


async def _broker(url: str) -> None:
    servers, credentials = parted(url)
    client = Client()
    # The first failure is the answer: it is neither tried again nor logged.
    await client.connect(
        servers, **credentials, allow_reconnect=False, max_reconnect_attempts=0, error_cb=_nothing
    )
    await client.close()


async def _nothing(_: Exception) -> None:
    pass
