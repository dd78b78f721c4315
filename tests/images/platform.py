"""What stands around the pods, on the network's gateway or beside them, and what whoever installs makes."""

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc

from chassis.grpc.client import Channels
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_testing.engines.accounts import provisioner_of
from rapport_testing.engines.nats import binary as nats_binary
from rapport_testing.engines.postgres import Postgres, owner_of
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from rapport_tools.deploy.members import Member, members
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.mail import Mailbox
from tests.images.cluster import Cluster
from tests.images.department import NAME
from tests.images.podman import NETWORK, Failed, podman

SUBNET, GATEWAY = "10.89.77.0/24", "10.89.77.1"
ISSUER = "rapport"
LOADING = 2  # callers at once


class Platform:
    """Broker, databases, issuer and mailbox for a cluster, and the people who use it.

    Args:
        folder: for all that is kept.
        image: the image of each service.
        base: the image for the broker's binary.

    """

    def __init__(self, folder: Path, image: dict[str, str], base: str) -> None:
        self.folder, self.names, self._image, self._base = folder, [*image], image, base
        self.cluster = Cluster(folder / "mounts")
        self.home = Home(folder / "home")
        for part in (self.home.mail, self.home.keys):
            part.mkdir(parents=True)
        self.issuer = Issuer(self.home, ISSUER)
        self.services: list[Member] = []
        self.postgres = Postgres(
            folder / "postgres", port=9232, options={"listen_addresses": f"127.0.0.1,{GATEWAY}"}
        )

    def start(self) -> None:
        """Start it, and fill the cluster with what deploy/helm/infra/README.md lists."""
        self._serve_broker()
        asyncio.run(self._serve_databases())
        self._make_secrets()

    def _serve_broker(self) -> None:
        """NATS, with the accounts that the images declare."""
        with ThreadPoolExecutor(2) as pool:
            declarations = list(map(str, pool.map(self._describe, self.names)))
        self.services = members(declarations, "crm")
        command = [str(Path(sys.executable).with_name("rapport")), "nats-accounts", *declarations]
        made = subprocess.run(
            [*command, f"--passwords={self.folder / 'passwords'}"], stdout=subprocess.PIPE, check=True
        )
        config = {
            "listen": "0.0.0.0:4222",
            "jetstream": {"store_dir": "/data", "max_file_store": 20 * 1024**3},
            "feature_flags": {"js_ack_fc_v2": False},
        }
        (self.folder / "nats.conf").write_text(json.dumps(config | json.loads(made.stdout)))
        (self.folder / "nats").mkdir()
        mounts = {nats_binary(): "/nats-server:ro", "nats.conf": "/nats.conf:ro", "nats": "/data"}
        volumes = [f"--volume={self.folder / str(path)}:{target}" for path, target in mounts.items()]
        options = ["-d", "--name=nats", "--pull=never", f"--network={NETWORK}", *volumes]
        podman("run", *options, self._base, "/nats-server", "-c", "/nats.conf")

    def _describe(self, name: str) -> Path:
        file = self.folder / f"{name}.json"
        hears = f"--env=RAPPORT_SOURCES={NAME}" if name == "customer" else "--env=RAPPORT_SOURCES="
        run = ["run", "--rm", "--pull=never", hears, self._image[name], "python", "-m", name, "describe"]
        file.write_text(podman(*run))
        return file

    async def _serve_databases(self) -> None:
        """PostgreSQL on the gateway, and a database with its owner and its role for each service."""
        self.postgres.prepare()
        with (self.postgres.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {SUBNET} scram-sha-256\n")
        self.postgres.spawn()
        self.postgres.wait()
        for name in self.names:
            await self.postgres.create_database(name)

    def _make_secrets(self) -> None:
        secrets = self.cluster.secrets
        for service in self.services:
            name = service.name
            for secret, role in ((f"{name}-database", name), (f"{name}-database-owner", owner_of(name))):
                secrets[secret] = {"url": self.postgres.url_for(name, role).replace("127.0.0.1", GATEWAY)}
            secrets[f"{name}-nats"] = self._broker(name)
            secrets[f"{name}-nats-admin"] = self._broker(provisioner_of(name))
            secrets[f"{name}-token"] = {
                "token": self.issuer.token(f"service:{name}", service.permissions, name)
            }
        self.cluster.config_maps["rapport-jwks"] = {"jwks.json": self.issuer.jwks_file.read_text()}

    def _broker(self, user: str) -> dict[str, str]:
        password = (self.folder / "passwords" / user).read_text()
        return {"url": f"nats://{user}:{password}@nats:4222"}

    def session(self, who: str = "agent:demo", department: str = "front-desk") -> Session:
        """An identity that calls, by the Services' names, the pods that are ready."""
        env = {"RAPPORT_PEERS": json.dumps(self._peers())}
        return Session(self.home, env, self.issuer.token_as(who, department))

    def _peers(self) -> dict[str, str]:
        return {each.name: f"dns://{GATEWAY}:53/{each.name}.dns.podman:{each.port}" for each in self.services}

    def story(self) -> Outcome:
        """The story, to one mail in the mailbox."""
        mailbox = Mailbox(self.home.mail)
        before = len(mailbox.list())
        outcome = Story(self.session, lambda *_: None).run()
        mails = mailbox.list()[before:]
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
        token.write_text(self.issuer.token_as("agent:demo", "front-desk"))
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
