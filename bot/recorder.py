"""The run log as a run writes it: each step is kept before the next begins, none is done twice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import ModelError, RatchetError, StorageError
from bot.events import Events
from bot.model.run import GUARDED, Run, Step, StepKind, Usage
from bot.model.workflow import Workflow
from bot.ports.channels import Event
from bot.ports.clock import Clock
from bot.ports.stores import Journal, Spend
from bot.redaction import Redactor


@dataclass(frozen=True, slots=True)
class Done:
    """What one step's work came to. `output` must be a JSON value, and not None; `clean` says that
    it has lost its secrets already."""

    output: Any
    usage: Usage = Usage()
    error_type: str = ""
    error_message: str = ""
    clean: bool = False


class RunLog:
    """One run's steps, in order.

    A finished step waits in memory only until the next one begins or the run closes, so that the
    last step, the answer and the outbox row are one commit.
    """

    def __init__(
        self,
        run: Run,
        journal: Journal,
        clock: Clock,
        events: Events,
        redactor: Redactor,
        logged: Sequence[Step] = (),
    ) -> None:
        self.run = run
        self._journal, self._clock, self._events, self._redactor = journal, clock, events, redactor
        self._logged = [step for step in logged if step.output is not None]
        self._next_seq = max((step.seq for step in logged), default=-1) + 1
        self._pending: list[Step] = []
        self.usage = sum((s.usage for s in logged), Usage())
        self.said = ""
        """What was streamed so far, for a run that is stopped half-way."""
        self.notes: list[str] = []
        """Lines for the person, to be shown under the answer."""
        self.used: set[str] = set()
        """Names of the tools that were called."""
        self.tool_error = ""
        """What the last call of a tool failed with, "" where it worked."""
        self.followed: tuple[Workflow, ...] = ()
        """Runbooks that the answer was to follow."""

    async def step(
        self, kind: StepKind, name: str, input: Any, work: Callable[[], Awaitable[Done]]
    ) -> Any:
        """The work's output: from the log if a former attempt got that far, else by doing it.

        What the work raises is recorded and raised on; what a failed model call cost is counted.
        """
        name = self._redactor.text(name)  # a model may call a tool by any name
        if kind is StepKind.TOOL:
            self.used.add(name)
        known = self._take_logged(kind, name)
        if known is not None:
            self._note(known.kind, known.error_type)
            return known.output
        await self.flush()
        doing = {"seq": self._next_seq, "kind": kind.value, "name": name}
        self._events.publish(Event(self.run.id, "doing", doing))
        started, begun = self._clock.now(), self._clock.monotonic()
        done = Done(None)
        try:
            done = await work()
            return done.output
        except asyncio.CancelledError as stopped:
            usage = vars(stopped).get("usage", Usage())
            done = Done(None, usage, error_type="cancelled")
            raise
        except RatchetError as error:
            usage = error.usage if isinstance(error, ModelError) else Usage()
            done = Done(None, usage, error.kind, str(error))
            raise
        except Exception as error:
            done = Done(None, Usage(), type(error).__name__, str(error))
            raise
        finally:
            self._note(kind, done.error_type)
            spent = round((self._clock.monotonic() - begun) * 1000, 3)
            self._keep(
                Step(
                    seq=self._next_seq,
                    kind=kind,
                    name=name,
                    started_at=started,
                    duration_ms=spent,
                    input=self._redactor.value(input),
                    output=done.output if done.clean else self._redactor.value(done.output),
                    usage=done.usage,
                    error_type=done.error_type,
                    error_message=self._redactor.text(done.error_message),
                )
            )

    def _note(self, kind: StepKind, error_type: str) -> None:
        if kind is StepKind.TOOL and error_type != GUARDED:
            self.tool_error = error_type

    async def flush(self) -> None:
        """Commits what waits. Raises Fenced if another node has the run."""
        if self._pending:
            waiting, self._pending = self._pending, []
            try:
                await self._journal.steps(self.run, waiting, self.spend(waiting))
            except StorageError:
                # Nothing of it was written; the end of the run takes it along.
                self._pending = waiting + self._pending
                raise

    def take_pending(self) -> tuple[tuple[Step, ...], tuple[Spend, ...]]:
        """What the closing commit must carry, and its costs."""
        waiting, self._pending = tuple(self._pending), []
        return waiting, tuple(self.spend(waiting))

    def spend(self, steps: Sequence[Step]) -> list[Spend]:
        run = self.run
        keys = (("agent", run.agent), ("person", run.person), ("workspace", ""))
        return [
            Spend(run.workspace, keys, step.started_at, step.usage.cost_usd)
            for step in steps
            if step.usage.cost_usd
        ]

    def _take_logged(self, kind: StepKind, name: str) -> Step | None:
        """The next result of a former attempt for the same thing. A model's name may have changed
        with the settings: its answer still counts."""
        for at, step in enumerate(self._logged):
            if step.kind is kind and (step.name == name or kind is StepKind.MODEL):
                del self._logged[: at + 1]
                return step
        return None

    def keep(self, step: Step) -> None:
        """A step that is done already."""
        self._keep(replace(step, seq=self._next_seq))

    def _keep(self, step: Step) -> None:
        self._next_seq += 1
        self._pending.append(step)
        self.usage += step.usage
        self.run = replace(self.run, usage=self.usage)
        shown = {
            "seq": step.seq,
            "kind": step.kind.value,
            "name": step.name,
            "duration_ms": step.duration_ms,
            "error_type": step.error_type,
        }
        self._events.publish(Event(self.run.id, "step", shown))
