"""The rendered manifests run by podman, as Kubernetes would run them: nothing else is told to a container.

A Deployment's pods, and a StatefulSet's, are containers on one network; hook Jobs run before, and pods of
`helm test` when asked. Environment, files of secrets and ConfigMaps, tokens of accounts, the security
context, memory, commands, images and probes are the manifests' own. Not seen: scheduling, NetworkPolicies,
sizes of volumes, autoscaling, and what only an API server refuses.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.images.pod import Pod
from tests.images.podman import NETWORK, Failed, podman

Object = dict[str, Any]


class Cluster:
    """Objects, and the pods made of them.

    Args:
        folder: where mounted files lie.
        hosts: addresses by the names of Services of others.
        token: what the API server gives an account of a namespace, for an audience.
    """

    def __init__(self, folder: Path, hosts: Mapping[str, str], token: Callable[[str, str, str], str]) -> None:
        self.folder, self._hosts, self._token = folder, hosts, token
        self.pods: dict[str, list[Pod]] = {}
        self._data: dict[tuple[str, str, str], dict[str, str]] = {}
        self._numbers = itertools.count(1)

    @property
    def all(self) -> list[Pod]:
        """Every pod that runs."""
        return [pod for pods in self.pods.values() for pod in pods]

    def keep(self, objects: list[Object], namespace: str = "") -> None:
        """Secrets and ConfigMaps, in pods that run as well."""
        for each in objects:
            if each["kind"] in ("Secret", "ConfigMap"):
                meta = each["metadata"]
                key = each["kind"], meta.get("namespace", namespace), meta["name"]
                self._data[key] = each.get("data") or each["stringData"]
        for pod in self.all:
            self._write(pod.name, pod.template)

    def set_up(self, objects: list[Object], namespace: str) -> None:
        """The hook Jobs of an install and an upgrade. Failed, with its log, when one fails."""
        hooks = [each for each in objects if _hook(each).startswith("pre-install")]
        for job in sorted(hooks, key=_weight):
            self._run(job, job["spec"]["template"], namespace)

    def test(self, objects: list[Object], namespace: str) -> None:
        """As `helm test`. Failed, with its log, when a pod fails."""
        pods = [each for each in objects if _hook(each) == "test"]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda pod: self._run(pod, pod, namespace), pods))

    def apply(self, objects: list[Object], namespace: str) -> None:
        """Make what is no hook, and wait until it is ready, pods that are to be otherwise replaced."""
        plain = [each for each in objects if not _hook(each)]
        self.keep(plain, namespace)
        services = [each for each in plain if each["kind"] == "Service"]
        for each in (each for each in plain if each["kind"] in ("Deployment", "StatefulSet")):
            template, name = _placed(each["spec"]["template"], namespace), each["metadata"]["name"]
            found = [each["metadata"]["name"] for each in services if _selects(each, template)]
            names = [*found, *(f"{each}.{namespace}.svc" for each in found)]  # here, and from elsewhere
            if name not in self.pods:
                count = range(each["spec"]["replicas"])
                self.pods[name] = [self._start(name, template, names) for _ in count]
            elif template != self.pods[name][0].template:
                self._roll(name, each["spec"]["strategy"], template, names)
        for pod in self.all:
            pod.wait_ready()

    def _roll(self, name: str, strategy: Object, template: Object, names: list[str]) -> None:
        """One by one, a new pod ready before an old one goes: `maxSurge: 1, maxUnavailable: 0`."""
        if strategy["rollingUpdate"] != {"maxSurge": 1, "maxUnavailable": 0}:
            raise Failed(f"{name} is rolled otherwise than this can")
        for old in list(self.pods[name]):
            new = self._start(name, template, names)
            self.pods[name].append(new)
            new.wait_ready()
            self.pods[name].remove(old)
            _stop(old)

    def stop(self, names: Sequence[str]) -> None:
        """SIGTERM to every pod of these Deployments. Failed when one exits otherwise than with 0."""
        ended = [pod for name in names for pod in self.pods.pop(name)]
        with ThreadPoolExecutor(len(ended)) as pool:
            list(pool.map(_stop, ended))

    def let_go(self) -> None:
        """Watch no pod any more."""
        for pod in self.all:
            pod.let_go()

    def _start(self, name: str, template: Object, names: list[str]) -> Pod:
        pod = f"{name}-{next(self._numbers)}"
        self._write(pod, template)
        podman("run", "-d", *self._options(pod, template, template["spec"]["containers"][0]))
        return Pod(pod, template, names)

    def _run(self, of: Object, template: Object, namespace: str) -> None:
        """Containers that end, one after the other."""
        spec, pod = template["spec"], f"{of['metadata']['name']}-{next(self._numbers)}"
        placed = _placed(template, namespace)
        self._write(pod, placed)
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            podman("run", "--rm", *self._options(pod, placed, container))

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
        options += [f"--add-host={host}:{address}" for host, address in self._hosts.items()]
        options += [f"--env={key}={value}" for key, value in self._environment(name, template, container)]
        options += list(self._mounts(name, spec, container))
        return [*options, container["image"], *container["command"], *container.get("args", ())]

    def _environment(self, pod: str, template: Object, container: Object) -> Iterable[tuple[str, str]]:
        at, found = template["namespace"], dict[str, str]()
        for source in container.get("envFrom", ()):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            found |= self._data[kind, at, next(iter(source.values()))["name"]]
        fields = {"metadata.name": pod, "metadata.namespace": at}
        for variable in container.get("env", ()):
            source = variable.get("valueFrom", {})
            if "fieldRef" in source:
                value = fields[source["fieldRef"]["fieldPath"]]
            elif "secretKeyRef" in source:
                asked = source["secretKeyRef"]
                value = self._data["Secret", at, asked["name"]][asked["key"]]
            else:
                value = re.sub(r"\$\((\w+)\)", lambda m: found.get(m[1], m[0]), variable["value"])
            found[variable["name"]] = value
        return found.items()

    def _mounts(self, pod: str, spec: Object, container: Object) -> Iterator[str]:
        volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
        for mount in container.get("volumeMounts", ()):
            volume, path = volumes.get(mount["name"]), mount["mountPath"]
            folder = self.folder / pod / mount["name"]
            if volume is None or "emptyDir" in volume:  # a claim, or the pod's own: both outlive a container
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o777)
                yield f"--volume={folder}:{path}"
            else:
                yield f"--volume={folder}:{path}:ro"

    def _write(self, pod: str, template: Object) -> None:
        """The files of its volumes, each replaced in one step, as a kubelet does it."""
        for volume in template["spec"].get("volumes", ()):
            folder = self.folder / pod / volume["name"]
            for path, text in self._files(volume, template) if "emptyDir" not in volume else ():
                folder.mkdir(parents=True, exist_ok=True)
                fresh = folder / f".{path}.new"
                fresh.write_text(text)
                fresh.replace(folder / path)

    def _files(self, volume: Object, template: Object) -> Iterator[tuple[str, str]]:
        at = template["namespace"]
        for source in volume["projected"]["sources"] if "projected" in volume else [volume]:
            if asked := source.get("serviceAccountToken"):
                account = template["spec"]["serviceAccountName"]
                yield asked["path"], self._token(at, account, asked["audience"])
                continue
            kind, named = (
                ("Secret", source["secret"]) if "secret" in source else ("ConfigMap", source["configMap"])
            )
            data = self._data[kind, at, named.get("secretName") or named["name"]]
            for item in named.get("items") or [{"key": key, "path": key} for key in data]:
                yield item["path"], data[item["key"]]


def _placed(template: Object, namespace: str) -> Object:
    """A template that knows where its pods are."""
    return {**template, "namespace": namespace}


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
