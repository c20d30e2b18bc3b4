"""One run, from its first step to its end: the agent or the command, and what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import structlog

from bot.agents import past
from bot.agents.agent import UniversalAgent
from bot.agents.chooser import ModelChooser
from bot.agents.router import without_mention
from bot.agents.tools.make_file import make_file
from bot.command import Ask, Command, CommandTable
from bot.dispatch import ends
from bot.dispatch.closing import Closer
from bot.dispatch.routing import Routing
from bot.errors import BadInput, Conflict, Fenced, Forbidden, NotFound, RatchetError
from bot.events import Events
from bot.files.intake import Intake
from bot.improve.outcome import checked, of_log
from bot.model.agent import AgentVersion
from bot.model.codec import reply_from_json, reply_to_json
from bot.model.file import Attached, Taken
from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.run import UNKNOWN_COMMAND, Run, RunKind, RunStatus, Step, StepKind
from bot.model.trial import GONE
from bot.model.words import usd
from bot.ports.channels import Event
from bot.ports.clock import Clock
from bot.ports.stores import Agents, Closing, Files, Journal, People, Runs
from bot.recorder import Done, RunLog
from bot.redaction import Redactor
from bot.services import Services

log = structlog.get_logger()


class Executor:
    """Does what a run asks for, and ends it whatever happens on the way."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        runs: Runs,
        agents: Agents,
        people: People,
        routing: Routing,
        agent: UniversalAgent,
        commands: CommandTable,
        closer: Closer,
        redactor: Redactor,
        events: Events,
        services: Callable[[], Services],
        max_chars: int,
        follow: Callable[[Run], None],
        intake: Intake,
        files: Files,
        guests_may_chat: Callable[[str], Awaitable[bool]],
        chooser: ModelChooser | None = None,
    ) -> None:
        """`follow` tells the run's channel that a request begins to be worked on.
        `guests_may_chat` is what the workspace's policy says."""
        self._clock, self._journal, self._runs = clock, journal, runs
        self._agents, self._people, self._routing = agents, people, routing
        self._agent, self._commands, self._closer = agent, commands, closer
        self._redactor, self._events, self._services = redactor, events, services
        self._max_chars, self._follow, self._chooser = max_chars, follow, chooser
        self._intake, self._files = intake, files
        self._guests_may_chat = guests_may_chat
        self.stopping = False

    async def begin(self, run: Run) -> tuple[Run, list[Step]]:
        """A run whose turn is now: a request is routed before it is even recorded, unless a
        model may have to be asked, which is done only for what is recorded."""
        if run.kind is RunKind.REQUEST and not self._barred(run):
            return (run, []) if self._chooser else await self._routing.begin(run)
        return replace(run, status=RunStatus.RUNNING, started_at=self._clock.now()), []

    async def execute(self, run: Run, steps: Sequence[Step]) -> Run | None:
        """The closed run, or None where it is not this node's to close any more."""
        runlog = self._log(run, steps)
        try:
            reply, closing = await self._end(runlog)
            return await self._closer.close(runlog, reply, closing)
        except (Fenced, Conflict) as error:
            log.info("run_left", run_id=run.id, cause=str(error))
            return None

    async def cancelled(self, run: Run) -> Run | None:
        """Closes a run that has not begun."""
        runlog = self._log(run, ())
        try:
            return await self._closer.close(runlog, *ends.stopped(run, ""))
        except (Fenced, Conflict):
            return None

    def _log(self, run: Run, steps: Sequence[Step]) -> RunLog:
        return RunLog(run, self._journal, self._clock, self._events, self._redactor, steps)

    async def _end(self, runlog: RunLog) -> tuple[Reply, Closing]:
        try:
            return await self._do(runlog)
        except asyncio.CancelledError:
            if self.stopping:
                await self._keep_spent(runlog)
                raise
            return ends.stopped(runlog.run, self._redactor.text(runlog.said.strip()))
        except Fenced:
            raise
        except RatchetError as error:
            # A server's own words may quote what it was sent.
            error.said = self._redactor.text(error.said)
            return ends.failed(runlog.run, error)
        except Exception as error:
            log.exception("run_broke", run_id=runlog.run.id)
            return ends.failed(runlog.run, RatchetError(f"{type(error).__name__}: {error}"))

    async def _keep_spent(self, runlog: RunLog) -> None:
        """What a call that is cut off has cost; its run goes on at the next start."""
        try:
            await runlog.flush()
        except RatchetError as error:
            log.warning("spent_not_kept", run_id=runlog.run.id, cause=str(error))

    async def _do(self, runlog: RunLog) -> tuple[Reply, Closing]:
        run = runlog.run
        if run.error_type == "too_long":
            raise ends.TooLong(self._max_chars)
        if self._barred(run):
            return ends.late(run)
        if run.kind is RunKind.REQUEST:
            await self._must_be_welcome(run)
        if run.status is RunStatus.QUEUED:
            await self._begin_late(runlog)
        if run.kind is RunKind.COMMAND:
            return await self._command(runlog)
        self._follow(runlog.run)
        return await self._request(runlog)

    def _barred(self, run: Run) -> bool:
        """Too long, or too late: no agent is to see it."""
        late = bool(run.expires_at) and self._clock.now() > run.expires_at
        return late or run.error_type == "too_long"

    async def _must_be_welcome(self, run: Run) -> None:
        """Raises Forbidden for a guest where the policy has no answers for them."""
        if run.guest and not await self._guests_may_chat(run.workspace):
            raise Forbidden(
                f"{run.person} is a guest",
                said="I'm sorry, I don't answer guests here. An owner of this workspace can allow "
                "it in my policy, or give you a role.",
            )

    async def _begin_late(self, runlog: RunLog) -> None:
        """A run that had to wait for its turn, or that another node had accepted."""
        run, chooser = runlog.run, self._chooser
        if chooser and run.kind is RunKind.REQUEST:
            begun, steps = await self._routing.begin(run, partial(chooser.choose, runlog))
        else:
            begun, steps = await self.begin(run)
        begun = replace(begun, usage=runlog.usage)
        await self._journal.begin(begun)
        runlog.run = begun
        for step in steps:
            runlog.keep(step)

    async def _request(self, runlog: RunLog) -> tuple[Reply, Closing]:
        run = runlog.run
        if not run.agent:
            await self._routing.decide(run)
            raise NotFound(f"run {run.id} has no agent")
        version = await self._version(run)
        taken = await self._intake.take(runlog)
        _refuse_unless_useful(run, taken)
        history, earlier = await past.before(self._runs, run, version)
        files = [*earlier, *taken]
        question, model = without_mention(run.message, run.agent), self._agent.model_of(version)
        runlog.notes += [file.said for file in taken if file.said]
        runlog.notes += [
            f"I can't look at `{file.name}`: the model {model} takes no images."
            for file in taken
            if file.kind == "image" and not self._intake.sees(model)
        ]
        async with self._intake.images(run.workspace, files, model) as images:
            with self._routing.counted(run.agent):
                answer = await self._agent.answer(
                    runlog, version, question, history, self._on_delta(runlog), files, images
                )
        answer = self._redactor.text("\n\n".join([answer, *runlog.notes]))
        footer, made = await self._footer(runlog), await self._made(runlog)
        reply = Reply(answer, run.id, rateable=not run.guest, footer=footer, files=made)
        return ends.succeeded(reply, checked(answer, of_log(runlog)))

    async def _made(self, runlog: RunLog) -> tuple[Attached, ...]:
        """The files that its agent made: of each name the last."""
        run = runlog.run
        if make_file.name not in runlog.used:
            return ()
        made = await self._files.of_run(run.workspace, run.id, "out")
        return tuple({file.name: file for file in made}.values())

    async def _command(self, runlog: RunLog) -> tuple[Reply, Closing]:
        run = runlog.run
        name, args = self._commands.parse(run.message) or ("", "")
        command = self._commands.lookup(name)
        if command is None:
            near = self._commands.closest(name)
            hint = f" Did you mean /{near}?" if near else ""
            said = f"There is no command /{name}.{hint} /help lists them all."
            raise BadInput(f"{UNKNOWN_COMMAND}{name}{f', near {near}' if near else ''}", said=said)
        known = await self._people.get(run.workspace, run.person)
        person = replace(known, role=Role.GUEST) if known and run.guest else known
        if person is None or not person.role.may(command.role):
            raise _forbidden(command, person, bool(known) and known != person)

        async def work() -> Done:
            ask = Ask(person, args, run, self._services())
            return Done(reply_to_json(await command.run(ask)))

        output = await runlog.step(StepKind.COMMAND, command.name, {"args": args}, work)
        return ends.succeeded(replace(reply_from_json(output), run_id=run.id))

    async def _version(self, run: Run) -> AgentVersion:
        version = await self._agents.version(run.workspace, run.agent, run.agent_version)
        if version is None:
            raise NotFound(f"version {run.agent_version} of {run.agent} is gone")
        return version

    def _on_delta(self, runlog: RunLog) -> Callable[[str], None] | None:
        """Streams only where someone watches: a streamed model call costs more."""
        if not self._events.watched(runlog.run.id):
            return None

        def on_delta(text: str) -> None:
            runlog.said += text
            self._events.publish(Event(runlog.run.id, "delta", {"text": text}))

        return on_delta

    async def _footer(self, runlog: RunLog) -> str:
        run, cost = runlog.run, runlog.usage.cost_usd
        seconds = (self._clock.now() - run.created_at) / 1000
        money = "cost unknown" if cost is None else usd(cost)
        return f"{await self._who(run)} · {seconds:.1f} s · {money} · {run.short}"

    async def _who(self, run: Run) -> str:
        """Which agent and version; in a trial the same for both arms, or votes would not be blind.
        /why tells it to whoever asks."""
        if not run.trial:
            return f"{run.agent} v{run.agent_version}"
        trial = await self._routing.trial_of(run)
        if trial is None:
            return "trial"
        others = GONE in (*trial.overlay.values(), *trial.base.values())
        return f"trial {trial.ref}" if others else f"{run.agent} · trial {trial.ref}"


def _refuse_unless_useful(run: Run, files: Sequence[Taken]) -> None:
    """Nothing was written and nothing can be read: there is nothing to ask a model."""
    if files and not run.message.strip() and all(file.kind == "refused" for file in files):
        said = "\n".join(file.said for file in files)
        raise BadInput(f"none of {len(files)} files could be read", said=said)


def _forbidden(command: Command, person: Person | None, visits: bool) -> Forbidden:
    """`visits` is whether their role holds elsewhere, but not where they are a guest."""
    role = person.role if person else "nobody"
    mine = f"and yours is {role}. An owner can change that with /role."
    if visits:
        mine = "and as a guest you have none here, whatever /role gives you."
    said = f"/{command.name} needs the role {command.role}, {mine}"
    return Forbidden(f"{role} may not /{command.name}", said=said)
