"""Personal data at rest: fields that can be read back, and fingerprints that can be looked up."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "v1"
"""Stands before every stored value, so that a later scheme can tell its own from ours."""

NONCE_BYTES = 12
KEY_BYTES = 32


class UnreadableError(Exception):
    """A stored value is damaged, or was written under another secret."""


def encrypt(text: str, secret: str) -> str:
    """`text` so that only the holder of `secret` reads it; the same text looks new every time.

    AES-256-GCM under a key derived from the secret (HKDF), a random nonce a value.
    """
    nonce = os.urandom(NONCE_BYTES)
    sealed = _cipher(secret).encrypt(nonce, text.encode(), VERSION.encode())
    return f"{VERSION}:{urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, secret: str) -> str:
    """What `encrypt` was given.

    Raises:
        UnreadableError: damaged, of an unknown version, or written under another secret.
    """
    version, _, body = stored.partition(":")
    if version != VERSION:
        raise UnreadableError("unknown version of an encrypted value")
    try:
        raw = urlsafe_b64decode(body)
        plain = _cipher(secret).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], VERSION.encode())
    except (InvalidTag, ValueError) as error:
        raise UnreadableError("an encrypted value cannot be read") from error
    return plain.decode()


def keyed_hash(text: str, secret: str) -> str:
    """A fingerprint to look `text` up by: equal texts, equal fingerprints (64 hex digits).

    Keyed, because the eleven digits of a phone number could be tried out against a plain hash.
    The caller brings the text into one form first (`phones.parse`).
    """
    return hmac.digest(_key(secret, "lookup"), text.encode(), "sha256").hex()


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(_key(secret, "field"))


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    """One key a purpose; the secret is long and random, so no slow stretching is called for."""
    info = f"aidmall {purpose} {VERSION}".encode()
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(secret.encode())
