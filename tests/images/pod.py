"""A pod and what a kubelet does for it: probes as they are declared, restarts, names while it is ready."""

import json
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from tests.images.podman import NETWORK, Failed, podman, publish

Object = dict[str, Any]
READY_S = 120.0  # from the start of the process, which answers startup, until it is ready


@dataclass(frozen=True)
class Probe:
    """One probe of a container as its manifest declares it, with Kubernetes' defaults."""

    path: str
    port: int
    delay: float
    period: float
    timeout: float
    failures: int

    @classmethod
    def of(cls, container: Object, kind: str) -> Self:
        """The probe of a kind."""
        declared = container[f"{kind}Probe"]
        asked = declared["httpGet"]
        return cls(
            path=asked["path"],
            port=next(each["containerPort"] for each in container["ports"] if each["name"] == asked["port"]),
            delay=declared.get("initialDelaySeconds", 0),
            period=declared.get("periodSeconds", 10),
            timeout=declared.get("timeoutSeconds", 1),
            failures=declared.get("failureThreshold", 3),
        )

    def passes(self, address: str) -> bool:
        """Ask once."""
        try:
            with urllib.request.urlopen(
                f"http://{address}:{self.port}{self.path}", timeout=self.timeout
            ) as answer:
                return bool(200 <= answer.status < 400)
        except OSError:
            return False


class Pod:
    """One container of a Deployment that runs, watched in a thread until it is let go.

    Args:
        name: the container's.
        template: the Deployment's.
        services: whose names it has while it is ready.
    """

    def __init__(self, name: str, template: Object, services: list[str]) -> None:
        self.name, self.template, self._services = name, template, services
        self.restarts: list[str] = []
        self.spared = 0  # how many restarts are meant
        self.ready = threading.Event()
        self._gone = threading.Event()
        container = template["spec"]["containers"][0]
        self._probes = {kind: Probe.of(container, kind) for kind in ("startup", "liveness", "readiness")}
        self._watch = threading.Thread(target=self._watched, name=name)
        self._watch.start()

    @property
    def state(self) -> Object:
        """What podman knows of it: Status, ExitCode, OOMKilled."""
        return dict(json.loads(podman("inspect", self.name))[0]["State"])

    @property
    def address(self) -> str:
        """Where it is since its last start."""
        networks = json.loads(podman("inspect", self.name))[0]["NetworkSettings"]["Networks"]
        return str(networks[NETWORK]["IPAddress"])

    @property
    def log(self) -> str:
        """All that it wrote."""
        done = subprocess.run(["podman", "logs", self.name], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def wait_ready(self) -> None:
        """Until it is ready. Failed when it was restarted unasked, or is not ready in time."""
        startup = self._probes["startup"]
        ends = time.monotonic() + startup.period * startup.failures + READY_S
        # A probe that was on its way when it was killed may have passed: it is not ready before its restart.
        while len(self.restarts) < self.spared or not self.ready.is_set():
            self.require_steady()
            if time.monotonic() > ends:
                raise Failed(f"{self.name} does not become ready\n{self.log[-4000:]}")
            self._gone.wait(0.2)

    def require_steady(self) -> None:
        """Failed when it was restarted and nobody meant it."""
        if len(self.restarts) > self.spared:
            raise Failed(f"{self.name} was restarted: {self.restarts}\n{self.log[-4000:]}")

    def kill(self) -> None:
        """SIGKILL; it is restarted, as any container that ends."""
        self.spared += 1
        self.ready.clear()
        podman("kill", self.name)

    def stop(self) -> int:
        """SIGTERM, its names taken away meanwhile, and SIGKILL after the grace period: the exit code."""
        self.let_go()
        grace = self.template["spec"]["terminationGracePeriodSeconds"]
        stopping = subprocess.Popen(
            ["podman", "stop", "-t", str(grace), self.name], stdout=subprocess.DEVNULL
        )
        publish(self.name, [])
        stopping.wait()
        return int(self.state["ExitCode"])

    def let_go(self) -> None:
        """Watch it no more."""
        self._gone.set()
        self._watch.join()

    def _watched(self) -> None:
        while not self._gone.is_set():
            if ended := self._life():
                self.ready.clear()
                self.restarts.append(ended)
                podman(
                    "restart", "-t", str(self.template["spec"]["terminationGracePeriodSeconds"]), self.name
                )

    def _life(self) -> str:
        """From one start to what makes a restart necessary: why, or nothing when it is let go."""
        address, failed = self.address, Counter[str]()
        due = {"startup": time.monotonic() + self._probes["startup"].delay}
        while not self._gone.wait(min(due.values()) - time.monotonic()):
            kind = min(due, key=due.__getitem__)
            probe = self._probes[kind]
            due[kind] = time.monotonic() + probe.period
            passes = probe.passes(address)
            failed[kind] = 0 if passes else failed[kind] + 1
            if kind == "startup" and passes:
                now = time.monotonic()
                due = {each: now + self._probes[each].delay for each in ("liveness", "readiness")}
            elif kind == "readiness" and (passes or failed[kind] >= probe.failures):
                self._publish(passes)
            elif kind != "readiness" and failed[kind] >= probe.failures:
                return f"{kind} failed {failed[kind]} times"
            if not passes and (state := self.state)["Status"] != "running":
                return f"exited {state['ExitCode']}{', out of memory' if state['OOMKilled'] else ''}"
        return ""

    def _publish(self, ready: bool) -> None:
        if ready != self.ready.is_set():
            publish(self.name, self._services if ready else [])
            (self.ready.set if ready else self.ready.clear)()
