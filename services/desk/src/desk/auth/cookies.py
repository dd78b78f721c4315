"""What a browser holds of a session: secrets, of which the desk keeps what nobody can go back from."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from starlette.responses import Response

_LENGTH = 43  # of 32 random bytes, as text


@dataclass(frozen=True)
class Cookies:
    """The two cookies of a signed-in browser."""

    session: str = field(repr=False)  # the secret of the session; new with each sign-in
    # Stays when somebody signs in again, so that what they were writing can still be sent.
    form: str = field(repr=False)

    @property
    def session_id(self) -> bytes:
        """What the session is found by."""
        return derived(self.session, "session")

    @property
    def tokens_key(self) -> bytes:
        """What its tokens are encrypted with: who reads the database has none of them."""
        return derived(self.session, "tokens")

    def csrf(self, subject: str) -> str:
        """What this person's forms carry: another who signs in here cannot send them."""
        return derived(self.form, f"form {subject}").hex()


def fresh(form: str = "") -> Cookies:
    """Cookies of a new session, in a browser that has one of forms, or not."""
    return Cookies(secrets.token_urlsafe(), form if len(form) == _LENGTH else secrets.token_urlsafe())


def derived(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose, of a random secret."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


class Jar:
    """How the cookies are called and set at the address where browsers reach the desk.

    Over https no other host can set cookies of these names, and they never travel in the clear; over http, on
    one machine, each port has names of its own.
    """

    def __init__(self, site_url: str) -> None:
        parts = urlsplit(site_url)
        self.secure = parts.scheme == "https"
        self.session = "__Host-rapport" if self.secure else f"rapport-{parts.port or 80}"
        self.form, self.pending = f"{self.session}-form", f"{self.session}-signing-in-"

    def read(self, cookies: Mapping[str, str]) -> Cookies | None:
        """The cookies of a request; None unless both are there."""
        session, form = cookies.get(self.session, ""), cookies.get(self.form, "")
        return Cookies(session, form) if len(session) == len(form) == _LENGTH else None

    def set(self, response: Response, cookies: Cookies) -> None:
        """Have the browser keep them until it is closed."""
        self.put(response, self.session, cookies.session)
        self.put(response, self.form, cookies.form)

    def put(self, response: Response, name: str, value: str, max_age_s: int | None = None) -> None:
        """Set one cookie; "" with 0 seconds removes it."""
        lax: Literal["lax"] = "lax"  # the provider's redirect back is a link from another site
        response.set_cookie(name, value, max_age_s, secure=self.secure, httponly=True, samesite=lax)
