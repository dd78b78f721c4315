"""Who calls: by gRPC, by REST, as senders of webhooks."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import httpx
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from desk.edge.bindings import bindings
from desk.edge.webhooks.kinds import KINDS
from rapport_tools.cli import contracts
from tests.contracts.valid import REQUESTS, learn, renewed, request_of
from tests.fuzz.judged import Judge
from tests.fuzz.made import Maker

TIMEOUT_S = 20.0
SECRET = b"a secret of thirty-two bytes now"
VALID_SHARE, BROKEN_SHARE = 0.6, 0.08
WEBHOOKS: dict[str, Any] = {
    "event": {"channel": "APP", "identifiers": [{"type": "EMAIL", "value": "fuzz@example.com"}]},
    "telephony": {"call": "c-1", "event": "ended", "from": "+4930901820", "to": "+49301", "duration_s": 3},
    "web-form": {"email": "fuzz@example.com", "message": "Hello", "fields": {"a": "b"}},
    "chat": {"email": "fuzz@example.com", "messages": [{"from": "customer", "text": "Hello", "name": "F"}]},
    "sms": {"from": "+4930901820", "text": "Where is it?", "time": "2026-03-01T08:00:00Z"},
    "social": {"network": "mastodon", "handle": "@fuzz", "text": "!", "url": "https://example.org"},
    "fax": {"from": "+4930901820", "document": "faxes/1", "pages": 2},
    "letter": {"document": "l/1", "identifiers": [{"type": "ACCOUNT_NUMBER", "value": "7"}]},
}
MAIL = (
    b"From: =?utf-8?q?F=C3=BCz?= <fuzz@example.com>\r\nTo: desk@example.com\r\nSubject: Hello\r\n"
    b"Message-ID: <1@x>\r\nDate: Mon, 2 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n"
    b'--b\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\nx\r\n--b--\r\n'
)


class Callers:
    """Everybody who calls one stack."""

    def __init__(self, maker: Maker, judge: Judge, peers: Mapping[str, str], desk: str, token: str) -> None:
        self.maker, self.judge, self.chance = maker, judge, maker.chance
        self._metadata = [("authorization", f"Bearer {token}")]
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channels = {name: grpc.aio.insecure_channel(at, options) for name, at in peers.items()}
        self._http = httpx.AsyncClient(
            base_url=desk, headers=dict(self._metadata), trust_env=False, timeout=TIMEOUT_S
        )
        self._methods = [method for each in contracts.services() for method in each.methods]
        self._bindings = list(bindings())
        self._valid: dict[str, Message] = {}

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()
        for channel in self._channels.values():
            await channel.close()

    async def begin(self) -> None:
        """Have one valid request of each RPC answered, as far as the stack has what they need."""
        by_name = {(contracts.owner(m.containing_service), m.name): m for m in self._methods}
        for service, requests in REQUESTS.items():
            known: dict[str, str] = {}
            for short, fields in requests:
                method = by_name[service, short]
                with suppress(KeyError):  # of what could not be made
                    request = request_of(contracts.message_class(method.input_type), fields, known)
                    self._valid[method.full_name] = request
                    answer = await self._grpc(method, request.SerializeToString())
                    if answer is not None:
                        learn(short, answer, known)

    async def by_grpc(self) -> None:
        """Any RPC, with any bytes."""
        method = self.chance.choice(self._methods)
        valid = self._valid.get(method.full_name)
        if valid is not None and self.chance.random() < VALID_SHARE:
            request = self.maker.mutated(valid)
        else:
            request = self.maker.message(method.input_type)
        if self.chance.random() < 0.8:
            request = renewed(request)
        body = request.SerializeToString()
        if self.chance.random() < BROKEN_SHARE:
            body = self.maker.broken(body, method.input_type)
        await self._grpc(method, body)

    async def _grpc(self, method: MethodDescriptor, body: bytes) -> Message | None:
        service = contracts.owner(method.containing_service)
        asked = service if service in self._channels else self.chance.choice([*self._channels])
        path, channel = f"/{method.containing_service.full_name}/{method.name}", self._channels[asked]
        answer = None
        try:
            if method.server_streaming:
                stream: Any = channel.unary_stream(path)(body, timeout=TIMEOUT_S, metadata=self._metadata)
                await stream.read()
                stream.cancel()
            else:
                told = await channel.unary_unary(path)(body, timeout=TIMEOUT_S, metadata=self._metadata)
                answer = contracts.message_class(method.output_type).FromString(told)
                self.maker.learn(answer)
        except grpc.aio.AioRpcError as error:
            self.judge.of_grpc(asked, f"{method.full_name} {body[:300].hex()}", error)
        else:
            self.judge.of_grpc(asked, method.full_name, None)
        return answer

    async def by_rest(self) -> None:
        """Any path, verb, query and body."""
        binding = self.chance.choice(self._bindings)
        path = binding.path
        for field, pattern in binding.variables.items():
            path = path.replace(f"{{{field}={pattern}}}", self._path_of(pattern))
        told = self.maker.json_of(binding.method.input_type, self._valid.get(binding.method.full_name))
        if isinstance(told, dict):
            query = {key: str(told[key]) for key in list(told)[:6] if self.chance.random() < 0.5}
        else:
            query = {"pageSize": self.maker.text()[:200]}
        verb = binding.verb if self.chance.random() < 0.97 else self.chance.choice(("PUT", "HEAD", "OPTIONS"))
        if binding.method.server_streaming:
            verb = "GET"
        headers = {"grpc-timeout": "1S"} if binding.method.server_streaming else {}
        if self.chance.random() < 0.1:
            headers[self.chance.choice(("if-match", "idempotency-key", "grpc-timeout"))] = '%"x'
        await self._http_call(
            "REST", verb, path, query, headers, self.maker.body_of(told), "application/json"
        )

    def _path_of(self, pattern: str) -> str:
        alike = [each for each in self.maker.names if each.startswith(pattern.partition("*")[0])]
        if alike and self.chance.random() < 0.7:
            return quote(self.chance.choice(alike), safe="/")
        return "/".join(
            quote(self.maker.text()[:300], safe="") or "-" if part == "*" else part
            for part in pattern.split("/")
        )

    async def by_webhook(self) -> None:
        """Something of a source that is known, mostly."""
        kind = self.chance.choice([*KINDS])
        if kind == "email":
            body = (
                self.maker.broken(MAIL, self._methods[0].input_type) if self.chance.random() < 0.8 else MAIL
            )
            for _ in range(self.chance.randrange(3)):
                at = self.chance.randrange(len(MAIL))
                body = body[:at] + self.maker.text()[:5000].encode() + body[at:]
        else:
            told = WEBHOOKS[kind] | {self.chance.choice([*WEBHOOKS[kind], "id", "topic"]): self.maker.text()}
            body = self.maker.body_of(self.maker.spoilt(told) if self.chance.random() < 0.6 else told)
        sent, stamp = str(self.chance.randrange(10**12)), str(int(time.time()))
        signed = hmac.digest(SECRET, f"{sent}.{stamp}.".encode() + body, "sha256")
        if self.chance.random() < 0.05:
            signed = signed[1:]
        headers = {
            "webhook-id": sent,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }
        media_type = "message/rfc822" if kind == "email" else "application/json"
        await self._http_call("webhook", "POST", f"/webhooks/{kind}", {}, headers, body, media_type)

    async def _http_call(
        self, what: str, verb: str, path: str, query: Mapping[str, str], headers: Mapping[str, str],
        body: bytes, media_type: str,
    ) -> None:  # fmt: skip
        content = body if verb not in ("GET", "HEAD", "DELETE") or self.chance.random() < 0.1 else b""
        said = dict(headers) | ({"content-type": media_type} if content else {})
        try:
            async with self._http.stream(verb, path, params=query, headers=said, content=content) as answer:
                media = answer.headers.get("content-type", "")
                text = "" if "event-stream" in media else (await answer.aread()).decode("utf-8", "replace")
        except (httpx.InvalidURL, ValueError):  # cannot even be sent
            self.judge.counts[f"{what} unsendable"] += 1
            return
        except httpx.HTTPError as error:
            self.judge.counts[f"{what} {type(error).__name__}"] += 1
            return
        told: Any = None
        with suppress(ValueError):
            told = json.loads(text)
        silent = verb in ("HEAD", "OPTIONS")
        status = 200 if silent and answer.status_code < 500 else answer.status_code
        self.judge.of_http(f"{what} {verb} {answer.request.url} {body[:300]!r}", status, told, media)


def webhook_sources(folder: Path) -> None:
    """A source of each kind, that anybody here signs for."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = "whsec_" + base64.b64encode(SECRET).decode()
    for kind in KINDS:
        told = {"kind": kind, "secrets": [secret], "region": "DE", "creates": True, "per_second": 10_000}
        (folder / f"{kind}.json").write_text(json.dumps(told))
