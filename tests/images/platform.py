"""The installation: prepared as by whoever installs it, and what stands on the network's gateway."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc

from chassis.grpc.client import Channels
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_testing.engines.postgres import Postgres
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from rapport_tools.deploy.folder import Folder
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import LIFETIME_S, Issuer
from rapport_tools.local.mail import Mailbox
from tests.helm import Object
from tests.images.cluster import Cluster
from tests.images.podman import Failed, podman

SUBNET, GATEWAY = "10.89.77.0/24", "10.89.77.1"
NAMESPACE = "crm"
OUTSIDE = ("postgres-rw", "mailbox")  # what example manifests of others make; here on the gateway
CLUSTER = "https://kubernetes.default.svc"
RAPPORT = str(Path(sys.executable).with_name("rapport"))
LOADING = 2  # callers at once


class Platform:
    """An installation that `rapport deploy prepare` has prepared, and the people who use it.

    Args:
        folder: for all that is kept.
        services: those that it begins with.
    """

    def __init__(self, folder: Path, services: Sequence[str]) -> None:
        self.folder, self._services = folder, services
        self.out = Folder(folder / "crm")
        self.home, self.mailbox = Home(self.out.path), Mailbox(folder / "mail")
        api_server = Home(folder / "api-server")
        for part in (api_server.keys, self.mailbox.folder):
            part.mkdir(parents=True)
        self._api_server = Issuer(api_server, CLUSTER)
        asked = self.out.path / "cluster"  # what `prepare` asks kubectl for, once
        asked.mkdir(parents=True)
        (asked / "issuer").write_text(CLUSTER)
        (asked / "jwks.json").write_text(self._api_server.jwks_file.read_text())
        names = (name for host in OUTSIDE for name in (host, f"{host}.{NAMESPACE}.svc"))
        self.cluster = Cluster(folder / "mounts", dict.fromkeys(names, GATEWAY), self._account_token)
        self.postgres = Postgres(
            folder / "postgres", port=9232, options={"listen_addresses": f"127.0.0.1,{GATEWAY}"}
        )

    def prepare(self, *said: str) -> None:
        """`rapport deploy prepare`, and what it wrote applied as by kubectl."""
        command = [RAPPORT, "deploy", "prepare", *self._services, *said, "--out", str(self.out.path)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        self.cluster.keep(self.out.objects("Secret", "ConfigMap"))

    def start(self, broker: list[Object]) -> None:
        """The broker, PostgreSQL on the network's gateway, and databases."""
        self.cluster.apply(broker, NAMESPACE)
        self.postgres.prepare()
        with (self.postgres.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {SUBNET} scram-sha-256\n")
        self.postgres.spawn()
        self.postgres.wait()
        self.make_databases()

    def make_databases(self) -> None:
        """`databases.sql`, as a superuser."""
        psql = Path(self.postgres.program().argv[0]).with_name("psql")
        command = [psql, "-v", "ON_ERROR_STOP=1", "-q", "-d", self.postgres.url]
        subprocess.run([*command, "-f", self.out.path / "databases.sql"], check=True)

    def reload_broker(self) -> None:
        """As the chart's README says: the servers take the accounts, whose file they have by now."""
        for _ in range(2):  # what an account that is new imports works since the reload after it
            podman(
                "exec", self.cluster.pods["nats"][0].name, "nats-server", "--signal", "reload=/tmp/nats.pid"
            )

    def _account_token(self, namespace: str, account: str, audience: str) -> str:
        now = int(time.time())
        subject = f"system:serviceaccount:{namespace}:{account}"
        claims = {"iss": CLUSTER, "aud": [audience], "sub": subject, "iat": now, "exp": now + LIFETIME_S}
        return self._api_server.sign(claims)

    def session(self, who: str = "agent:demo", department: str = "front-desk") -> Session:
        """An identity that calls, by the Services' names, the pods that are ready."""
        env = {"RAPPORT_PEERS": json.dumps(self._peers())}
        return Session(self.home, env, lambda: self._person_token(who, department))

    def _person_token(self, who: str, department: str) -> str:
        return Issuer(self.home).token_as(who, department)

    def _peers(self) -> dict[str, str]:
        ports = {name: values["port"] for name, values in self.out.values().items()}
        return {name: f"dns://{GATEWAY}:53/{name}.dns.podman:{port}" for name, port in ports.items()}

    def story(self) -> Outcome:
        """The story, to one mail in the mailbox."""
        before = len(self.mailbox.list())
        outcome = Story(self.session, lambda *_: None).run()
        mails = self.mailbox.list()[before:]
        if len(outcome.notices) != 1 or len(mails) != 1:
            raise Failed(f"not one mail: {outcome}, {mails}")
        return outcome

    @contextmanager
    def load(self, customer: str) -> Iterator[Counter[str]]:
        """Until the block ends a view is read, as another service reads it. Failed when a call fails."""
        counted: Counter[str] = Counter()
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(asyncio.run, self._load(customer, counted, ended))
            try:
                yield counted
            finally:
                ended.set()
                loading.result()
        if set(counted) != {"OK"}:
            raise Failed(f"calls failed: {counted}")

    async def _load(self, customer: str, counted: Counter[str], ended: threading.Event) -> None:
        token = self.folder / "load-token"
        token.write_text(self._person_token("agent:demo", "front-desk"))
        channels = Channels(self._peers(), token)
        views = ViewServiceStub(channels.to("customer"))

        async def read() -> None:
            while not ended.is_set():
                try:
                    await views.GetCustomerView(GetCustomerViewRequest(name=f"{customer}/view"))
                    counted["OK"] += 1
                except grpc.aio.AioRpcError as error:
                    counted[f"{error.code().name}: {error.details()}"] += 1

        await asyncio.gather(*(read() for _ in range(LOADING)))
        await channels.close()
