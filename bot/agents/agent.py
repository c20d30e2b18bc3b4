"""The universal agent: one loop, driven by an agent version; there is no other."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from bot.agents import prompt
from bot.agents.guards import Guarding
from bot.agents.runbooks import NONE, Runbooks
from bot.agents.slots import Slots
from bot.agents.tools.base import Tool, ToolContext
from bot.agents.tools.run import Calling, call, granted
from bot.budget import Holding
from bot.errors import ContextTooLong, ModelError, ModelUnavailable, ToolError
from bot.files.making import Making
from bot.memory import MemoryBank
from bot.model.agent import AgentVersion
from bot.model.chat import ModelReply, ModelRequest, ToolCall
from bot.model.file import Taken
from bot.model.memory import ORG, Memory, Namespace, Recalled, of_agent, of_user
from bot.model.message import Turn
from bot.model.run import GUARDED, StepKind
from bot.ports.clock import Clock
from bot.ports.models import Model, OnDelta
from bot.ports.stores import Metrics, Proposals, Runs
from bot.recorder import Done, RunLog

_TRIMS = 4
"""Files are halved so often; a conversation alone is cut once."""
_NO_IMAGES = re.compile(r"image|vision|multi-?modal|content.{0,40}(?:string|text)", re.IGNORECASE)


class Recalling(Protocol):
    """What is remembered, as a run asks for it."""

    async def holds(self, workspace: str, namespaces: Sequence[Namespace]) -> bool: ...

    async def recall(
        self, workspace: str, namespaces: Sequence[Namespace], question: str
    ) -> list[Recalled]: ...


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What every tool may be given, whatever agent calls it."""

    clock: Clock
    memory: MemoryBank
    runs: Runs
    metrics: Metrics
    proposals: Proposals
    http_allow: tuple[str, ...]
    making: Making


class UniversalAgent:
    """Recalls, asks the model, calls the tools it asks for, until it answers."""

    def __init__(
        self,
        model: Model,
        memory: Recalling,
        purse: Holding,
        toolbox: Toolbox,
        calls_at_once: int,
        runbooks: Runbooks,
    ) -> None:
        self._model, self._memory, self._purse, self._toolbox = model, memory, purse, toolbox
        self._slots, self._runbooks = Slots(calls_at_once), runbooks
        self._calling: Calling = call

    def beside(
        self, memory: Recalling, purse: Holding, clock: Clock, calling: Calling
    ) -> "UniversalAgent":
        """The same agent over other memories and tools, paid for from elsewhere: what is done for
        nobody waits in one line with what people ask for."""
        other = copy(self)
        other._memory, other._purse, other._calling = memory, purse, calling
        other._toolbox = replace(self._toolbox, clock=clock)
        return other

    async def answer(
        self,
        log: RunLog,
        version: AgentVersion,
        question: str,
        history: Sequence[Turn],
        on_delta: OnDelta | None,
        files: Sequence[Taken] = (),
        images: Mapping[str, str] | None = None,
    ) -> str:
        """The text for the person. `images` are data URLs of those files that the model can be
        shown, by file id. Raises ModelError, OverBudget, Fenced."""
        try:
            async with asyncio.timeout(version.limits.seconds):
                return await self._loop(log, version, question, history, on_delta, files, images)
        except TimeoutError as error:
            raise ModelUnavailable(
                f"run took longer than {version.limits.seconds} s",
                said=f"I ran out of time after {version.limits.seconds:.0f} seconds. "
                "Try a smaller question, or ask again.",
            ) from error

    async def _loop(
        self,
        log: RunLog,
        version: AgentVersion,
        question: str,
        history: Sequence[Turn],
        on_delta: OnDelta | None,
        files: Sequence[Taken],
        images: Mapping[str, str] | None,
    ) -> str:
        memories = await self._recall(log, version, question)
        known = await self._runbooks.known(log, version, question) if version.workflows else NONE
        log.followed = known.followed
        guards = Guarding(version.guards) if version.guards else None
        tools = {tool.name: tool for tool in granted(version.tools)}
        request = prompt.build(
            version,
            self.model_of(version),
            question,
            history,
            memories,
            [tool.spec for tool in tools.values()],
            files,
            images,
            known,
        )
        for _ in range(version.limits.max_turns):
            request, reply = await self._ask_trimming(log, request, on_delta, version.budget_day)
            if not reply.tool_calls:
                return _said(reply)
            results = [await self._use(log, version, tools, c, guards) for c in reply.tool_calls]
            request = _with_results(request, reply, results)
        raise ModelError(
            f"no answer after {version.limits.max_turns} turns",
            said=f"I stopped after {version.limits.max_turns} rounds of tool calls without an "
            "answer. Try asking for one thing at a time.",
        )

    def model_of(self, version: AgentVersion) -> str:
        return version.model or self._model.default

    async def _recall(self, log: RunLog, version: AgentVersion, question: str) -> list[Recalled]:
        run = log.run
        namespaces = (ORG, of_agent(version.name), of_user(run.person))
        if not await self._memory.holds(run.workspace, namespaces):
            return []

        async def search() -> Done:
            found = await self._memory.recall(run.workspace, namespaces, question)
            return Done([{**asdict(r.memory), "score": round(r.score, 4)} for r in found])

        found = await log.step(StepKind.RECALL, "memory", {"namespaces": namespaces}, search)
        return [_recalled(dict(record)) for record in found]

    async def _ask_trimming(
        self,
        log: RunLog,
        request: ModelRequest,
        on_delta: OnDelta | None,
        own_day: float | None,
    ) -> tuple[ModelRequest, ModelReply]:
        for _ in range(_TRIMS if request.context.files else 1):
            try:
                return request, await self.ask(log, request, on_delta, own_day=own_day)
            except ContextTooLong:
                smaller = prompt.trimmed(request)
                if smaller is None:
                    raise
            except ModelError as error:
                smaller = None if error.retry else prompt.without_images(request)
                if smaller is None or not _NO_IMAGES.search(str(error)):
                    raise
                log.notes.append(f"The model {request.model} takes no images: I saw none.")
            request = smaller
        return request, await self.ask(log, request, on_delta, own_day=own_day)

    async def ask(
        self,
        log: RunLog,
        request: ModelRequest,
        on_delta: OnDelta | None = None,
        kind: StepKind = StepKind.MODEL,
        name: str = "",
        own_day: float | None = None,
    ) -> ModelReply:
        """One model call: the budget first, then its turn, then the log, as a step of `kind` under
        `name`, by default the model's. `own_day` is what the agent may spend a day by its own
        version."""
        run = log.run

        async def complete() -> Done:
            await self._model.warm()  # an estimate needs the prices
            hold = await self._purse.hold(
                run.workspace,
                run_id=run.id,
                agent=run.agent,
                person=run.person,
                spent=log.usage,
                most=self._model.estimate(request),
                own_day=own_day,
            )
            usage = None
            try:
                async with self._slots.taken(run.id):
                    reply = await self._model.complete(request, on_delta)
                usage = reply.usage
            except ModelError as error:
                usage = error.usage
                raise
            finally:
                self._purse.release(hold, usage)
            return Done(_reply_json(reply), usage)

        asked = {"messages": len(request.messages), "tools": [t.name for t in request.tools]}
        output = await log.step(kind, name or request.model, asked, complete)
        return _reply(output)

    async def _use(
        self,
        log: RunLog,
        version: AgentVersion,
        tools: dict[str, Tool],
        wanted: ToolCall,
        guards: Guarding | None,
    ) -> str:
        refused = guards.refusal(wanted) if guards else ""

        async def use() -> Done:
            if refused:
                return Done(f"Error: {refused}", error_type=GUARDED, error_message=refused)
            try:
                tool = tools.get(wanted.name)
                if tool is None:
                    raise ToolError(
                        f"There is no tool {wanted.name!r}. There are: {', '.join(tools)}."
                    )
                context = self._context(log, version, wanted)
                return Done(await self._calling(tool, context, wanted.arguments))
            except ToolError as error:
                # The model reads the error and may do better; the run goes on.
                said = guards.advised(wanted, error) if guards else f"Error: {error}"
                return Done(said, error_type=error.kind, error_message=str(error))

        result = await log.step(
            StepKind.TOOL, wanted.name, {"arguments": wanted.arguments[:4000]}, use
        )
        if guards:
            guards.saw(wanted, str(result))
        return str(result)

    def _context(self, log: RunLog, version: AgentVersion, wanted: ToolCall) -> ToolContext:
        run, box = log.run, self._toolbox
        return ToolContext(
            workspace=run.workspace,
            person=run.person,
            agent=version.name,
            run_id=run.id,
            call_id=f"{run.id}:{wanted.id}",
            conversation=run.conversation,
            clock=box.clock,
            memory=box.memory,
            runs=box.runs,
            metrics=box.metrics,
            proposals=box.proposals,
            http_allow=box.http_allow,
            making=box.making,
        )


def _said(reply: ModelReply) -> str:
    if reply.text.strip():
        return reply.text
    raise ModelUnavailable(
        f"empty answer, finish_reason {reply.finish_reason!r}",
        said="The model gave an empty answer. Please ask again, or put it differently.",
    )


def _with_results(request: ModelRequest, reply: ModelReply, results: Sequence[str]) -> ModelRequest:
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
        for c in reply.tool_calls
    ]
    said: dict[str, Any] = {"role": "assistant", "content": reply.text, "tool_calls": calls}
    answers = [
        {"role": "tool", "tool_call_id": c.id, "content": result}
        for c, result in zip(reply.tool_calls, results, strict=True)
    ]
    return replace(request, messages=(*request.messages, said, *answers))


def _reply_json(reply: ModelReply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "tool_calls": [asdict(call) for call in reply.tool_calls],
        "model": reply.model,
        "finish_reason": reply.finish_reason,
    }


def _reply(output: dict[str, Any]) -> ModelReply:
    calls = tuple(ToolCall(**call) for call in output["tool_calls"])
    return ModelReply(
        output["text"], calls, model=output["model"], finish_reason=output["finish_reason"]
    )


def _recalled(record: dict[str, Any]) -> Recalled:
    score = record.pop("score")
    return Recalled(Memory(**record), score)
