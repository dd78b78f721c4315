"""What every answer to a browser says of itself: what it may load, who may frame it, and who may keep it."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

STATIC = "/static/"  # kept by browsers, and nobody's
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # To no other host; `no-referrer` would have browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class Hardening:
    """Adds the headers to answers.

    Args:
        secure: whether the desk is reached by https.
        forms: further origins that a form's answer may lead to: the identity provider's, on signing out.
    """

    def __init__(self, secure: bool, forms: Callable[[], frozenset[str]]) -> None:
        self._headers = _ALWAYS | (_ON_HTTPS if secure else {})
        self._forms = forms

    def around(self, send: Send, path: str) -> Send:
        """`send`, with the headers."""
        policy = _POLICY.format(forms=" ".join(["'self'", *sorted(self._forms())]))

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**self._headers, "Content-Security-Policy": policy})
                if not path.startswith(STATIC):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return hardened
