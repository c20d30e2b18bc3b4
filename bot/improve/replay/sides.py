"""One side of a pair: a recorded request answered anew by one version, as a run of its own."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import count

import structlog

from bot.agents import past
from bot.agents.agent import UniversalAgent
from bot.agents.router import without_mention
from bot.errors import ModelUnavailable, OverBudget, RatchetError, StorageError
from bot.events import Events
from bot.improve.judge import Judge
from bot.improve.outcome import checked, of_log
from bot.improve.replay.paying import ReplayPurse
from bot.improve.replay.recorded import Recorded
from bot.improve.replay.scoring import Side
from bot.model.agent import AgentVersion
from bot.model.file import Taken
from bot.model.message import Turn
from bot.model.run import Outcome, Run, RunKind, RunStatus, Step
from bot.model.trial import Arm
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Closing, Journal, Memories, Replay, Runs
from bot.recorder import RunLog
from bot.redaction import Redactor

log = structlog.get_logger()

CHANNEL = "replay"

Images = Callable[[str, Sequence[Taken], str], AbstractAsyncContextManager[Mapping[str, str]]]
"""(workspace, files, model) → the images that the model can be shown, by file id."""

_TRIES = 3
"""So often a model that can't be reached is tried before its silence counts as a failed answer."""


class Paused(RatchetError):
    """Nothing is wrong with the answer: the model can't be reached just now."""

    kind = "paused"


class At:
    """The clock of a recorded run, which tools are told the time by."""

    def __init__(self, now: int, clock: Clock) -> None:
        self._now, self._clock = now, clock

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._clock.monotonic()


class Sides:
    """Through the real agent, in the real log; only what it is answered with is recorded."""

    def __init__(
        self,
        agent: UniversalAgent,
        journal: Journal,
        runs: Runs,
        memories: Memories,
        images: Images,
        clock: Clock,
        ids: Ids,
        events: Events,
        redactor: Redactor,
        node: Callable[[], str],
    ) -> None:
        self._agent, self._journal, self._runs, self._memories = agent, journal, runs, memories
        self._images, self._clock, self._ids, self._events = images, clock, ids, events
        self._redactor, self._node = redactor, node

    async def play(
        self,
        replay: Replay,
        task: Run,
        arm: Arm,
        version: AgentVersion,
        purse: ReplayPurse,
        judge: Judge | None,
    ) -> Side:
        """The closed run; the same again if it was closed before. Raises OverBudget where the money
        is out, and Paused where the model can't be reached: both may be tried again."""
        run, tries, new = await self._open(replay, task, arm, version)
        if not run.finished_at:
            logged = [] if new else await self._runs.steps(run.workspace, run.id)
            run = await self._run(run, logged, task, version, purse, judge)
        if run.error_type == ModelUnavailable.kind and tries < _TRIES:
            raise Paused(f"{run.id}: {run.error_message}")
        return Side(run, await self._runs.steps(run.workspace, run.id))

    async def abandon(self, replay: Replay) -> None:
        """Closes what a replay that is over has left open."""
        for run in await self.of(replay):
            if not run.finished_at:
                closing = Closing(RunStatus.CANCELLED, self._clock.now(), error_type="cancelled")
                await self._journal.close_run(run, closing)

    async def of(self, replay: Replay) -> Sequence[Run]:
        """Every run that was made for it."""
        most = 2 * _TRIES * len(replay.tasks) + 100
        kinds = [RunKind.REPLAY.value]
        return await self._runs.recent(
            replay.workspace, conversation=_conversation(replay), kinds=kinds, limit=most
        )

    async def _open(
        self, replay: Replay, task: Run, arm: Arm, version: AgentVersion
    ) -> tuple[Run, int, bool]:
        """The run to go on with, the number of this try, and whether it begins only now. What a budget or an unreachable model
        ended is tried anew, under an event id of its own."""
        for number in count(1):
            event = f"{replay.id}:{task.id}:{arm}:{number}"
            known = await self._runs.by_event(replay.workspace, CHANNEL, event)
            if known is None:
                return await self._begun(replay, task, arm, version, event), number, True
            if known.status is RunStatus.REFUSED or known.status is RunStatus.CANCELLED:
                continue
            if known.error_type == ModelUnavailable.kind and number < _TRIES:
                continue
            return known, number, False
        raise AssertionError("counting never ends")

    async def _begun(
        self, replay: Replay, task: Run, arm: Arm, version: AgentVersion, event: str
    ) -> Run:
        now = self._clock.now()
        run = Run(
            id=self._ids.run_id(),
            workspace=replay.workspace,
            kind=RunKind.REPLAY,
            status=RunStatus.RUNNING,
            channel=CHANNEL,
            event_id=event,
            conversation=_conversation(replay),
            person="",
            message=f"{replay.proposal}: {task.id} again",  # not its words: they have their own time
            created_at=now,
            started_at=now,
            agent=version.name,
            agent_version=version.version,
            arm=arm.value,
            node=self._node(),
        )
        await self._journal.accept(run)
        return run

    async def _run(
        self,
        run: Run,
        logged: Sequence[Step],
        task: Run,
        version: AgentVersion,
        purse: ReplayPurse,
        judge: Judge | None,
    ) -> Run:
        runlog = RunLog(run, self._journal, self._clock, self._events, self._redactor, logged)
        try:
            answer, outcome = await self._answered(runlog, task, version, purse, judge)
            closing = Closing(RunStatus.SUCCEEDED, 0, answer, outcome=outcome)
        except StorageError:
            raise
        except OverBudget as error:
            await self._close(runlog, _ended(RunStatus.REFUSED, error))
            raise
        except RatchetError as error:
            closing = _ended(RunStatus.FAILED, error)
        except Exception as error:
            # Whatever it is, the same again would end the same way: it counts as a failed answer.
            log.exception("replay_broke", run_id=run.id)
            closing = _ended(RunStatus.FAILED, RatchetError(f"{type(error).__name__}: {error}"))
        return await self._close(runlog, closing)

    async def _answered(
        self,
        runlog: RunLog,
        task: Run,
        version: AgentVersion,
        purse: ReplayPurse,
        judge: Judge | None,
    ) -> tuple[str, Outcome]:
        recorded = Recorded(await self._runs.steps(task.workspace, task.id), self._redactor)
        known = await self._memories.get_many(
            task.workspace, [m.memory.id for m in recorded.memories]
        )
        agent = self._agent.beside(
            recorded.remembering({memory.id for memory in known}),
            purse,
            At(task.started_at or task.created_at, self._clock),
            recorded.call,
        )
        history, earlier = await past.before(self._runs, task, version, long_ago=True)
        question, files = without_mention(task.message, task.agent), [*earlier, *recorded.files]
        async with self._images(task.workspace, files, agent.model_of(version)) as images:
            answer = await agent.answer(runlog, version, question, history, None, files, images)
        answer = self._redactor.text("\n\n".join([answer, *runlog.notes]))
        outcome = Outcome()
        if judge is not None:
            outcome = await _judged(judge, agent, runlog, question, answer, history)
        found = checked(answer, of_log(runlog))
        return answer, outcome if found.y is None else found

    async def _close(self, runlog: RunLog, closing: Closing) -> Run:
        steps, spend = runlog.take_pending()
        closing = replace(
            closing,
            finished_at=self._clock.now(),
            error_message=self._redactor.text(closing.error_message),
            steps=steps,
            spend=spend,
        )
        await self._journal.close_run(runlog.run, closing)
        return replace(
            runlog.run,
            status=closing.status,
            answer=closing.answer,
            outcome=closing.outcome,
            error_type=closing.error_type,
            error_message=closing.error_message,
            finished_at=closing.finished_at,
        )


async def _judged(
    judge: Judge,
    agent: UniversalAgent,
    runlog: RunLog,
    question: str,
    answer: str,
    history: Sequence[Turn],
) -> Outcome:
    grade = await judge.grade(agent.ask, runlog, "answer", question, answer, history)
    return Outcome(grade.y, "judge") if grade else Outcome()


def _conversation(replay: Replay) -> str:
    return f"{CHANNEL}:{replay.id}"


def _ended(status: RunStatus, error: RatchetError) -> Closing:
    return Closing(status, 0, error_type=error.kind, error_message=str(error))
