"""One local stack, from an empty folder to services that answer: what `rapport up` runs."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

from chassis.events.nats import BROKER_ERRORS
from chassis.events.provision import provision
from rapport_testing.engines.ports import HTTP_OFFSET, PORT_BASE, number, port_base, require
from rapport_testing.engines.process import Process, Program
from rapport_tools.local.home import Home
from rapport_tools.local.infrastructure import PEPPERS, Infrastructure, unprivileged
from rapport_tools.local.installed import Installed, installed, remember, remembered
from rapport_tools.local.issuer import CLIENT, CLIENT_SECRET, RENEW_SERVICES_EVERY_S, Issuer
from rapport_tools.local.nursery import Nursery
from rapport_tools.local.supervisor import Say, Supervisor, Unit, answers

REPLICA_OFFSET, REPLICAS_MAX = 10, 9
# A service gets 15 s each for calls, work and handlers when it drains.
DRAIN_TIMEOUT_S = 50.0
LOOK_AT_TOKENS_EVERY_S = 10


class Stack:
    """Everything that runs in one home.

    The caller holds the home's lock. `progress` is told what is done while starting, `say` what happens to a
    unit later. Without a nursery each service starts alone.
    """

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        progress: Callable[[str], None],
        say: Say,
        nursery: Nursery | None,
    ) -> None:
        self.home = home
        self.services: list[Installed] = []
        currency = environ.get("RAPPORT_CURRENCY") or home.currency()
        self._environ = {**environ, **({"RAPPORT_CURRENCY": currency} if currency else {})}
        self._progress, self._say = progress, say
        last = home.read_env()
        base = port_base({**last, **environ})
        self._shift = base - PORT_BASE
        self._replicas = range(number(environ, "RAPPORT_LOCAL_REPLICAS", 1, 1, REPLICAS_MAX))
        ports = json.loads(last.get("RAPPORT_LOCAL_PORTS", "{}"))
        self.infrastructure = Infrastructure(home, {**environ, "RAPPORT_PORT_BASE": str(base)}, ports)
        self._issuer = Issuer(home, self.infrastructure.issuer_url)
        self._supervisor = Supervisor(say, self._record)
        self._nursery = nursery
        self._began, self._furnished = time.time(), False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything in order. StackError, with what to do, when something does not start.

        What was prepared by the last start, and has not changed since, needs no order: services wait for what
        they stand on, so that all of it starts at once.
        """
        infrastructure = self.infrastructure
        prepared = remembered(self.home, infrastructure.databases([])) if infrastructure.is_ours else []
        self.services = prepared or await asyncio.to_thread(installed)
        self._check_ports()  # before anything of ours listens
        self._progress("starting PostgreSQL")
        units = await asyncio.to_thread(infrastructure.database)
        database = self._task(self._supervisor.start(units))
        await asyncio.sleep(0)  # let it spawn
        self._progress("starting NATS")
        broker = self._task(
            self._supervisor.start(infrastructure.broker([each.declaration for each in self.services]))
        )
        await asyncio.sleep(0)
        if prepared:
            await asyncio.gather(self._start_services(), self._provisioned(database, broker))
        else:
            await asyncio.gather(database, broker)
            await self._prepare()
            await self._start_services()
            if infrastructure.is_ours:
                remember(self.home, self.services, infrastructure.databases([]))
        self.home.keep_currency(self._environ.get("RAPPORT_CURRENCY", ""))

    async def _prepare(self) -> None:
        """Make and migrate the databases, streams and consumers of every service."""
        infrastructure = self.infrastructure
        self._progress("preparing databases")
        for name in infrastructure.databases([service.name for service in self.services]):
            await infrastructure.create_database(name)
        from chassis.db.migrate import migrate  # with what it needs, a second of a start that needs none

        # Migrations, which run in this process, hash what was kept before as services do.
        env = infrastructure.service_env()
        for pepper in PEPPERS:
            os.environ.setdefault(pepper, env[pepper])
        for service in self.services:
            self._progress(f"migrating {service.name}")
            await migrate(infrastructure.owner_url(service.name), service.migrations, service.name)
            await provision(infrastructure.nats_admin_url, service.declaration)

    async def _provisioned(self, *started: "asyncio.Task[None]") -> None:
        """Make streams and consumers again that the broker may have lost."""
        await asyncio.gather(*started)
        for service in self.services:
            await provision(self.infrastructure.nats_admin_url, service.declaration)

    async def _start_services(self) -> None:
        self._write_tokens()
        self._task(self._renew_tokens())
        self._write_env()
        self._progress("starting " + ", ".join(service.name for service in self.services))
        sites = [self.site(service, n) for n in self._replicas for service in self.services]
        servers = self.infrastructure.local_servers([site for site in sites if site])
        units = [self._unit(service, n) for n in self._replicas for service in self.services]
        started: Mapping[str, Process] = {}
        if self._nursery is not None:
            started = await self._nursery.start([unit.program for unit in (*servers, *units)])
        served = self._task(self._supervisor.start(servers, started))
        await asyncio.sleep(0)
        await asyncio.gather(served, self._supervisor.start(units, started))
        self._task(self._keep_provisioned())

    async def stop(self) -> None:
        """Stop services, then what they stand on. Data is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._nursery is not None:
            self._nursery.kill()
        await self._supervisor.stop()

    def kill(self) -> None:
        if self._nursery is not None:
            self._nursery.kill()
        self._supervisor.kill()

    @property
    def logs(self) -> list[Path]:
        """What each unit writes to: every replica, and what they stand on."""
        return [unit.program.log for unit in self._supervisor.units]

    def address(self, service: Installed, replica: int = 0) -> str:
        return f"127.0.0.1:{self._port(service, replica)}"

    def http_address(self, service: Installed, replica: int = 0) -> str:
        """The address of a service's health and metrics."""
        return f"127.0.0.1:{self._port(service, replica) + HTTP_OFFSET}"

    def site(self, service: Installed, replica: int = 0) -> str:
        """The URL of a service's pages and REST; empty for one without."""
        port = self._web_port(service, replica)
        return f"http://127.0.0.1:{port}" if port else ""

    def _web_port(self, service: Installed, replica: int) -> int:
        return service.web_port and service.web_port + self._shift + REPLICA_OFFSET * replica

    def _port(self, service: Installed, replica: int) -> int:
        return service.port + self._shift + REPLICA_OFFSET * replica

    def _task(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    def _unit(self, service: Installed, replica: int) -> Unit:
        url = f"http://{self.http_address(service, replica)}/health/ready"
        argv = [sys.executable, "-m", service.name]
        name = service.name if replica == 0 else f"{service.name}-{replica + 1}"
        program = Program(name, argv, self.home.logs / f"{name}.log", env=self._env(service, replica))
        address, site = self.address(service, replica), self.site(service, replica)
        return Unit(program, lambda: answers(url), address, url, site, stop_timeout_s=DRAIN_TIMEOUT_S)

    def _env(self, service: Installed, replica: int) -> dict[str, str]:
        own_collector = not self._environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        # How to reach a collector of the user's says nothing about ours.
        inherited = {
            name: value
            for name, value in unprivileged(self._environ).items()
            if not (own_collector and name.startswith("OTEL_EXPORTER_OTLP_"))
        }
        return {
            "RAPPORT_COMPANY": "Rapport",
            "RAPPORT_FRONT_DESK": "agents/alice",  # one of PEOPLE: a person signs
            **inherited,
            **self.infrastructure.service_env(),
            "RAPPORT_SERVICE": service.name,
            "RAPPORT_DATABASE_URL": self.infrastructure.database_url(service.name),
            "RAPPORT_NATS_URL": self.infrastructure.nats_url(service.name),
            "RAPPORT_JWKS_URL": self._issuer.jwks_url,
            "RAPPORT_ISSUER": self._issuer.url,
            **self._sign_in(service, replica),
            "RAPPORT_CUSTOMER_PAGES_URL": next(filter(None, map(self.site, self.services)), ""),
            "RAPPORT_TOKEN_FILE": str(self.home.tokens / service.name),
            "RAPPORT_HOST": "127.0.0.1",
            "RAPPORT_GRPC_PORT": str(self._port(service, replica)),
            "RAPPORT_HTTP_PORT": str(self._port(service, replica) + HTTP_OFFSET),
            "RAPPORT_WEB_PORT": str(self._web_port(service, replica)),
            "RAPPORT_PEERS": self._peers(),
            "RAPPORT_SOURCES": ",".join(each.name for each in self.services if each.tells),
            "RAPPORT_LOG_FORMAT": "json",
            "OTEL_SERVICE_NAME": service.name,
        }

    def _sign_in(self, service: Installed, replica: int) -> dict[str, str]:
        """What a service with pages is told of signing in."""
        if not service.web_port:
            return {}
        return {
            "RAPPORT_PUBLIC_URL": self.site(service, replica),
            "RAPPORT_OIDC_CLIENT_ID": CLIENT,
            "RAPPORT_OIDC_CLIENT_SECRET": self.home.secret(CLIENT_SECRET),
        }

    def _peers(self) -> str:
        """The address of each service, or the addresses of its replicas, as gRPC reads them."""
        several = "ipv4:" if len(self._replicas) > 1 else ""
        told = {each.name: [self.address(each, n) for n in self._replicas] for each in self.services}
        return json.dumps({name: several + ",".join(addresses) for name, addresses in told.items()})

    def _write_env(self) -> None:
        infrastructure, told = self.infrastructure, self.infrastructure.service_env()
        values = {
            "RAPPORT_HOME": str(self.home.path),
            "RAPPORT_PORT_BASE": str(PORT_BASE + self._shift),
            "RAPPORT_PEERS": self._peers(),
            "RAPPORT_JWKS_URL": self._issuer.jwks_url,
            "RAPPORT_ISSUER": self._issuer.url,
            "RAPPORT_LOCAL_PORTS": json.dumps(infrastructure.ports()),
            "RAPPORT_LOCAL_POSTGRES_URL": infrastructure.admin_url,
            "RAPPORT_LOCAL_NATS_URL": infrastructure.nats_admin_url,
            "RAPPORT_LOCAL_SMTP": f"{told['RAPPORT_SMTP_HOST']}:{told['RAPPORT_SMTP_PORT']}",
            "RAPPORT_LOCAL_OTLP_ENDPOINT": told["OTEL_EXPORTER_OTLP_ENDPOINT"],
        }
        if currency := self._environ.get("RAPPORT_CURRENCY"):
            values["RAPPORT_CURRENCY"] = currency  # the import speaks of amounts in it
        if "traces" in infrastructure.databases([]):
            values["RAPPORT_LOCAL_TRACES_URL"] = infrastructure.owner_url("traces")
        for service in self.services:
            prefix = f"RAPPORT_{service.name.upper()}"
            values[f"{prefix}_DATABASE_URL"] = infrastructure.database_url(service.name)
            values[f"{prefix}_HTTP_URL"] = f"http://{self.http_address(service)}"
            values |= {f"{prefix}_URL": self.site(service)} if service.web_port else {}
        self.home.write_env(values)

    def furnished(self) -> None:
        """Tell whoever waits for it that the people and what they work with are entered."""
        self._furnished = True
        self._record()

    def _record(self) -> None:
        told = {"pid": os.getpid(), "since": self._began, "furnished": self._furnished}
        self.home.write_status(told | {"units": [unit.status() for unit in self._supervisor.units]})

    def _check_ports(self) -> None:
        needed: list[tuple[int, str]] = []
        for service, replica in product(self.services, self._replicas):
            port, web = self._port(service, replica), self._web_port(service, replica)
            needed += [(each, service.name) for each in (port, port + HTTP_OFFSET, web) if each]
        require(needed, [port for each in self.services for port in (each.port, each.web_port) if port])

    def _write_tokens(self) -> None:
        for service in self.services:
            self._issuer.write_service_token(service.name, service.permissions)

    async def _keep_provisioned(self) -> None:
        """Provision again whenever the broker was started again: it may have lost what it held.

        Services may not make streams and consumers, and are not ready while theirs are missing.
        """
        brokers = [unit for unit in self._supervisor.units if unit.name == "NATS"]
        seen = [0 for _ in brokers]
        while True:
            await asyncio.sleep(1)
            restarts = [unit.restarts for unit in brokers]
            if restarts == seen or any(unit.state != "ready" for unit in brokers):
                continue
            with suppress(*BROKER_ERRORS):
                await self._provisioned()
                seen = restarts

    async def _renew_tokens(self) -> None:
        """By the wall clock, so that a laptop that wakes up from sleep renews at once."""
        written = time.time()
        while True:
            await asyncio.sleep(LOOK_AT_TOKENS_EVERY_S)
            if time.time() - written > RENEW_SERVICES_EVERY_S:
                try:
                    self._write_tokens()
                    written = time.time()
                except OSError as error:  # a full disk: the old ones are good for a while
                    self._say("tokens", f"are not renewed: {error}")
