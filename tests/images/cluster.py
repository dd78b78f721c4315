"""The rendered manifests run by podman, as Kubernetes would run them: nothing else is told to a container.

A Deployment's pods are containers on one network, each under its Service's name; hook Jobs run before.
Environment, files of secrets and ConfigMaps, the security context, memory, commands and probes are the
manifests' own. Not seen here: scheduling, NetworkPolicies, autoscaling, and what only an API server refuses.
"""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]
NETWORK = "rapport-images"
PATIENCE_S = 120.0


class Failed(Exception):
    """What a real cluster would have shown as a pod that does not get on."""


@dataclass
class Pod:
    """One container of a Deployment, and what its probes said so far."""

    name: str
    address: str
    template: Object

    def probe(self, kind: str) -> bool:
        """Ask once, as the manifest says, within its time."""
        container = self.template["spec"]["containers"][0]
        declared = container[f"{kind}Probe"]
        asked = declared["httpGet"]
        port = next(port["containerPort"] for port in container["ports"] if port["name"] == asked["port"])
        url = f"http://{self.address}:{port}{asked['path']}"
        try:
            with urllib.request.urlopen(url, timeout=declared.get("timeoutSeconds", 1)) as answer:
                return bool(200 <= answer.status < 400)
        except (urllib.error.URLError, OSError):
            return False


class Cluster:
    """Objects, and the pods made of them.

    Args:
        podman: the command, with its global options.
        folder: where mounted secrets and ConfigMaps lie.
        image: the image in place of the one that a manifest names.

    """

    def __init__(self, podman: list[str], folder: Path, image: Callable[[str], str]) -> None:
        self.podman_command, self.folder, self._image = podman, folder, image
        self.secrets: dict[str, dict[str, str]] = {}
        self.config_maps: dict[str, dict[str, str]] = {}
        self.pods: dict[str, list[Pod]] = {}
        self._made = 0

    def podman(self, *arguments: str, check: bool = True) -> str:
        """Run podman and return what it wrote. Failed with what it said, when it fails."""
        done = subprocess.run([*self.podman_command, *arguments], capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise Failed(f"podman {' '.join(arguments[:3])}...: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout.strip()

    def install(self, objects: list[Object]) -> None:
        """As `helm install --wait`: hook Jobs by weight, then the rest; back when every pod is ready."""
        hooks = [each for each in objects if _hook(each).startswith("pre-install")]
        for job in sorted(
            hooks, key=lambda each: int(each["metadata"]["annotations"]["helm.sh/hook-weight"])
        ):
            self.run_job(job)
        self.apply(objects)

    def apply(self, objects: list[Object]) -> None:
        """Make what is no hook, and wait until it is ready."""
        plain = [each for each in objects if not _hook(each)]
        self.config_maps |= {e["metadata"]["name"]: e["data"] for e in plain if e["kind"] == "ConfigMap"}
        services = [each for each in plain if each["kind"] == "Service"]
        for deployment in (each for each in plain if each["kind"] == "Deployment"):
            template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
            aliases = [s["metadata"]["name"] for s in services if _selects(s, template)]
            started = [self.start(name, template, aliases) for _ in range(deployment["spec"]["replicas"])]
            self.pods[name] = [*self.pods.get(name, []), *started]
        for pods in self.pods.values():
            for pod in pods:
                self.wait_ready(pod)

    def run_job(self, job: Object) -> None:
        """Every container of a Job in turn. Failed, with its log, when one fails on every attempt allowed."""
        template = job["spec"]["template"]
        spec = template["spec"]
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            self._made += 1
            name = f"{job['metadata']['name']}-{container['name']}-{self._made}"
            self.podman("run", "--rm", *self._options(name, template, container))

    def start(self, name: str, template: Object, aliases: list[str]) -> Pod:
        """Start one pod of a Deployment under the names of its Services."""
        self._made += 1
        pod = f"{name}-{self._made}"
        names = [f"--network-alias={alias}" for alias in aliases]
        self.podman("run", "-d", *names, *self._options(pod, template, template["spec"]["containers"][0]))
        networks = json.loads(self.podman("inspect", pod))[0]["NetworkSettings"]["Networks"]
        return Pod(pod, networks[NETWORK]["IPAddress"], template)

    def wait_ready(self, pod: Pod) -> None:
        """Wait for the startup probe, as often as it is declared, then for readiness."""
        deadline = time.monotonic() + PATIENCE_S
        while not (pod.probe("startup") and pod.probe("readiness")):
            if self.state(pod)["Status"] != "running" or time.monotonic() > deadline:
                raise Failed(f"{pod.name} is not ready: {self.state(pod)}\n{self.log(pod)[-4000:]}")
            time.sleep(0.2)

    def state(self, pod: Pod) -> Object:
        """What podman knows of it: Status, ExitCode, OOMKilled."""
        return dict(json.loads(self.podman("inspect", pod.name))[0]["State"])

    def log(self, pod: Pod) -> str:
        """All that it wrote."""
        command = [*self.podman_command, "logs", pod.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def kill(self, pod: Pod) -> None:
        """SIGKILL, and no container is there any more."""
        self.podman("kill", pod.name)
        self._forget(pod)

    def stop(self, pod: Pod) -> int:
        """SIGTERM, and SIGKILL after the grace period: the exit code."""
        grace = pod.template["spec"]["terminationGracePeriodSeconds"]
        self.podman("stop", "-t", str(grace), pod.name)
        self._forget(pod)
        return int(self.state(pod)["ExitCode"])

    def replace(self, name: str) -> Iterator[int]:
        """A rolling upgrade, one more first and none less: the exit code of each pod that went."""
        for old in list(self.pods[name]):
            new = self.start(name, old.template, [name])
            self.wait_ready(new)
            self.pods[name].append(new)
            yield self.stop(old)

    def _forget(self, pod: Pod) -> None:
        for pods in self.pods.values():
            if pod in pods:
                pods.remove(pod)

    def _options(self, name: str, template: Object, container: Object) -> list[str]:
        spec = template["spec"]
        context, own = spec["securityContext"], container["securityContext"]
        if not (own["readOnlyRootFilesystem"] and context["runAsNonRoot"]):
            raise Failed(f"{name} is not restricted")
        options = [
            f"--name={name}",
            f"--hostname={name}",
            "--pull=never",
            f"--network={NETWORK}",
            "--read-only",
        ]
        options += ["--read-only-tmpfs=false", f"--user={context['runAsUser']}:{context['runAsGroup']}"]
        options += [f"--cap-drop={each}" for each in own["capabilities"]["drop"]]
        options += [f"--security-opt=no-new-privileges={str(not own['allowPrivilegeEscalation']).lower()}"]
        options += ["--memory=" + container["resources"]["limits"]["memory"].replace("Mi", "m")]
        options += [f"--env={key}={value}" for key, value in self._environment(name, container).items()]
        options += list(self._mounts(name, spec, container))
        return [*options, self._image(container["image"]), *container["command"], *container.get("args", ())]

    def _environment(self, pod: str, container: Object) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            kind = self.config_maps if "configMapRef" in source else self.secrets
            found |= kind[next(iter(source.values()))["name"]]
        for variable in container.get("env", ()):
            found[variable["name"]] = self._value(pod, variable, found)
        return found

    def _value(self, pod: str, variable: Object, known: dict[str, str]) -> str:
        if "value" in variable:
            return re.sub(r"\$\((\w+)\)", lambda m: known.get(m[1], m[0]), variable["value"])
        source = variable["valueFrom"]
        if "fieldRef" in source:
            return {"metadata.name": pod, "metadata.namespace": "crm"}[source["fieldRef"]["fieldPath"]]
        asked = source["secretKeyRef"]
        return self.secrets[asked["name"]][asked["key"]]

    def _mounts(self, pod: str, spec: Object, container: Object) -> Iterator[str]:
        volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
        for mount in container.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            if "emptyDir" in volume:
                size = volume["emptyDir"].get("sizeLimit", "64Mi").replace("Mi", "m")
                yield f"--tmpfs={mount['mountPath']}:rw,mode=1777,size={size}"
                continue
            folder = self.folder / pod / mount["name"]
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for path, text in self._files(volume):
                (folder / path).write_text(text)
            yield f"--volume={folder}:{mount['mountPath']}:ro"

    def _files(self, volume: Object) -> Iterator[tuple[str, str]]:
        if "secret" in volume:
            source, data = volume["secret"], self.secrets[volume["secret"]["secretName"]]
        else:
            source, data = volume["configMap"], self.config_maps[volume["configMap"]["name"]]
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            yield item["path"], data[item["key"]]


def _hook(found: Object) -> str:
    return str(found["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def _weight(job: Object) -> int:
    return int(job["metadata"]["annotations"]["helm.sh/hook-weight"])


def _selects(service: Object, template: Object) -> bool:
    return bool(service["spec"]["selector"].items() <= template["metadata"]["labels"].items())
