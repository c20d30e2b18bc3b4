"""Whether Slack itself sent a request: the v0 signature, pure."""

import hashlib
import hmac

WINDOW = 300
"""Seconds a signed request stays good for, by Slack's own advice against replays."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature Slack puts beside a request body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: int) -> bool:
    """False for a wrong or missing signature and for a timestamp outside the window; `now` is ms
    since the epoch."""
    if not secret or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now / 1000 - int(timestamp)) > WINDOW:
        return False
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode())
