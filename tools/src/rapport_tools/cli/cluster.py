"""The services of a cluster in place of those of a stack on this machine: what the environment says of them.

RAPPORT_PEERS          where each service is, as services are told: {"cases": "dns:///cases:7002"}
RAPPORT_PORT_FORWARD   namespaces with commas between, or `rapport --port-forward`: kubectl finds the services
                       there, and reaches each for as long as the command runs
RAPPORT_TOKEN_FILE     the token of who calls. By port-forward without it, RAPPORT_HOME is what
                       `rapport deploy prepare` wrote, and its own issuer signs
RAPPORT_TLS_DIR        ca.crt, tls.crt and tls.key, with which services are called (docs/tls.md)
RAPPORT_TRACE_LINK     where the trace UI shows one: https://traces.example.org/trace/{trace_id}
RAPPORT_DESK_URL       where browsers reach the desk

With either of the first two it is a cluster; RAPPORT_PEERS alone, without a token, may be of a local stack.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.deploy.kubectl import forwarded, kubectl
from rapport_tools.local.home import Home

if TYPE_CHECKING:
    from rapport_testing.channels import Tls

FORWARD, PEERS, TOKEN = "RAPPORT_PORT_FORWARD", "RAPPORT_PEERS", "RAPPORT_TOKEN_FILE"
TLS, TRACES = "RAPPORT_TLS_DIR", "RAPPORT_TRACE_LINK"
_forwards = ExitStack()


def is_meant() -> bool:
    """Whether services of a cluster are meant, and not those of a stack."""
    return bool(os.environ.get(FORWARD) or (os.environ.get(PEERS) and os.environ.get(TOKEN)))


@contextmanager
def forwarding(namespaces: str) -> Iterator[None]:
    """Services of these namespaces are meant; what was forwarded for them ends with the block."""
    before = os.environ.get(FORWARD)
    os.environ[FORWARD] = namespaces
    try:
        with _forwards:
            yield
    finally:
        if before is None:
            del os.environ[FORWARD]
        else:
            os.environ[FORWARD] = before


class Cluster:
    """Where its services are, and what they are shown."""

    def __init__(self) -> None:
        self._ports = _found() if os.environ.get(FORWARD) else {}
        self._addresses: dict[str, str] = {} if self._ports else json.loads(os.environ[PEERS])
        self.services = [*(self._ports or self._addresses)]

    def address(self, service: str) -> str:
        """Where it is reached; the first time, a port is forwarded for it."""
        if service not in self._addresses:
            namespace, name, port = self._ports[service]
            self._addresses[service] = _forwards.enter_context(forwarded(namespace, name, port))
        return self._addresses[service]

    def tls(self, service: str) -> "Tls | None":
        """The certificates for calls to it, and who it must be when its address is a forwarded one."""
        if not (folder := os.environ.get(TLS)):
            return None
        from chassis.tls import Certificates
        from rapport_testing.channels import Tls

        try:
            held = Certificates(Path(folder)).newest()
        except ValueError as error:
            raise Failure(f"{TLS}: {error}", Exit.WRONG_USE) from None
        return Tls(held, self._ports[service][1] if self._ports else "")


def token(home: Home, who: str, department: str) -> str:
    """The token of who calls: that of the environment, or one that the installation's own issuer signs."""
    if file := os.environ.get(TOKEN):
        return Path(file).read_text().strip()
    if not (home.keys / "signing.pem").exists():
        raise Failure(
            f"{TOKEN} must name the file with your token: {home.path} has no key of an issuer.",
            Exit.WRONG_USE,
        )
    from rapport_tools.local.issuer import Issuer

    return Issuer(home).token_as(who, department)


def trace(trace_id: str) -> str:
    """A trace as it is shown: a link where there is one."""
    link = os.environ.get(TRACES, "") if is_meant() else ""
    return link.replace("{trace_id}", trace_id) or trace_id


def advice(text: str) -> str:
    """What to do, in the words of a cluster where one is meant."""
    return text.replace("`rapport logs ", "`kubectl logs deploy/") if is_meant() else text


def _found() -> dict[str, tuple[str, str, int]]:
    """The services of the namespaces: namespace, name and port of the Service of each."""
    found: dict[str, tuple[str, str, int]] = {}
    for namespace in os.environ[FORWARD].split(","):
        selector = "app.kubernetes.io/part-of=rapport,app.kubernetes.io/component=server"
        listed = json.loads(kubectl("get", "services", "-n", namespace, "-l", selector, "-o", "json"))
        for each in listed["items"]:
            meta = each["metadata"]
            for port in each["spec"]["ports"]:
                if port["name"] == "grpc":
                    name = meta["labels"]["app.kubernetes.io/name"]
                    if name in found:  # one of them is not who it says, and would be shown our token
                        both = f"{found[name][0]} and {namespace}"
                        raise Failure(f"There is a {name} in {both}: name one of them.", Exit.WRONG_USE)
                    found[name] = (namespace, meta["name"], port["port"])
    if not found:
        raise Failure(f"No service of Rapport is in {os.environ[FORWARD]}.", Exit.UNREACHABLE)
    return dict(sorted(found.items(), key=lambda one: one[1][2]))
