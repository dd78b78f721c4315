"""The folder of an installation: what was made once and is kept, and what is written anew.

It is a home as well: `RAPPORT_HOME=DIR rapport token` signs with its issuer, where it has one.
"""

import difflib
import json
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import yaml

from rapport_testing.engines.process import write_private
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.deploy.kubectl import kubectl
from rapport_tools.deploy.plan import Object, is_secret
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer

# What is known of the cluster, and the path at which its API server says it.
_CLUSTER = {"cluster/issuer": "/.well-known/openid-configuration", "cluster/jwks.json": "/openid/v1/jwks"}
_OURS = ("manifests", "values")  # folders in which every JSON file is one of ours
ISSUER = "rapport"  # the `iss` of tokens that the folder's own key signs


class Folder:
    """What is in the folder, and what is to be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: dict[str, str] = {}

    def password(self, name: str) -> str:
        """The password of that name; a new one, which `write` keeps, when there was none."""
        kept = self.path / "passwords" / name
        if kept.exists():
            return kept.read_text().strip()
        return self._made.setdefault(name, secrets.token_hex(24))

    def services(self) -> dict[str, str]:
        """The namespace of each service. Failure when nothing was prepared here."""
        try:
            read: dict[str, str] = json.loads((self.path / "services.json").read_text())
        except (OSError, ValueError):
            message = f"{self.path} is no folder that `rapport deploy prepare --out {self.path}` wrote."
            raise Failure(message, Exit.WRONG_USE) from None
        return read

    def values(self, own: Sequence[str] = ()) -> dict[str, Object]:
        """The values of each service, as Helm merges them: of files `own`, [SERVICE=]FILE, then ours."""
        of_services: dict[str, Object] = {name: {} for name in self.services()}
        for service, _, file in (each.rpartition("=") for each in own):
            if service and service not in of_services:
                raise Failure(f"{self.path} has no service {service}.", Exit.WRONG_USE)
            for name in [service] if service else of_services:
                of_services[name] = _merged(of_services[name], _read(Path(file)))
        return {
            name: _merged(values, _read(self.path / "values" / f"{name}.json"))
            for name, values in of_services.items()
        }

    def objects(self, *kinds: str) -> list[Object]:
        """What is to be in the cluster, of these kinds."""
        texts = [file.read_text() for file in sorted((self.path / "manifests").glob("*.json"))]
        return [item for text in texts for item in json.loads(text)["items"] if item["kind"] in kinds]

    def urls(self, suffix: str) -> list[SplitResult]:
        """The URLs in secrets whose names end so, that of each user once."""
        secrets = [each for each in self.objects("Secret") if each["metadata"]["name"].endswith(suffix)]
        urls = [urlsplit(each["stringData"]["url"]) for each in secrets]
        return list({url.username: url for url in urls}.values())

    def options(self) -> dict[str, Any]:
        """What was said of the installation the last time."""
        file = self.path / "options.json"
        read: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return read

    def before(self) -> dict[str, str]:
        """The namespace of each service of the last time."""
        return self.services() if (self.path / "services.json").exists() else {}

    def issuers(self, issuer: str | None, jwks: Path | None, *, own: bool) -> dict[str, str]:
        """The cluster's `iss` and keys, given or asked for once, and with `own` a key for people's tokens."""
        paths = [*_CLUSTER, *(["keys/signing.pem", "keys/jwks.json"] if own else ())]
        kept = {path: (self.path / path).read_text() for path in paths if (self.path / path).exists()}
        kept |= {"cluster/issuer": f"{issuer}\n"} if issuer else {}
        kept |= {"cluster/jwks.json": jwks.read_text()} if jwks else {}
        kept |= {path: _asked(path) for path in _CLUSTER if path not in kept}
        if own and not kept.keys() >= {"keys/signing.pem", "keys/jwks.json"}:
            with tempfile.TemporaryDirectory() as scratch:
                home = Home(Path(scratch))
                home.keys.mkdir()
                Issuer(home, ISSUER)
                kept |= {f"keys/{file.name}": file.read_text() for file in home.keys.iterdir()}
        return kept | ({"env": f"export RAPPORT_ISSUER={ISSUER}\n"} if own else {})

    def changes(self, texts: Mapping[str, str]) -> Iterator[str]:
        """What would change, as text without any password."""
        yield from (f"gone: {path}\n" for path in self._gone(texts))
        for path, text in sorted(texts.items()):
            file = self.path / path
            before = file.read_text() if file.exists() else ""
            if before == text:
                continue
            if is_secret(before) or is_secret(text):
                yield f"{'changed' if before else 'new'}, with passwords: {path}\n"
            else:
                yield from difflib.unified_diff(
                    before.splitlines(True), text.splitlines(True), f"now/{path}", f"then/{path}", n=1
                )

    def write(self, texts: Mapping[str, str]) -> list[str]:
        """Write what changes, and say what that was. Nothing in the folder is for other users.

        What was written of a service that is no longer one is removed, or kubectl would make it again.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        passwords = {f"passwords/{name}": value for name, value in self._made.items()}
        changed = []
        for path, text in sorted({**passwords, **texts}.items()):
            file = self.path / path
            if not file.exists() or file.read_text() != text:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_private(file, text)
                changed.append(path)
        said = [f"Wrote {self.path / path}" for path in changed if path not in passwords]
        for path in self._gone(texts):
            (self.path / path).unlink()
            said.append(f"Removed {self.path / path}")
        return said

    def _gone(self, texts: Mapping[str, str]) -> list[str]:
        there = [file.relative_to(self.path) for at in _OURS for file in self.path.glob(f"{at}/*.json")]
        return sorted(set(map(str, there)) - texts.keys())


def _asked(path: str) -> str:
    """What kubectl says of the cluster. Failure, which says how to do without."""
    try:
        told = kubectl("get", "--raw", _CLUSTER[path])
    except Failure as failure:
        raise Failure(
            f"{failure} Without a cluster, --cluster-issuer and --cluster-jwks say what `kubectl get --raw` "
            "has at {} and {}.".format(*_CLUSTER.values()),
            failure.code,
        ) from None
    return json.loads(told)["issuer"] + "\n" if path == "cluster/issuer" else told


def _read(path: Path) -> Object:
    """Values. Failure for what are none."""
    try:
        read = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise Failure(f"{path} holds no values: {error}", Exit.WRONG_USE) from None
    if not isinstance(read or {}, dict):
        raise Failure(f"{path} holds no values.", Exit.WRONG_USE)
    return read or {}


def _merged(below: Object, above: Object) -> Object:
    both = {key for key in below.keys() & above.keys() if isinstance(below[key], dict)}
    return (
        below | above | {key: _merged(below[key], above[key]) for key in both if isinstance(above[key], dict)}
    )
