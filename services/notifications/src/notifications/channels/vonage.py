"""Vonage as a provider of text messages: its Messages API, version 1.

It knows a message by our `client_ref`, which each of its reports repeats, and sends again what is handed over
again: what may have been taken is not repeated. It knows us by a JWT, signed with the key of an application.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx2
import jwt

from chassis.clock import Clock
from chassis.work import Ours, Refused
from notifications.channels.channel import Away, Unwanted
from notifications.channels.sms import Text, leave_alone

NAME = "providers/vonage"
LIFETIME_S = 300
_ACCEPTED, _UNPROCESSABLE, _TOO_MANY, _AWAY, _FAULT = 202, 422, 429, 503, 5


@dataclass(frozen=True, slots=True, repr=False)
class Vonage:
    """An application there, which sends from `sender`; the key, PEM, is asked for each time."""

    url: str
    application: str
    key: Callable[[], str]
    sender: str
    clock: Clock
    name: str = NAME
    idempotent: bool = False

    def content(self, key: str, number: str, text: str, language_code: str) -> bytes:
        told = {
            "message_type": "text",
            "channel": "sms",
            "to": number.removeprefix("+"),
            "from": self.sender,
            "text": text,
            "client_ref": key,
        }
        return json.dumps(told, ensure_ascii=False).encode()

    def headers(self, message: Text) -> dict[str, str]:
        now = int(self.clock.now().timestamp())
        claims = {
            "application_id": self.application,
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": str(uuid4()),
        }
        return {"authorization": f"Bearer {jwt.encode(claims, self.key(), 'RS256')}"}

    def read(self, answer: httpx2.Response) -> str:
        """A fault of its own leaves it open: it may have taken the message before."""
        status = answer.status_code
        if status == _ACCEPTED:
            return str(status)
        if status in (_TOO_MANY, _AWAY):
            raise Away(str(status), leave_alone(answer))
        if status // 100 == _FAULT:
            raise RuntimeError("it may have been taken")
        if status == _UNPROCESSABLE:
            raise Refused(str(status)) if _wrong(answer) == {"to"} else Unwanted(str(status))
        raise Ours(str(status))  # a login, a balance, a sender: nothing that the recipient can help


def _wrong(answer: httpx2.Response) -> set[str]:
    """Which parameters it says are wrong; of what it says in another way nothing is taken."""
    try:
        return {str(each["name"]) for each in answer.json()["invalid_parameters"]}
    except (ValueError, KeyError, TypeError):
        return set()
