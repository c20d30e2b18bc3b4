"""What the value of a setting may look like; whatever else it is, is told as the form expected."""

import difflib
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

_PLACES = {"slack", "telegram", "whatsapp"}
_REACTIONS = {"up", "down", "approve", "decline"}
_KEY_LENGTH = 12
MAKE_KEY = "`openssl rand -hex 32` makes one"


def _is_http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that begins with http:// or https://")
    if url and not _has_host(url):
        raise ValueError("expected a URL with a host, such as http://127.0.0.1:8000/v1")
    return url


def _is_database(url: str) -> str:
    if url and not url.startswith(
        ("sqlite:", "postgresql:", "postgresql+asyncpg:", "postgres:", "sqlite+aiosqlite:")
    ):
        raise ValueError("expected sqlite:///path or postgresql://user:password@host/name")
    if url and not (url.startswith("sqlite") or _has_host(url) or "host=" in url):
        raise ValueError("expected a host: postgresql://user:password@host/name")
    return url


def _fits_a_header(key: SecretStr) -> SecretStr:
    plain = key.get_secret_value()
    if not (plain.isascii() and plain.isprintable() and " " not in plain):
        raise ValueError("expected letters, digits and signs, no spaces")
    return key


def _are_places(value: str) -> str:
    for part in filter(None, (p.strip() for p in value.split(","))):
        channel, _, name = part.partition(":")
        if not ((name and channel in _PLACES) or part == "console"):
            raise ValueError(f"{part!r}: expected console or channel:id, such as slack:C012AB3CD")
    return value


def _are_long(keys: SecretStr) -> SecretStr:
    for key in keys.get_secret_value().split(","):
        if len(key.strip()) < _KEY_LENGTH:
            raise ValueError(f"expected {_KEY_LENGTH} characters or more in each; {MAKE_KEY}")
    return keys


def _is_prefix(value: str) -> str:
    if value and not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,15}", value):
        raise ValueError("expected a short word of small letters and digits, such as rt")
    return value.rstrip("-")


def _are_reactions(value: str) -> str:
    for part in filter(None, (p.strip() for p in value.split(","))):
        name, _, says = part.partition("=")
        if part != "none" and not (name and says in _REACTIONS):
            raise ValueError(f"{part!r}: expected emoji=up, down, approve or decline")
    return value


def _are_identities(value: str) -> str:
    for part in filter(None, (p.strip() for p in value.split(","))):
        channel, colon, name = part.partition(":")
        if not (channel and colon and name):
            raise ValueError(f"{part!r}: expected channel:id, such as slack:U012AB3CD")
        if near := difflib.get_close_matches(channel, _PLACES - {channel}, 1, 0.75):
            raise ValueError(f"{part!r}: did you mean {near[0]}:{name}?")
    return value


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


Url = Annotated[str, AfterValidator(_is_http)]
DatabaseUrl = Annotated[str, AfterValidator(_is_database)]
HeaderKey = Annotated[SecretStr, AfterValidator(_fits_a_header)]
Places = Annotated[str, AfterValidator(_are_places)]
LongKeys = Annotated[SecretStr, AfterValidator(_are_long)]
Prefix = Annotated[str, AfterValidator(_is_prefix)]
Reactions = Annotated[str, AfterValidator(_are_reactions)]
Identities = Annotated[str, AfterValidator(_are_identities)]
