"""A model call that chooses the agent, for those who switch it on; words and names come first."""

from collections.abc import Awaitable, Callable, Sequence

from bot.errors import ModelError
from bot.model.agent import AgentVersion
from bot.model.chat import Context, ModelReply, ModelRequest
from bot.model.run import StepKind
from bot.ports.models import OnDelta
from bot.recorder import RunLog

AskModel = Callable[[RunLog, ModelRequest, OnDelta | None, StepKind], Awaitable[ModelReply]]

_QUESTION_CHARS = 4000


class ModelChooser:
    """Costs a recorded, budgeted call for each request whose words don't decide."""

    def __init__(self, ask: AskModel, model: str) -> None:
        self._ask, self._model = ask, model

    async def choose(self, log: RunLog, agents: Sequence[AgentVersion]) -> str:
        """The name of an agent, or "" where the model names none or can't be reached."""
        listed = "\n".join(f"{agent.name}: {agent.specialty}" for agent in agents)
        order = f"Which of these takes the request? Answer with one name only.\n{listed}"
        question = log.run.message[:_QUESTION_CHARS]
        request = ModelRequest(
            self._model,
            ({"role": "system", "content": order}, {"role": "user", "content": question}),
            temperature=0.0,
            max_tokens=16,
            context=Context(question),
        )
        try:
            # A step of its own kind: a resumed run must not take it for an answer.
            reply = await self._ask(log, request, None, StepKind.ROUTE)
        except ModelError:
            return ""
        said = reply.text.strip().strip(".\"'`").lower()
        return said if said in {agent.name for agent in agents} else ""
