"""What the identity provider gave somebody, and how it lies in the database: encrypted."""

import os
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one person.

    Attributes:
        access: what services take.
        refresh: what new ones are got with; "" when the provider gives none.
        identity: says at the provider who signs out; "" when it gives none.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)


def seal(tokens: Tokens, key: bytes, session: bytes) -> bytes:
    """Encrypt, by AES-256-GCM, for one session."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(tokens), session)


def unseal(sealed: bytes, key: bytes, session: bytes) -> Tokens:
    """What was sealed. ValueError for something else."""
    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], session)
    except InvalidTag:
        raise ValueError("not what was sealed for this session") from None
    return msgspec.json.decode(plain, type=Tokens)
