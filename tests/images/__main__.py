"""`make images-check`: build the images and run the platform from the rendered charts, with podman, as root.

    python -m tests.images [--service NAME ...] [--quick] [--keep-images]

It needs podman, runc, busybox and this repository's development environment, and no registry of images.
"""

import argparse
import asyncio
import concurrent.futures
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import helm_python
import yaml
from aiosmtpd.controller import Controller

from chassis.events.declarations import Declaration
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_testing.channels import OPTIONS
from rapport_testing.engines.accounts import accounts
from rapport_testing.engines.nats import _binary as nats_binary
from rapport_testing.engines.postgres import Postgres, derive, owner_of
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from rapport_tools.local.home import Home
from rapport_tools.local.installed import Installed, load_services
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.mail import Handler, Mailbox
from tests.images import base
from tests.images.cluster import NETWORK, Cluster, Failed

ROOT = Path(__file__).parents[2]
SERVICES = ("customer", "cases", "loyalty", "notifications", "desk")
TAG = "check"
SUBNET, GATEWAY = "10.89.77.0/24", "10.89.77.1"
MAIL_PORT = 9225
ISSUER = "rapport"


class Check:
    """What the steps share: podman, the cluster, servers on the network's gateway, and the people."""

    def __init__(self, folder: Path, podman: list[str]) -> None:
        self.folder, self.podman = folder, podman
        self.cluster = Cluster(
            podman, folder / "mounts", lambda image: f"localhost/{image.rpartition(':')[0]}:{TAG}"
        )
        self.home = Home(folder / "home")
        for part in (self.home.mail, self.home.keys):
            part.mkdir(parents=True)
        self.issuer = Issuer(self.home, ISSUER)
        self.services = [Installed.of(service) for service in load_services()]
        self.postgres = Postgres(
            folder / "postgres", port=9232, options={"listen_addresses": f"127.0.0.1,{GATEWAY}"}
        )

    def build(self) -> None:
        """The base, if it is not there, and every image on it."""
        if not self.cluster.podman("images", "-q", f"localhost/rapport-base:{TAG}"):
            with step("the base image, of this machine's Python"):
                base.make(self.podman, f"localhost/rapport-base:{TAG}")
        for name in SERVICES:
            with step(f"the image of {name}"):
                arguments = ["build", "-q", "--pull=never", "--network=host"]
                arguments += [
                    "--build-arg",
                    f"BASE=localhost/rapport-base:{TAG}",
                    "-f",
                    f"services/{name}/Dockerfile",
                ]
                self.cluster.podman(*arguments, "-t", f"localhost/rapport/{name}:{TAG}", str(ROOT))

    def serve_broker(self) -> None:
        """NATS in a container, with the accounts that the images declare."""
        described = [
            self.cluster.podman(
                "run",
                "--rm",
                "--pull=never",
                f"localhost/rapport/{name}:{TAG}",
                "python",
                "-m",
                name,
                "describe",
            )
            for name in SERVICES
        ]
        found = [Declaration.read(json.loads(text)) for text in described]
        config = {
            "listen": "0.0.0.0:4222",
            "jetstream": {"store_dir": "/data", "max_file_store": 20 * 1024**3},
            "feature_flags": {"js_ack_fc_v2": False},
            "accounts": accounts(found, self.password),
        }
        (self.folder / "nats.conf").write_text(json.dumps(config))
        (self.folder / "nats").mkdir()
        self.cluster.podman(
            "run",
            "-d",
            "--name=nats",
            "--pull=never",
            f"--network={NETWORK}",
            f"--volume={nats_binary()}:/nats-server:ro",
            f"--volume={self.folder}/nats.conf:/nats.conf:ro",
            f"--volume={self.folder}/nats:/data",
            f"localhost/rapport-base:{TAG}",
            "/nats-server",
            "-c",
            "/nats.conf",
        )

    async def serve_databases(self) -> None:
        """PostgreSQL on the gateway, and a database with its owner and its role for each service."""
        self.postgres.prepare()
        with (self.postgres.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {SUBNET} scram-sha-256\n")
        self.postgres.spawn()
        self.postgres.wait()
        for name in SERVICES:
            await self.postgres.create_database(name)

    def password(self, user: str) -> str:
        """A user's password at the broker."""
        return derive("images", user)

    def make_secrets(self) -> None:
        """What deploy/helm/infra/README.md lists as made by whoever installs."""
        secrets = self.cluster.secrets
        for service in self.services:
            name = service.name
            for secret, role in ((f"{name}-database", name), (f"{name}-database-owner", owner_of(name))):
                secrets[secret] = {"url": self.postgres.url_for(name, role).replace("127.0.0.1", GATEWAY)}
            secrets[f"{name}-nats"] = {"url": f"nats://{name}:{self.password(name)}@nats:4222"}
            token = self.issuer.token(f"service:{name}", service.permissions, name)
            secrets[f"{name}-token"] = {"token": token}
        secrets["rapport-nats-admin"] = {"url": f"nats://provision:{self.password('provision')}@nats:4222"}
        self.cluster.config_maps["rapport-jwks"] = {"jwks.json": self.issuer.jwks_file.read_text()}

    def session(self, who: str = "agent:demo", department: str = "front-desk") -> Session:
        """An identity that calls the pods that are there, over all of them."""
        ports = {service.name: service.port for service in self.services}
        peers = {
            name: "ipv4:" + ",".join(f"{pod.address}:{ports[name]}" for pod in pods)
            for name, pods in self.cluster.pods.items()
        }
        return Session(self.home, {"RAPPORT_PEERS": json.dumps(peers)}, self.issuer.token_as(who, department))

    def story(self) -> Outcome:
        """The story, to the mailbox."""
        before = len(Mailbox(self.home.mail).list())
        outcome = Story(self.session, lambda *_: None).run()
        mails = Mailbox(self.home.mail).list()
        require(len(outcome.notices) == 1 and len(mails) == before + 1, f"not one mail: {outcome}, {mails}")
        return outcome

    @contextmanager
    def load(self, customer: str) -> Iterator[dict[str, int]]:
        """A view read again and again over both pods, by the network's own names, until the block ends."""
        counted: dict[str, int] = {}
        ended = threading.Event()
        address = f"dns://{GATEWAY}/customer.dns.podman:7001"
        options = [*OPTIONS, ("grpc.lb_policy_name", "round_robin"), ("grpc.service_config", RETRIES)]
        bearer = [("authorization", f"Bearer {self.issuer.token_as('agent:demo', 'front-desk')}")]

        def read() -> None:
            with grpc.insecure_channel(address, options) as channel:
                views = ViewServiceStub(channel)
                while not ended.is_set():
                    try:
                        views.GetCustomerView(
                            GetCustomerViewRequest(name=f"{customer}/view"), timeout=10, metadata=bearer
                        )
                        code = "OK"
                    except grpc.RpcError as error:
                        code = f"{error.code().name}: {error.details()}"
                    counted[code] = counted.get(code, 0) + 1

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            running = [pool.submit(read) for _ in range(2)]
            try:
                yield counted
            finally:
                ended.set()
            for each in running:
                each.result()


# As a service calls another: what never reached a handler is safe to repeat.
RETRIES = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": "accepting"},
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


def rendered(folder: Path) -> list[dict[str, Any]]:
    """Every object of the umbrella, hooks included."""
    charts = folder / "helm"
    shutil.copytree(ROOT / "deploy" / "helm", charts)
    for chart in (*SERVICES, "rapport"):
        helm_python.dependency_update(charts / chart)
    mail = {"smtp_host": GATEWAY, "smtp_port": str(MAIL_PORT), "smtp_security": "none"}
    values: dict[str, Any] = {name: {"setup": {"streamReplicas": 1}} for name in SERVICES}
    values["notifications"]["settings"] = mail
    files = helm_python.Chart.load(charts / "rapport").render(values, name="rapport", namespace="crm")
    texts = [text for path, text in files.items() if not path.endswith("NOTES.txt")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done and how long it took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


def require(condition: bool, said: str) -> None:
    """Failed with what is said unless the condition holds."""
    if not condition:
        raise Failed(said)


def steps(check: Check, quick: bool) -> None:
    """The proofs, in order."""
    cluster = check.cluster
    with step("broker, databases, mail server"):
        check.serve_broker()
        asyncio.run(check.serve_databases())
        check.make_secrets()
    with step("setup Jobs, then every pod ready"):
        cluster.install(rendered(check.folder))
    with step("the story, to the mailbox"):
        outcome = check.story()
    with step("a replica of each service killed, and the story again"):
        for pods in list(cluster.pods.values()):
            cluster.kill(pods[0])
        check.story()
    if not quick:
        outages(check, outcome.customer)
    with step("SIGTERM: every pod exits 0"):
        for pod in [pod for pods in cluster.pods.values() for pod in pods]:
            code = cluster.stop(pod)
            require(code == 0, f"{pod.name} exits {code}\n{cluster.log(pod)[-2000:]}")


def outages(check: Check, customer: str) -> None:
    """A rolling upgrade under load, the database away for a minute, the broker restarted."""
    cluster = check.cluster
    with step("a rolling upgrade of customer under load"):
        with check.load(customer) as counted:
            codes = list(cluster.replace("customer"))
        require(set(codes) == {0}, f"exit codes {codes}")
        require(set(counted) == {"OK"}, f"calls failed: {counted}")
        print(f"          {counted['OK']} calls, none failed")
    pods = [pod for each in cluster.pods.values() for pod in each]
    with step("the database away for a minute: unready, alive"):
        check.postgres.stop()
        ends, unready = time.monotonic() + 60, set()
        while time.monotonic() < ends:
            require(all(pod.probe("liveness") for pod in pods), "a pod would be restarted")
            unready |= {pod.name for pod in pods if not pod.probe("readiness")}
            time.sleep(1)
        require(
            len(unready) == len(pods),
            f"ready without a database: {[p.name for p in pods if p.name not in unready]}",
        )
        check.postgres.spawn()
        check.postgres.wait()
        for pod in pods:
            cluster.wait_ready(pod)
        check.story()
    with step("the broker restarted, and the story again"):
        cluster.podman("restart", "-t", "5", "nats")
        check.story()


def main() -> None:
    """Run it, and leave nothing behind but images."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="images, Jobs, the story, one kill of each, SIGTERM"
    )
    parser.add_argument("--build", action="store_true", help="only the images")
    parser.add_argument("--built", action="store_true", help="with the images that are there")
    arguments = parser.parse_args()
    os.environ.setdefault("CONTAINERS_CONF", str(Path(__file__).parent / "containers.conf"))
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="rapport-images-", dir=os.environ.get("RAPPORT_IMAGES"))
            )
        )
        folder.chmod(0o755)
        check = Check(folder, ["podman"])
        if not arguments.built:
            check.build()
        if arguments.build:
            return
        stack.callback(remove, check)
        remove(check)
        check.cluster.podman("network", "create", "--subnet", SUBNET, "--gateway", GATEWAY, NETWORK)
        mail = Controller(Handler(Mailbox(check.home.mail)), hostname="0.0.0.0", port=MAIL_PORT)
        mail.start()
        stack.callback(mail.stop)
        try:
            steps(check, arguments.quick)
        except Failed as error:
            sys.exit(f"images-check: {error}")


def remove(check: Check) -> None:
    """Every container on the network, the network, the database."""
    check.postgres.stop()
    check.cluster.podman("network", "rm", "-f", NETWORK, check=False)


if __name__ == "__main__":
    main()
