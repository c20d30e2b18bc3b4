"""Secrets that are kept: sealed with AES-GCM, under keys derived from the settings."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import scrypt

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.ports.clock import Ids

_NONCE = 12
_SALT = b"ratchet: tokens of installations"


class AesSeal:
    """The first key seals, every key opens. What is sealed is bound to what it belongs to: moved
    to another row it doesn't open."""

    def __init__(self, keys: Sequence[str], ids: Ids) -> None:
        self._ciphers, self._ids = [AESGCM(_derived(key)) for key in keys], ids

    def seal(self, secret: str, belongs_to: str) -> str:
        nonce = bytes.fromhex(self._ids.token(_NONCE))
        sealed = self._ciphers[0].encrypt(nonce, secret.encode(), belongs_to.encode())
        return urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, belongs_to: str) -> tuple[str, bool] | None:
        """The secret, and whether the first key had sealed it; None where no key opens it."""
        try:
            raw = urlsafe_b64decode(sealed)
        except ValueError:
            return None
        for number, cipher in enumerate(self._ciphers):
            try:
                secret = bytes(cipher.decrypt(raw[:_NONCE], raw[_NONCE:], belongs_to.encode()))
            except (InvalidTag, ValueError):
                continue
            return secret.decode(), number == 0
        return None


def _derived(key: str) -> bytes:
    """Slow on purpose, for a key that somebody made up."""
    return scrypt(key.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32)
