"""A model that says what the test gave it, and raises what it was given to raise."""

from bot.model.chat import ModelReply, ModelRequest
from bot.model.run import Usage
from bot.ports.models import OnDelta

COST = 0.01


class ScriptedModel:
    """Implements `bot.ports.models.Model`; each call costs a cent and may cost two."""

    default = "scripted"

    def __init__(self, *said: str | ModelReply | Exception) -> None:
        self.said = list(said)
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        self.requests.append(request)
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, ModelReply):
            return said
        return ModelReply(said, usage=Usage(100, 20, 0, COST), model=self.default)

    def estimate(self, request: ModelRequest) -> Usage:
        return Usage(100, 200, 0, 2 * COST)

    async def warm(self) -> None: ...

    async def close(self) -> None: ...
