"""Language models and embedders."""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.model.chat import ModelReply, ModelRequest
from bot.model.run import Usage

OnDelta = Callable[[str], None]


class Model(Protocol):
    """One way to reach a language model."""

    @property
    def default(self) -> str:
        """The model used where an agent names none."""

    async def warm(self) -> None:
        """Does at start what the first call would otherwise wait for."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        """Answers once, after its own retries and fallbacks; `on_delta` gets text as it comes.

        Raises ModelError (final), ModelUnavailable (retry later) or ContextTooLong. What a failed
        call cost is on the error as `usage`, on the CancelledError of a stopped one too.
        """

    def estimate(self, request: ModelRequest) -> Usage:
        """The most the call may cost, before it is made."""

    async def close(self) -> None: ...


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Names the vector space: vectors of different names are never compared."""

    @property
    def dimensions(self) -> int: ...

    @property
    def degraded(self) -> bool:
        """Whether this is the word-hashing fallback."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector per text, in order."""
