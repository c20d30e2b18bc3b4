"""Where the world comes in and replies go out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.message import Message
from bot.model.run import Run


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message is in the run log. `duplicate` means it had been before."""

    run_id: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that just happened in a run, for whoever watches it live.

    `kind` is "started", "doing", "step", "delta" or "done"; `data` holds JSON values. "delta"
    carries {"text"}, "doing" {"seq", "kind", "name"} as a step begins, "step" the same with
    {"duration_ms", "error_type"} once it is over, "done" {"status"}.
    """

    run_id: str
    kind: str
    data: Mapping[str, object]


class Inbox(Protocol):
    """What a channel hands its messages to."""

    async def accept(self, message: Message) -> Accepted:
        """Returns once the message is durably recorded; answers follow by themselves.

        Raises StorageError (retry; the platform must not be acknowledged) or BadInput.
        """

    async def wait(self, workspace: str, run_id: str, timeout: float) -> Run:
        """The run once it is closed, or as it stands after `timeout` seconds."""

    async def cancel(self, workspace: str, run_id: str) -> bool:
        """Stops a run and keeps what it had said; False if it was closed already."""


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP path a channel serves on the common web server. `endpoint` is an async function
    from a Starlette request to a Starlette response."""

    path: str
    methods: tuple[str, ...]
    endpoint: Callable[..., Awaitable[object]]


class Channel(Protocol):
    """One platform. Replies to it come from the outbox, once the run is closed."""

    @property
    def name(self) -> str: ...

    @property
    def push(self) -> bool:
        """Whether replies are sent (True) or fetched by whoever asked (False: no outbox)."""

    @property
    def summary(self) -> str:
        """Where it can be reached, in a few words, for the start-up lines."""

    def routes(self) -> Sequence[Route]: ...

    async def start(self) -> None:
        """Begins to receive; returns once it does. A failing connection is retried, not raised."""

    async def stop(self) -> None:
        """Stops receiving, then lets go of connections."""

    def follow(self, run: Run) -> None:
        """A request of this channel begins to be worked on, here and now, also when it is taken up
        again after a crash. Who shows it while it grows watches its events from now on. Returns
        at once, raises nothing."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        """The bytes of a file that came with a message. Raises ChannelError, with words for the
        person, for what is gone, forbidden or longer than `limit` bytes; ChannelUnavailable where
        it may work later."""

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        """Shows the reply (or replaces `delivery.edits` by it); returns the platform's reference.

        Raises ChannelError (final), ChannelUnavailable (certainly not shown; may be retried,
        `retry_after` honoured) or DeliveryUnclear.
        """

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        """After an unclear send: the reference if the platform shows the reply, None if it does
        not. Raises DeliveryUnclear where the platform can't tell."""
