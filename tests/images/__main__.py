"""`make images-check`: build the images and run the platform from the rendered charts, with podman, as root.

It needs podman, runc, busybox and this repository's development environment, and no registry of images.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import helm_python
import yaml
from aiosmtpd.controller import Controller

from deploy.services import SERVICES, TELLING
from rapport_tools.local.mail import Handler
from tests.helm import Object, merged, read, rendered
from tests.images import base, department
from tests.images.platform import GATEWAY, NAMESPACE, SUBNET, Platform
from tests.images.podman import NETWORK, Failed, podman

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "deploy" / "helm"
VERSION = yaml.safe_load((CHARTS / "rapport" / "Chart.yaml").read_text())["appVersion"]
REGISTRY = "localhost"
BASE = f"{REGISTRY}/rapport-base:{VERSION}"
BROKER = f"{REGISTRY}/rapport-nats:{VERSION}"
MAIL_PORT = 1025  # as of deploy/examples/mailbox.yaml
OUTAGE_S = 60.0
NEEDED = ("podman", "buildah", "runc", "netavark", "aardvark-dns", "busybox")
PATH = f"{os.environ['PATH']}:/usr/lib/podman"


def image(name: str, tag: str = VERSION) -> str:
    """As a chart names it."""
    return f"{REGISTRY}/rapport/{name}:{tag}"


def build_base() -> None:
    """The base, if it is not there."""
    if not podman("images", "-q", BASE):
        with step("the base image, of this machine's Python"):
            base.make(BASE)


def obstacle() -> str:
    """Why containers cannot run here, or nothing."""
    if missing := [each for each in NEEDED if not shutil.which(each, path=PATH)]:
        return f"{', '.join(missing)} not installed"
    if os.geteuid():
        return "podman needs root here"
    try:
        podman("info")
        build_base()
        with network():
            podman("run", "--rm", "--pull=never", f"--network={NETWORK}", "--read-only", BASE, "python", "-V")
    except Failed as error:
        return str(error)
    return ""


def build(services: Sequence[str], context: Path) -> None:
    """The base, the first image, and on its libraries the others, two at a time; and a department's."""
    build_base()
    base.make_broker(BROKER)
    first, *others = services
    with step(f"the image of {first}"):
        build_one(first)
    with step(f"the images of {', '.join(others)}, {department.NAME}"), ThreadPoolExecutor(2) as pool:
        own = pool.submit(build_one, department.NAME, context)
        list(pool.map(build_one, others))
        own.result()


def build_one(name: str, context: Path = ROOT) -> None:
    """One image, as anybody builds it."""
    given = ["-f", f"{context}/services/{name}/Dockerfile", "--build-arg", f"BASE={BASE}", "-t", image(name)]
    podman("build", "-q", "--pull=never", "--network=host", *given, str(context))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done and how long it took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


class Check:
    """The proofs, in order, of a first look as docs/operations.md installs it."""

    def __init__(self, platform: Platform, charts: Path, context: Path, services: Sequence[str]) -> None:
        self.platform, self.cluster, self._charts = platform, platform.cluster, charts
        self._context, self._services = context, services
        self._killed: Sequence[str] = services

    def run(self, quick: bool) -> None:
        """All of them, or what is quick."""
        self._killed = self._services[: 1 if quick else None]
        with step("rapport deploy prepare, the broker, databases"):
            database = f"postgres-rw:{self.platform.postgres.port}"
            self.platform.prepare("--nats-servers=1", f"--database-host={database}")
            self.platform.start(self.broker())
        objects = self.umbrella()
        with step("setup Jobs"):
            self.cluster.set_up(objects, NAMESPACE)
        with step("every pod ready"):
            self.cluster.apply(objects, NAMESPACE)
        with step("helm test: everybody reaches whom they call"):
            self.cluster.test(objects, NAMESPACE)
        with step("the story, to the mailbox"):
            customer = self.tell()
        with step("a department joins, its release, and its section of the customer view"):
            self.join(customer)
        with step("replicas killed, the story told meanwhile, and all are ready again"):
            for name in self._killed:
                self.cluster.pods[name][0].kill()
            self.tell()
            self.steady()
        if not quick:
            self.releases(customer)
            self.outages()
        with step("SIGTERM: every pod exits 0"):
            self.cluster.stop([*self._services, department.NAME])

    def join(self, customer: str) -> None:
        """A department's service, begun by the template, joins as docs/operations.md says."""
        described = self._context / f"{department.NAME}.json"
        told = ["python", "-m", department.NAME, "describe"]
        described.write_text(podman("run", "--rm", "--pull=never", image(department.NAME), *told))
        self.platform.prepare(f"{described}@{department.NAMESPACE}")
        self.platform.make_databases()
        self.platform.reload_broker()
        self.release(self.customer(), NAMESPACE)
        own = self._context / department.OWN / "values.yaml"
        values = merged(read(own, self._values(department.NAME)), {"global": {"imageRegistry": REGISTRY}})
        objects = rendered(self._charts / "service", values, department.NAME, department.NAMESPACE)
        self.release(objects, department.NAMESPACE)
        self.cluster.test(objects, department.NAMESPACE)
        department.show(self.platform.session(), self._context, customer)

    def broker(self) -> list[Object]:
        """`helm install infra`, and here the image's name."""
        small = self._charts / "infra" / "values-small.yaml"
        here = {"nats": {"image": {"registry": REGISTRY, "repository": "rapport-nats", "tag": VERSION}}}
        values = merged(read(small, self._values("infra")), here)
        return rendered(self._charts / "infra", values, "infra", NAMESPACE)

    def umbrella(self, **tags: str) -> list[Object]:
        """`helm install rapport`, and here a second pod of whom is killed, and tags of some images."""
        small = self._charts / "rapport" / "values-small.yaml"
        mailbox = ROOT / "deploy" / "examples" / "mailbox-values.yaml"
        here = {name: {"replicas": 2} for name in self._killed}
        tagged = {name: {"image": {"tag": tag}} for name, tag in tags.items()}
        given = read(small, self._values("rapport"), mailbox)
        values = merged(given, here, tagged, {"global": {"imageRegistry": REGISTRY}})
        return rendered(self._charts / "rapport", values, "rapport", NAMESPACE)

    def customer(self, tag: str = "") -> list[Object]:
        """What of the umbrella belongs to customer's chart."""
        objects = self.umbrella(customer=tag)
        return [
            each for each in objects if each["metadata"]["labels"]["app.kubernetes.io/name"] == "customer"
        ]

    def _values(self, release: str) -> Path:
        return self.platform.out.path / "values" / f"{release}.json"

    def release(self, objects: list[Object], namespace: str) -> None:
        """As `helm upgrade --install`."""
        self.cluster.set_up(objects, namespace)
        self.cluster.apply(objects, namespace)

    def tell(self) -> str:
        """The story, and whose it is. Why a pod was restarted is said before what its callers saw of it."""
        try:
            return self.platform.story().customer
        except grpc.RpcError:
            for pod in self.cluster.all:
                pod.require_steady()
            raise

    def steady(self) -> None:
        """Every pod is ready, and none was restarted but those that were killed."""
        for pod in self.cluster.all:
            pod.wait_ready()
            pod.require_steady()

    def releases(self, customer: str) -> None:
        """An upgrade of customer, one that fails in its setup, and a rollback, under load."""
        podman("tag", image("customer"), image("customer", "next"))
        podman("tag", BASE, image("customer", "broken"))
        with self.platform.load(customer) as counted:
            with step("customer upgraded under load"):
                self.release(self.customer("next"), NAMESPACE)
            with step("an upgrade whose setup fails changes no pod"):
                try:
                    self.release(self.customer("broken"), NAMESPACE)
                except Failed:
                    self.steady()
                else:
                    raise Failed("a broken image was released")
            with step("customer rolled back under load"):
                self.cluster.apply(self.customer(), NAMESPACE)
        print(f"          {counted['OK']} calls, none failed")

    def outages(self) -> None:
        """The database away for a minute, the broker killed."""
        postgres = self.platform.postgres
        pods = [pod for name in self._services for pod in self.cluster.pods[name]]
        with step("PostgreSQL away for a minute: nobody is ready, nobody is restarted"):
            postgres.stop()
            time.sleep(OUTAGE_S)
            if ready := [pod.name for pod in pods if pod.ready.is_set()]:
                raise Failed(f"ready without a database: {ready}")
            postgres.spawn()
            postgres.wait()
            self.steady()
            self.tell()
        with step("the broker killed, and the story again"):
            self.cluster.pods["nats"][0].kill()
            self.tell()
            self.steady()


def main() -> None:
    """Run it, and leave nothing behind but images."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("--build", action="store_true", help="only build the images")
    parser.add_argument("--built", action="store_true", help="run the images that are there")
    parser.add_argument("--quick", action="store_true", help="the four services of the story, no outages")
    parser.add_argument("--where-possible", action="store_true", help="say so where no container can run")
    arguments = parser.parse_args()
    os.environ.setdefault("CONTAINERS_CONF", str(Path(__file__).parent / "containers.conf"))
    services = TELLING if arguments.quick else SERVICES
    if arguments.where_possible and (why := obstacle()):
        print(f"images-check: skipped, because no container can run here: {why}")
        return
    try:
        with folder() as context:
            department.begin(context)
            if not arguments.built:
                build(services, context)
            if not arguments.build:
                with installed(services, context) as check:
                    check.run(arguments.quick)
    except Failed as error:
        sys.exit(f"images-check: {error}")


@contextmanager
def network() -> Iterator[None]:
    """The network, which takes every container on it along when it goes."""
    podman("network", "rm", "-f", NETWORK, check=False)  # what a run that was killed left
    podman("network", "create", "--subnet", SUBNET, "--gateway", GATEWAY, NETWORK)
    try:
        yield
    finally:
        podman("network", "rm", "-f", NETWORK, check=False)


@contextmanager
def folder() -> Iterator[Path]:
    """One that containers can read, and that is gone afterwards."""
    at = os.environ.get("RAPPORT_IMAGES")
    with tempfile.TemporaryDirectory(prefix="rapport-images-", dir=at) as made:
        Path(made).chmod(0o755)
        yield Path(made)


@contextmanager
def installed(services: Sequence[str], context: Path) -> Iterator[Check]:
    """A check with a network, a mail server and charts of its own, which are gone afterwards."""
    with ExitStack() as stack:
        kept = stack.enter_context(folder())
        shutil.copytree(CHARTS, kept / "helm")
        for chart in (*SERVICES, "rapport", "service"):
            helm_python.dependency_update(kept / "helm" / chart)
        stack.enter_context(network())
        platform = Platform(kept, services)
        stack.callback(platform.postgres.stop)
        stack.callback(platform.cluster.let_go)
        mail = Controller(Handler(platform.mailbox), hostname="0.0.0.0", port=MAIL_PORT)
        mail.start()
        stack.callback(mail.stop)
        yield Check(platform, kept / "helm", context, services)


if __name__ == "__main__":
    main()
