"""Every file of an installation, as text, from what its services declare.

    manifests/    for kubectl, which takes them by name: namespaces, then secrets, the broker's accounts,
                  whose account is which service
    values/       for Helm: one file a release, and one of the umbrella `rapport`
    databases.sql for psql: databases, and the owner and the runtime role of each
    rights.txt    what each service may ask of others, a line each
    services.json where each service is: `prepare` reads who was named the last time

Names of files of services are names of services; those of the others are none (`chassis.names.RESERVED`).

All is JSON, which kubectl and Helm take as they take YAML. The same declarations and passwords make the same
text.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from rapport_testing.engines.accounts import accounts, provisioner_of
from rapport_testing.engines.postgres import owner_of
from rapport_tools.deploy.members import Member

Object = dict[str, Any]
UMBRELLA = ("customer", "cases", "loyalty", "notifications", "desk")
LET_OUT = (5432, 4222, 4317)  # ports of the charts' networkPolicy.egressPorts
# By which services keep what nobody can read, and make links: once for an installation.
KEYS = {
    "customer": ("RAPPORT_ADDRESS_PEPPER", "RAPPORT_LINK_KEYS"),
    "loyalty": ("RAPPORT_CARD_PEPPER",),
}
PART_OF = {"app.kubernetes.io/part-of": "rapport"}


@dataclass(frozen=True, slots=True)
class Installation:
    """The services and what they have in common."""

    members: Sequence[Member]
    password: Callable[[str], str]  # of a user, by a name
    jwks: str  # the keys of `issuer`, as text, when they are at no `jwks_url`
    cluster_issuer: str  # the `iss` of tokens of ServiceAccounts
    cluster_jwks: str  # the cluster's keys, as text
    namespace: str = "crm"  # where NATS is, and PostgreSQL unless its host has a dot
    database_host: str = "postgres-rw"  # with its port if that is not 5432
    issuer: str = ""  # the `iss` of people's tokens
    jwks_url: str = ""
    tls_issuer: str = ""  # cert-manager's ClusterIssuer; "" for no TLS between services
    nats_host: str = ""  # somebody else's, with its port if that is not 4222; "" for that of our charts
    nats_tls: str = ""  # the secret with `ca.crt` of NATS, in each namespace; "" for no TLS there
    nats_servers: int = 3  # streams have three copies where there is more than one
    otlp_endpoint: str = ""
    monitoring: bool = False
    monitoring_label: str = ""  # NAME=VALUE, by which Prometheus' operator selects monitors and rules
    runbooks: str = ""  # the URL of the pages that alerts link; "" for no links

    @property
    def namespaces(self) -> list[str]:
        """Each once, in alphabetical order."""
        return sorted({self.namespace, *(each.namespace for each in self.members)})


# What holds of an installation until something else is said.
DEFAULTS = {each.name: each.default for each in fields(Installation) if each.default is not MISSING}


def files(of: Installation) -> dict[str, str]:
    made: dict[str, Any] = {
        "manifests/00-namespaces.json": _list(_object("Namespace", each) for each in of.namespaces),
        "manifests/01-broker.json": _list(_broker(of)),
        "manifests/01-workloads.json": _list(_workloads(of)),
        "values/infra.json": {"nats": _small_broker(of)},
        "values/rapport.json": _umbrella(of),
        "services.json": {each.name: each.namespace for each in of.members},
    }
    if not of.nats_host:
        made["values/nats.json"] = _official_broker(of)
    if not of.jwks_url:
        made["manifests/01-issuer.json"] = _list(
            _object("ConfigMap", "rapport-jwks", at, data={"jwks.json": of.jwks}) for at in of.namespaces
        )
    for each in of.members:
        made[f"manifests/{each.name}.json"] = _list(_secrets(of, each))
        made[f"values/{each.name}.json"] = _values(of, each)
    texts = {path: json.dumps(content, indent=2) + "\n" for path, content in made.items()}
    return texts | {"databases.sql": _sql(of), "rights.txt": "".join(map(_rights, of.members))}


def is_secret(text: str) -> bool:
    """Whether a file holds passwords."""
    return '"stringData"' in text or " PASSWORD '" in text or "PRIVATE KEY" in text


def _rights(member: Member) -> str:
    """What it may, in words: in the manifests that stands in the middle of much else."""
    subjects = [subject for each in member.declaration.subscriptions for subject in each.subjects]
    told = {"calls": member.calls, "may": sorted(member.permissions), "hears": subjects}
    return "".join(f"{member.name} {verb} {each}\n" for verb, all_of in told.items() for each in all_of)


def _small_broker(of: Installation) -> Object:
    """Of `infra`: where NATS is another, or speaks TLS, which this one does not, it is none."""
    if of.nats_host or of.nats_tls:
        return {"enabled": False}
    return {"replicas": of.nats_servers, "networkPolicy": {"clients": _clients(of)}}


def _official_broker(of: Installation) -> Object:
    config = {
        "cluster": {"enabled": of.nats_servers > 1, "replicas": of.nats_servers},
        "nats": {"tls": {"enabled": bool(of.nats_tls)}},
    }
    return {"networkPolicy": {"clients": _clients(of)}, "official": {"config": config}}


def _values(of: Installation, member: Member) -> Object:
    name = member.name
    at = {each.name: each for each in of.members}
    peers = {call: f"dns:///{member.host(call, at[call].namespace)}:{at[call].port}" for call in member.calls}
    values: Object = {
        "name": name,
        "fullnameOverride": name,
        "port": member.port,
        "webPort": member.web_port,
        "nats": {"tls": {"existingSecret": of.nats_tls}},
        "auth": {
            "issuer": of.issuer,
            "jwks": {"url": of.jwks_url},
            "token": {"existingSecret": "", "projected": {"enabled": True}},
            "workloads": {"issuer": of.cluster_issuer},
        },
        "peers": peers,
        "sources": _sources(of, member),
        "networkPolicy": {"namespaces": _neighbours(of, member), **_beyond(of)},
        "setup": {"streamReplicas": min(of.nats_servers, 3)},
    }
    if name in KEYS:
        values["settingsSecrets"] = [f"{name}-keys"]
    if of.otlp_endpoint:
        url = urlsplit(of.otlp_endpoint)
        host = _of_namespace(of, member, url.hostname or "")
        values["telemetry"] = {"endpoint": f"{url.scheme}://{host}:{url.port or 4317}"}
    if of.tls_issuer:
        values["tls"] = {"enabled": True, "issuer": {"name": of.tls_issuer, "kind": "ClusterIssuer"}}
    if of.monitoring:
        name, _, value = of.monitoring_label.partition("=")
        watched: Object = {"enabled": True} | ({"labels": {name: value}} if name else {})
        linked = {"runbooks": of.runbooks} if of.runbooks else {}
        values |= {"serviceMonitor": watched, "prometheusRule": watched | linked}
    return values


def _umbrella(of: Installation) -> Object:
    here = {each.name: each for each in of.members if each.namespace == of.namespace}
    return {
        name: {"enabled": True, **_values(of, here[name])} if name in here else {"enabled": False}
        for name in UMBRELLA
    }


def _sources(of: Installation, member: Member) -> list[str]:
    """Departments that it hears and whose contracts are not the platform's: its image does not have them."""
    known = {each.name for each in of.members} - {*UMBRELLA, member.name}
    return sorted(known.intersection(member.declaration.sources))


def _neighbours(of: Installation, member: Member) -> list[str]:
    """The other namespaces from which it is called, or which it calls, and that of the broker."""
    near = (each for each in of.members if each.name in member.calls or member.name in each.calls)
    return sorted({of.namespace, *(each.namespace for each in near)} - {member.namespace})


def _of_namespace(of: Installation, member: Member, host: str) -> str:
    """A host, which without a dot is a Service of the installation's namespace, as a service finds it."""
    return host if "." in host else member.host(host, of.namespace)


def _beyond(of: Installation) -> Object:
    """The ports of servers that listen on others than pods are let out to."""
    hosts = (of.database_host, of.nats_host)
    told = (*(host.partition(":")[2] for host in hosts), urlsplit(of.otlp_endpoint).port)
    ports = [{"port": int(port)} for port in told if port and int(port) not in LET_OUT]
    return {"egress": [{"ports": ports}]} if ports else {}


def _clients(of: Installation) -> list[Object]:
    return [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": at}},
            "podSelector": {"matchLabels": PART_OF},
        }
        for at in of.namespaces
        if at != of.namespace
    ]


def _broker(of: Installation) -> Iterator[Object]:
    block = accounts([each.declaration for each in of.members], lambda user: of.password(f"nats-{user}"))
    auth = json.dumps({"accounts": block}, indent=2)
    yield _secret("rapport-nats-auth", of.namespace, **{"auth.conf": auth})


def _workloads(of: Installation) -> Iterator[Object]:
    claims = {
        f"system:serviceaccount:{each.namespace}:{each.name}": {
            "service": each.name,
            "department": each.name,
            "permissions": sorted(each.permissions),
        }
        for each in of.members
    }
    data = {"accounts.json": json.dumps(claims, indent=2), "jwks.json": of.cluster_jwks}
    return (_object("ConfigMap", "rapport-workloads", at, data=data) for at in of.namespaces)


def _secrets(of: Installation, member: Member) -> Iterator[Object]:
    name, at = member.name, member.namespace
    host, _, port = of.database_host.partition(":")
    host = _of_namespace(of, member, host)
    for role, secret in ((name, f"{name}-database"), (owner_of(name), f"{name}-database-owner")):
        url = f"postgresql://{role}:{of.password(f'database-{role}')}@{host}:{port or 5432}/{name}"
        yield _secret(secret, at, url=url)
    host, _, port = (of.nats_host or "nats").partition(":")
    host = _of_namespace(of, member, host)
    for user, secret in ((name, f"{name}-nats"), (provisioner_of(name), f"{name}-nats-admin")):
        to = f"{of.password(f'nats-{user}')}@{host}:{port or 4222}"
        yield _secret(secret, at, url=f"{'tls' if of.nats_tls else 'nats'}://{user}:{to}")
    if name in KEYS:
        yield _secret(f"{name}-keys", at, **{key: of.password(f"{name}-{key.lower()}") for key in KEYS[name]})


def _sql(of: Installation) -> str:
    """Nobody but its own two roles connects to a database (docs/adr/0026)."""
    lines = ["-- For psql, as a superuser or a role with CREATEROLE and CREATEDB. Safe to repeat."]
    ordinary = "WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    for name in (each.name for each in of.members):
        owner, quoted = f'"{owner_of(name)}"', f'"{name}"'  # a department may be called as a word of SQL's
        for role in (owner_of(name), name):
            absent = f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
            lines += [
                f"SELECT 'CREATE ROLE \"{role}\"' {absent} \\gexec",
                f"ALTER ROLE \"{role}\" LOGIN PASSWORD '{of.password(f'database-{role}')}';",
            ]
        absent = f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')"
        lines += [
            f"SELECT 'GRANT {owner} TO CURRENT_USER' {ordinary} \\gexec",
            f"SELECT 'CREATE DATABASE {quoted} OWNER {owner}' {absent} \\gexec",
            f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC;",
            f"GRANT CONNECT ON DATABASE {quoted} TO {quoted};",
        ]
    return "\n".join(lines) + "\n"


def _list(items: Iterable[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


def _object(kind: str, name: str, namespace: str = "", **content: Any) -> Object:
    at = {"namespace": namespace} if namespace else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **at}, **content}


def _secret(name: str, namespace: str, **data: str) -> Object:
    return _object("Secret", name, namespace, type="Opaque", stringData=data)
