"""An inbox whose answers a test writes: real runs in a real log, no agent behind them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import NotFound
from bot.events import Events
from bot.model.codec import reply_to_json
from bot.model.message import Message, Reply
from bot.model.run import CLOSED, Run, RunKind, RunStatus, Step, StepKind, Usage
from bot.ports.channels import Accepted, Event
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Closing
from storage.journal import RunJournal
from storage.runs import RunStore


@dataclass(frozen=True)
class Answer:
    """What becomes of a message. `waits` holds it back after its deltas until it is set."""

    text: str = ""
    deltas: Sequence[str] = ()
    status: RunStatus = RunStatus.SUCCEEDED
    error_type: str = ""
    reply: Reply | None = None
    waits: asyncio.Event | None = None
    usage: Usage = field(default_factory=lambda: Usage(12, 5, 3, 0.0004))


class AnsweringInbox:
    """`script` maps a message's text to its answer; everything else is echoed."""

    def __init__(
        self, journal: RunJournal, runs: RunStore, events: Events, clock: Clock, ids: Ids
    ) -> None:
        self.script: dict[str, Answer | Callable[[Message], Answer]] = {}
        self.messages: list[Message] = []
        self.refusals: list[Exception] = []
        self.spoke = asyncio.Event()
        """Set once the deltas of a run that waits are out."""
        self.journal, self._runs, self._events = journal, runs, events
        self._clock, self._ids = clock, ids
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def accept(self, message: Message) -> Accepted:
        if self.refusals:
            raise self.refusals.pop(0)
        command = message.text.startswith("/")
        run = Run(
            id=self._ids.run_id(),
            workspace=message.workspace,
            kind=RunKind.COMMAND if command else RunKind.REQUEST,
            status=RunStatus.RUNNING,
            channel=message.channel,
            event_id=message.event_id,
            conversation=message.conversation,
            person=message.sender.external_id,
            message=message.text,
            created_at=self._clock.now(),
            started_at=self._clock.now(),
            agent="" if command else message.agent or "generalist",
            agent_version=0 if command else 1,
            address=message.address,
            history=message.history,
        )
        accepted = await self.journal.accept(run)
        if not accepted.duplicate:
            self.messages.append(message)
            self._tasks[run.id] = asyncio.create_task(self._answer(run, self._scripted(message)))
        return accepted

    async def wait(self, workspace: str, run_id: str, timeout: float) -> Run:
        if (task := self._tasks.get(run_id)) is not None:
            await asyncio.wait({task}, timeout=timeout)
        run = await self._runs.get(workspace, run_id)
        if run is None:
            raise NotFound(said=f"There is no run {run_id}.")
        return run

    async def cancel(self, workspace: str, run_id: str) -> bool:
        run = await self.wait(workspace, run_id, 0)
        if run.status in CLOSED:
            return False
        self._tasks[run_id].cancel()
        await self._close(run, Answer("as far as I got", status=RunStatus.CANCELLED))
        return True

    async def find(self, text: str) -> Run:
        """The newest run of this message."""
        runs = await self._runs.recent("local", limit=100)
        return next(run for run in runs if run.message == text)

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _scripted(self, message: Message) -> Answer:
        found = self.script.get(message.text, Answer(f"You said: {message.text}"))
        return found if isinstance(found, Answer) else found(message)

    async def _answer(self, run: Run, answer: Answer) -> None:
        self._events.publish(Event(run.id, "started", {"agent": run.agent}))
        for text in answer.deltas:
            self._events.publish(Event(run.id, "delta", {"text": text}))
        if answer.waits:
            self.spoke.set()
            await answer.waits.wait()
        await self._close(run, answer)

    async def _close(self, run: Run, answer: Answer) -> None:
        step = Step(0, StepKind.MODEL, "scripted", run.created_at, 2.5, None, {}, answer.usage)
        reply = answer.reply or Reply(answer.text, run.id, rateable=run.kind is RunKind.REQUEST)
        closing = Closing(
            answer.status,
            self._clock.now() + 3,
            answer=reply.text if answer.status is RunStatus.SUCCEEDED else answer.text,
            reply=reply_to_json(replace(reply, run_id=run.id)),
            error_type=answer.error_type,
            error_message="the cause" if answer.error_type else "",
            steps=(step,) if run.kind is RunKind.REQUEST else (),
        )
        await self.journal.close_run(replace(run, usage=answer.usage), closing)
        shown = {"seq": 0, "kind": "model", "name": "scripted", "duration_ms": 2.5}
        self._events.publish(Event(run.id, "step", {**shown, "error_type": ""}))
        self._events.publish(Event(run.id, "done", {"status": answer.status.value}))
