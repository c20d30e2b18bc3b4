"""The inbox: a message is in the run log before its platform hears that we have it."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from bot.command import CommandTable
from bot.config import Settings
from bot.dispatch.execute import Executor
from bot.dispatch.roles import Roles
from bot.errors import BadInput, NotFound, StorageError
from bot.events import Events
from bot.lanes import Lanes
from bot.model.file import FileRef
from bot.model.message import Message
from bot.model.person import Role
from bot.model.run import CLOSED, Run, RunKind, RunStatus, Step
from bot.model.terms import may_be_said
from bot.ports.channels import Accepted, Event
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Journal, Runs
from bot.redaction import Redactor, storable

log = structlog.get_logger()

_LONG_AGO = 0.05
_OFTEN = 0.5
_KEPT = 1000
_MOST_FILES, _LONGEST_NAME = 30, 200


class Dispatcher:
    """Accepts, orders, executes. Implements `bot.ports.channels.Inbox`.

    `others` says that other nodes work on the same database.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        journal: Journal,
        runs: Runs,
        roles: Roles,
        executor: Executor,
        commands: CommandTable,
        redactor: Redactor,
        events: Events,
        node: Callable[[], str],
        others: bool,
    ) -> None:
        self._settings, self._clock, self._ids = settings, clock, ids
        self._journal, self._runs, self._roles = journal, runs, roles
        self._executor, self._commands, self._redactor = executor, commands, redactor
        self._events, self._node, self._others = events, node, others
        self._lanes = Lanes()
        self._closed: dict[str, asyncio.Future[Run]] = {}
        self._stopping = False

    async def accept(self, message: Message) -> Accepted:
        if self._stopping:
            raise StorageError("stopping", said="I am restarting. Please try again in a moment.")
        self._must_be_allowed(message)
        run = await self._open(message)
        begun, steps = run, list[Step]()
        if self._lanes.free(run.conversation) or self._overtakes(run):
            begun, steps = await self._executor.begin(run)
        # Who hands it over may leave at any moment: what gets into the log is worked on.
        return await asyncio.shield(asyncio.ensure_future(self._record(begun, steps)))

    async def _record(self, run: Run, steps: Sequence[Step]) -> Accepted:
        self._expect(run.id)
        try:
            accepted = await self._journal.accept(run, steps)
        except BaseException:
            self._closed.pop(run.id, None)
            raise
        if accepted.duplicate:
            self._closed.pop(run.id, None)
            return accepted
        self._events.publish(Event(run.id, "started", {"agent": run.agent}))
        self._put(run, steps)
        return accepted

    def resume(self, run: Run, steps: Sequence[Step]) -> None:
        """Goes on with a run of a dead node from what its log says."""
        self._expect(run.id)
        self._put(run, steps)

    async def wait(self, workspace: str, run_id: str, timeout: float) -> Run:
        deadline = self._clock.monotonic() + timeout
        if (closed := self._closed.get(run_id)) is not None:
            try:
                return await asyncio.wait_for(asyncio.shield(closed), timeout)
            except TimeoutError:
                pass
        pause = _LONG_AGO
        while True:
            run = await self._runs.get(workspace, run_id)
            if run is None:
                raise NotFound(f"run {run_id}", said=f"There is no run {run_id}.")
            if run.status in CLOSED or self._clock.monotonic() >= deadline:
                return run
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _OFTEN)

    async def cancel(self, workspace: str, run_id: str) -> bool:
        run = await self._runs.get(workspace, run_id)
        if run is None or run.status in CLOSED:
            return False
        if not self._lanes.cancel(run_id):
            # It has not begun here: it is closed in place, and skipped when its turn comes.
            closed = await self._executor.cancelled(run)
            if closed is not None:
                self.settled(closed)
            self._lanes.cancel(run_id)  # should its turn have come meanwhile
        return True

    async def stop(self, seconds: float = 10.0) -> None:
        """Takes nothing more, lets what is under way finish, leaves the rest for the next start."""
        self._stopping = True
        self._executor.stopping = True
        await self._lanes.drain(seconds)

    def busy(self) -> int:
        return self._lanes.working()

    def settled(self, run: Run) -> None:
        """Called once a run is closed: wakes whoever waits for it."""
        closed = self._closed.pop(run.id, None)
        if closed is not None and not closed.done():
            closed.set_result(run)
        self._events.publish(Event(run.id, "done", {"status": run.status.value}))

    async def _open(self, message: Message) -> Run:
        now = self._clock.now()
        message = _storable(message)
        person = await self._roles.person_of(message)
        too_long = len(message.text) > self._settings.max_message_chars
        # Only the beginning of what is too long is kept: the rest isn't worth a second of work.
        text = self._redactor.text(message.text[: 2 * _KEPT] if too_long else message.text)
        expiry = 0 if message.never_expires else self._settings.message_expiry * 1000
        run = Run(
            id=self._ids.run_id(),
            workspace=message.workspace,
            kind=RunKind.REQUEST,
            status=RunStatus.QUEUED,
            channel=message.channel,
            event_id=message.event_id,
            conversation=message.conversation,
            person=person.id,
            message=text[:_KEPT] if too_long else text,
            created_at=now,
            expires_at=expiry and max(0, min(message.sent_at or now, now)) + expiry,
            agent_hint=storable(message.agent or ""),
            address=message.address,
            history=tuple((who, self._redactor.text(said)) for who, said in message.history),
            error_type="too_long" if too_long else "",
            node=self._node(),
            guest=message.sender.is_guest or person.role is Role.GUEST,
            files=tuple(self._named(file) for file in message.files[:_MOST_FILES]),
        )
        return replace(run, kind=RunKind.COMMAND) if self._is_command(run) else run

    def _named(self, file: FileRef) -> FileRef:
        name = self._redactor.text(file.name)[:_LONGEST_NAME]
        return replace(file, name=name, mime=storable(file.mime)[:_LONGEST_NAME])

    def _must_be_allowed(self, message: Message) -> None:
        """Free words of a channel that carries fixed commands only are not even recorded."""
        parsed = self._commands.parse(message.text)
        command = parsed and self._commands.lookup(parsed[0])
        if not may_be_said(message.channel, command.name if command else parsed and parsed[0]):
            raise BadInput(
                f"free words on {message.channel}",
                said=f"On {message.channel} I take fixed commands only. help lists them.",
            )

    def _is_command(self, run: Run) -> bool:
        return self._commands.parse(run.message) is not None

    def _overtakes(self, run: Run) -> bool:
        parsed = self._commands.parse(run.message)
        command = parsed and self._commands.lookup(parsed[0])
        return bool(command and not command.in_order)

    async def _wait_for_others(self, run: Run) -> None:
        """Other nodes may hold earlier messages of the same conversation."""
        while True:
            try:
                if not await self._runs.open_before(run.workspace, run.conversation, run.id):
                    return
            except StorageError as error:
                log.warning("order_unknown", run_id=run.id, cause=str(error))
            await asyncio.sleep(_OFTEN / 5)

    def _expect(self, run_id: str) -> None:
        self._closed[run_id] = asyncio.get_running_loop().create_future()

    def _put(self, run: Run, steps: Sequence[Step]) -> None:
        async def job() -> None:
            if run.id not in self._closed:
                return  # cancelled before its turn
            if self._others:
                await self._wait_for_others(run)
            closed = await self._executor.execute(run, steps)
            if closed is not None:
                self.settled(closed)
            else:
                self._closed.pop(run.id, None)

        if self._overtakes(run):
            self._lanes.at_once(run.id, job)
        else:
            self._lanes.put(run.conversation, run.id, job)


def _storable(message: Message) -> Message:
    """With names and ids that every database takes; different ids stay different."""
    sender = replace(
        message.sender,
        external_id=_bounded(message.sender.external_id, 200),
        name=storable(message.sender.name),
    )
    return replace(
        message,
        event_id=_bounded(message.event_id, 300),
        conversation=_bounded(message.conversation, 300),
        sender=sender,
    )


def _bounded(name: str, limit: int) -> str:
    name = storable(name)
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"{name[: limit - 33]}~{digest}"
