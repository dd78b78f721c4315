"""The rendered manifests run by podman, as Kubernetes would run them: nothing else is told to a container.

A Deployment's pods are containers on one network; hook Jobs run before, and pods of `helm test` when asked.
Environment, files of secrets and ConfigMaps, the security context, memory, commands, images and probes are
the manifests' own. Not seen: scheduling, NetworkPolicies, autoscaling, and what only an API server refuses.
"""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.images.pod import Pod
from tests.images.podman import NETWORK, Failed, podman

Object = dict[str, Any]


class Cluster:
    """Objects, and the pods made of them.

    Args:
        folder: where mounted secrets and ConfigMaps lie.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets: dict[str, dict[str, str]] = {}
        self.config_maps: dict[str, dict[str, str]] = {}
        self.pods: dict[str, list[Pod]] = {}
        self._made = 0

    @property
    def all(self) -> list[Pod]:
        """Every pod that runs."""
        return [pod for pods in self.pods.values() for pod in pods]

    def set_up(self, objects: list[Object]) -> None:
        """The hook Jobs of an install and an upgrade, by weight. Failed, with its log, when one fails."""
        hooks = [each for each in objects if _hook(each).startswith("pre-install")]
        for job in sorted(hooks, key=_weight):
            spec = job["spec"]["template"]["spec"]
            for container in [*spec.get("initContainers", ()), *spec["containers"]]:
                self._run(job["metadata"]["name"], job["spec"]["template"], container)

    def test(self, objects: list[Object]) -> None:
        """As `helm test`. Failed, with its log, when a pod fails."""
        for pod in [each for each in objects if _hook(each) == "test"]:
            self._run(pod["metadata"]["name"], pod, pod["spec"]["containers"][0])

    def apply(self, objects: list[Object], namespace: str = "crm") -> None:
        """Make what is no hook, and wait until it is ready, pods of before replaced."""
        plain = [each for each in objects if not _hook(each)]
        self.config_maps |= {e["metadata"]["name"]: e["data"] for e in plain if e["kind"] == "ConfigMap"}
        services = [each for each in plain if each["kind"] == "Service"]
        for deployment in (each for each in plain if each["kind"] == "Deployment"):
            template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
            found = [each["metadata"]["name"] for each in services if _selects(each, template)]
            names = [*found, *(f"{each}.{namespace}.svc" for each in found)]  # here, and from elsewhere
            if name in self.pods:
                self._roll(name, deployment["spec"], names)
            else:
                count = range(deployment["spec"]["replicas"])
                self.pods[name] = [self._start(name, template, names) for _ in count]
        for pod in self.all:
            pod.wait_ready()

    def _roll(self, name: str, spec: Object, names: list[str]) -> None:
        """One by one, a new pod ready before an old one goes: `maxSurge: 1, maxUnavailable: 0`."""
        if spec["strategy"]["rollingUpdate"] != {"maxSurge": 1, "maxUnavailable": 0}:
            raise Failed(f"{name} is rolled otherwise than this can")
        for old in list(self.pods[name]):
            new = self._start(name, spec["template"], names)
            self.pods[name].append(new)
            new.wait_ready()
            self.pods[name].remove(old)
            _stop(old)

    def stop(self) -> None:
        """SIGTERM to every pod. Failed when one exits otherwise than with 0."""
        ended, self.pods = self.all, {}
        with ThreadPoolExecutor(len(ended)) as pool:
            list(pool.map(_stop, ended))

    def let_go(self) -> None:
        """Watch no pod any more."""
        for pod in self.all:
            pod.let_go()

    def _start(self, name: str, template: Object, names: list[str]) -> Pod:
        self._made += 1
        pod = f"{name}-{self._made}"
        podman("run", "-d", *self._options(pod, template, template["spec"]["containers"][0]))
        return Pod(pod, template, names)

    def _run(self, name: str, template: Object, container: Object) -> None:
        self._made += 1
        podman("run", "--rm", *self._options(f"{name}-{container['name']}-{self._made}", template, container))

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
        return [*options, container["image"], *container["command"], *container.get("args", ())]

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


def _stop(pod: Pod) -> None:
    code = pod.stop()
    if code:
        raise Failed(f"{pod.name} exits {code}\n{pod.log[-2000:]}")


def _hook(found: Object) -> str:
    return str(found["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def _weight(job: Object) -> int:
    return int(job["metadata"]["annotations"]["helm.sh/hook-weight"])


def _selects(service: Object, template: Object) -> bool:
    return bool(service["spec"]["selector"].items() <= template["metadata"]["labels"].items())
