"""What we ask of Slack's Web API, what each method needs, and what its refusals mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear

SCOPES: Mapping[str, str] = {
    "auth.test": "",
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
    "conversations.history": "channels:history groups:history im:history",
    "conversations.replies": "channels:history groups:history im:history",
    "assistant.threads.setStatus": "assistant:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "users.info": "users:read",
    "views.open": "",
    "views.publish": "",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "oauth.v2.access": "",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.info": "files:read",
}
"""Every method called with the bot token, and the scopes it needs."""

_TO_HEAR = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "commands",
    "groups:history",
    "im:history",
    "im:read",
    "reactions:read",
)
"""What events and slash commands need, and what names the places they come from."""


def bot_scopes() -> set[str]:
    """Everything a workspace has to grant: what manifest.yml asks for."""
    return {*_TO_HEAR, *(scope for scopes in SCOPES.values() for scope in scopes.split())}


REJECTED = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
        "app_uninstalled",
    }
)
"""The token is wrong and stays wrong."""

_LATER = frozenset({"ratelimited", "rate_limited", "request_timeout", "message_limit_exceeded"})
_PERHAPS = frozenset({"internal_error", "fatal_error", "service_unavailable", "team_added_to_org"})
"""Slack says of these that a part of what was asked may have been done."""
_NO_SUCH = frozenset({404, 405})
"""A server that doesn't know the method may say so without Slack's words."""

Answer = Mapping[str, Any]


class Refused(ChannelError):
    """Slack answered and said no; `code` is its word for why."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class TooLong(ChannelError):
    """A file is larger than what is asked for."""


@dataclass(frozen=True, slots=True)
class Download:
    """`kind` is the content type, in small letters and without parameters."""

    content: bytes
    kind: str


class Api(Protocol):
    """The Web API. Raises Refused, ChannelUnavailable or DeliveryUnclear."""

    async def call(self, method: str, **args: Any) -> Answer:
        """May be repeated by itself: only for what does the same when done twice."""

    async def post(self, method: str, **args: Any) -> Answer:
        """Is never repeated unless Slack has certainly not done it."""

    async def once(self, method: str, **args: Any) -> Answer:
        """Is never repeated and sits out no rate limit: for what may as well be left out."""

    async def store(self, name: str, content: bytes, alt: str) -> str:
        """Brings a file's bytes to Slack, where nobody sees them before
        files.completeUploadExternal; the file's id."""

    async def download(self, url: str, limit: int) -> Download:
        """What is behind an address of Slack's own; the token is sent to no other host. Raises
        TooLong for more than `limit` bytes."""

    async def respond(self, url: str, body: Mapping[str, object]) -> None:
        """Answers a command where the bot itself isn't a member."""


def fault(method: str, status: int, code: str, retry_after: float | None) -> ChannelError:
    """An answer that isn't ok, as one of our errors."""
    if status == 429 or code in _LATER:
        return ChannelUnavailable(f"{method}: {code or status}", retry_after=retry_after)
    if status in _NO_SUCH and not code:
        return Refused(method, f"http_{status}")
    if status >= 500 or code in _PERHAPS or not code:
        return DeliveryUnclear(f"{method}: HTTP {status} {code}".strip(), retry_after=retry_after)
    return Refused(method, code)
