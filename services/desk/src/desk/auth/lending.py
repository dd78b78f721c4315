"""Acting as somebody who asked for it and left the page: while their session lasts, and no longer.

Tokens are encrypted with a key that is in the browser alone. Who asks for something that takes long lends
that key, for this one thing, sealed with a key of the installation's: which no database holds.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desk.auth.cookies import Cookies, derived
from desk.auth.sessions import Sessions, Viewer
from desk.settings import Settings

_NONCE = 12


class SignedOut(Exception):
    """Whoever asked for it has signed out, or was signed out."""


class Lending:
    """What is lent, and who it makes one."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        secret = settings.oidc_client_secret.get_secret_value() or settings.database_url
        self._key = derived(secret, "lending")

    def lend(self, cookies: Cookies, about: str) -> bytes:
        """What is kept beside the one thing that it is lent for."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, cookies.session.encode(), about.encode())

    async def viewer(self, lent: bytes, about: str) -> Viewer:
        """Whoever lent it, with a current token. That is no use of their session. SignedOut."""
        try:
            session = AESGCM(self._key).decrypt(lent[:_NONCE], lent[_NONCE:], about.encode()).decode()
        except (InvalidTag, ValueError):
            raise SignedOut from None  # also where the installation's key is another since
        viewer = await self._sessions.viewer(Cookies(session, ""), used=False)
        if viewer is None:
            raise SignedOut
        return viewer
