"""What services stand on: the embedded engines, or those that the environment names instead.

variable                        when set, used instead of
RAPPORT_UP_DATABASE_URL         the embedded PostgreSQL; a role that may create databases and roles
RAPPORT_UP_NATS_URL             the embedded NATS; a user who may create streams
RAPPORT_SMTP_HOST, _PORT        the local mail server; _SECURITY, _USERNAME and _PASSWORD go with it
OTEL_EXPORTER_OTLP_ENDPOINT     the local trace store

The first two are an administrator's. A service is told of a database and a role of its own, and of such a
NATS as it is: who may do what there is for whoever runs it to say.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from chassis.events.declarations import Declaration
from rapport_testing.engines.nats import Nats
from rapport_testing.engines.ports import LOOPBACK, free_port, is_listening, port_base
from rapport_testing.engines.postgres import Postgres, create_database, derive, owner_of
from rapport_testing.engines.process import Program
from rapport_tools.local.external import BROKER, DATABASE, refuse_others
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import PORT_OFFSET
from rapport_tools.local.supervisor import Unit

# The keys of what is kept by its hash, and of links.
PEPPERS = ("RAPPORT_ADDRESS_PEPPER", "RAPPORT_CARD_PEPPER", "RAPPORT_LINK_KEYS")


class Infrastructure:
    """Database, broker, mail and traces of one stack; those `ports` of the last start that are free.

    WrongUse when a variable of a service is set, which whoever starts a stack may mean for all of it.
    """

    def __init__(self, home: Home, environ: Mapping[str, str], ports: Mapping[str, int]) -> None:
        refuse_others(environ)
        self._home = home
        self._environ = environ
        self._preferred = ports
        self._postgres: Postgres | None = None
        self._nats: Nats | None = None
        self._mail_port = free_port(ports.get("mail"))
        self._otlp_port = free_port(ports.get("otlp"))
        self._traces_port = free_port(ports.get("traces"))
        self._issuer_port = free_port(port_base(environ) + PORT_OFFSET)

    @property
    def is_ours(self) -> bool:
        """Whether database and broker are embedded, and so as the last start of that kind left them."""
        return not any(self._environ.get(name) for name in (DATABASE, BROKER))

    def database(self) -> list[Unit]:
        """The embedded PostgreSQL, its data folder made when absent; nothing when it is external."""
        if self._environ.get(DATABASE):
            return []
        log = self._home.logs / "postgres.log"
        self._postgres = Postgres(self._home.path / "postgres", port=self._preferred.get("postgres"), log=log)
        self._postgres.prepare()
        return [Unit(self._postgres.program(), self._postgres.is_ready, f"127.0.0.1:{self._postgres.port}")]

    def broker(self, declarations: Sequence[Declaration]) -> list[Unit]:
        """The embedded NATS with a user for each service; nothing when it is external."""
        if self._environ.get(BROKER):
            return []
        folder, port = self._home.path / "nats", self._preferred.get("nats")
        log = self._home.logs / "nats.log"
        self._nats = Nats(folder, port=port, declarations=declarations, log=log)
        self._nats.prepare()
        return [Unit(self._nats.program(), self._nats.is_ready, f"127.0.0.1:{self._nats.port}")]

    @property
    def issuer_url(self) -> str:
        """Where people sign in: the name of whoever signs this stack's tokens."""
        return f"http://{LOOPBACK}:{self._issuer_port}"

    def local_servers(self, sites: Sequence[str]) -> list[Unit]:
        """Where people sign in to `sites`; mail server and trace store, unless external."""
        told = [str(self._home.path), json.dumps(sites)]
        units = [self._python_server("provider", self._issuer_port, told, {})]
        if not self._environ.get("RAPPORT_SMTP_HOST"):
            units.append(self._python_server("mail", self._mail_port, [str(self._home.mail)], {}))
        if not self._environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            environment = {"RAPPORT_DATABASE_URL": self.owner_url("traces")}
            units.append(
                self._python_server("traces", self._otlp_port, [str(self._traces_port)], environment)
            )
        return units

    def databases(self, services: Sequence[str]) -> list[str]:
        """The databases to make: one for each service, and one for the trace store when it is ours."""
        return [*services] if self._environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else [*services, "traces"]

    async def create_database(self, name: str) -> None:
        """Make a database and its roles unless they exist."""
        if self._postgres is not None:
            await self._postgres.create_database(name)
        else:
            await create_database(self.admin_url, name, self._password)

    @property
    def admin_url(self) -> str:
        return self._postgres.url if self._postgres else self._environ[DATABASE]

    def database_url(self, service: str) -> str:
        return self._url(service, service)

    def owner_url(self, service: str) -> str:
        """The connection of whoever owns the tables of a service: for migrations."""
        return self._url(owner_of(service), service)

    def nats_url(self, service: str) -> str:
        return self._nats.url_for(service) if self._nats else self._environ[BROKER]

    @property
    def nats_admin_url(self) -> str:
        """The connection of whoever provisions streams and consumers."""
        return self._nats.url if self._nats else self._environ[BROKER]

    def service_env(self) -> dict[str, str]:
        """What every service is told about mail and traces, and who may send webhooks."""
        sources = self._environ.get("RAPPORT_WEBHOOKS_DIR") or str(self._home.webhooks)
        peppers = {name: self._environ.get(name) or "local-stack-only-and-not-a-secret" for name in PEPPERS}
        return {**self._smtp(), **self._traces(), **peppers, "RAPPORT_WEBHOOKS_DIR": sources}

    def _traces(self) -> dict[str, str]:
        if endpoint := self._environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            return {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._otlp_port}",
            "RAPPORT_TRACES_URL": f"http://127.0.0.1:{self._traces_port}",
        }

    def _smtp(self) -> dict[str, str]:
        if host := self._environ.get("RAPPORT_SMTP_HOST"):
            return {
                "RAPPORT_SMTP_HOST": host,
                "RAPPORT_SMTP_PORT": self._environ.get("RAPPORT_SMTP_PORT") or "587",
            }
        own = {"RAPPORT_SMTP_HOST": "127.0.0.1", "RAPPORT_SMTP_PORT": str(self._mail_port)}
        return {**own, "RAPPORT_SMTP_SECURITY": "none"}

    def ports(self) -> dict[str, int]:
        """The ports chosen, to be preferred at the next start."""
        ports = {"mail": self._mail_port, "otlp": self._otlp_port, "traces": self._traces_port}
        ports |= {"postgres": self._postgres.port} if self._postgres else {}
        return ports | ({"nats": self._nats.port} if self._nats else {})

    def _url(self, role: str, database: str) -> str:
        server = urlsplit(self.admin_url)
        netloc = f"{role}:{self._password(role)}@{server.netloc.rpartition('@')[2]}"
        return urlunsplit(server._replace(netloc=netloc, path=f"/{database}"))

    def _password(self, role: str) -> str:
        if self._postgres is not None:
            return self._postgres.role_password(role)
        return derive(self._home.secret("roles"), role)

    def _python_server(self, name: str, port: int, args: list[str], extra: Mapping[str, str]) -> Unit:
        argv = [sys.executable, "-m", f"rapport_tools.local.{name}", *args, str(port)]
        program = Program(
            name, argv, self._home.logs / f"{name}.log", env={**unprivileged(os.environ), **extra}
        )
        return Unit(program, lambda: is_listening(port), f"127.0.0.1:{port}", stop_timeout_s=5)


def unprivileged(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is an administrator's."""
    return {name: value for name, value in environ.items() if name not in (DATABASE, BROKER)}
