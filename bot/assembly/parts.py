"""Every part of a running Ratchet: those that take messages, and what commands and doors get."""

from collections.abc import Callable
from functools import cached_property

from bot.agents import roster
from bot.agents.chooser import ModelChooser
from bot.assembly.loop import Loop
from bot.command import CommandTable
from bot.dispatch.assigning import Assigning
from bot.dispatch.closing import Closer
from bot.dispatch.execute import Executor
from bot.dispatch.inbox import Dispatcher
from bot.dispatch.roles import Roles
from bot.dispatch.routing import Routing
from bot.kit import ChannelKit
from bot.lock import api_key
from bot.model.policy import Guests
from bot.model.workspace import HOME
from bot.services import Services
from bot.shown import Shown


class Parts(Loop):
    """All of them."""

    @cached_property
    def table(self) -> CommandTable:
        return CommandTable(self.doors.commands)

    async def guests_may_chat(self, workspace: str) -> bool:
        return (await self.policies.current(workspace)).guests is Guests.CHAT

    @cached_property
    def roles(self) -> Roles:
        return Roles(self.kept.people, self.settings, HOME)

    @cached_property
    def inbox(self) -> Dispatcher:
        return Dispatcher(
            self.settings,
            self.clock,
            self.ids,
            self.kept.journal,
            self.kept.runs,
            self.roles,
            self.executor,
            self.table,
            self.redactor,
            self.events,
            self.node,
            others=self.kept.shared,
        )

    @cached_property
    def executor(self) -> Executor:
        kept, settings = self.kept, self.settings
        asks_model = settings.route_with_model and not settings.offline
        return Executor(
            self.clock,
            kept.journal,
            kept.runs,
            kept.agents,
            kept.people,
            Routing(
                kept.agents,
                kept.conversations,
                kept.runs,
                self.clock,
                roster.load(),
                self.brake,
                Assigning(kept.trials, kept.evidence, kept.agents),
                self.forecast.predict,
            ),
            self.agent,
            self.table,
            self._closer(),
            self.redactor,
            self.events,
            lambda: self.services,
            settings.max_message_chars,
            self.switchboard.follow,
            self.intake(),
            kept.files,
            self.guests_may_chat,
            ModelChooser(self.agent.ask, self.model.default) if asks_model else None,
        )

    def _closer(self) -> Closer:
        return Closer(
            self.kept.journal,
            self.clock,
            self.redactor,
            self.switchboard.pushes,
            self.sender.put,
            self.purse.recorded,
        )

    @cached_property
    def services(self) -> Services:
        kept = self.kept
        return Services(
            settings=self.settings,
            clock=self.clock,
            ids=self.ids,
            runs=kept.runs,
            metrics=kept.metrics,
            agents=kept.agents,
            people=kept.people,
            conversations=kept.conversations,
            feedback=kept.feedback,
            findings=kept.findings,
            proposals=kept.proposals,
            memories=kept.memories,
            workflows=kept.workflows,
            codes=kept.codes,
            subscriptions=kept.subscriptions,
            contacts=kept.contacts,
            files=kept.files,
            installations=kept.installations,
            budgets=kept.budgets,
            job_states=kept.job_states,
            upkeep=kept.upkeep,
            states=kept.states,
            evidence=kept.evidence,
            judgements=kept.judgements,
            replays=kept.replays,
            trials=kept.trials,
            holds=kept.holds,
            forecast=self.forecast,
            memory=self.memory,
            purse=self.purse,
            model=self.model,
            desk=self.desk,
            policies=self.policies,
            brake=self.brake,
            replayer=self.replayer,
            judging=self.judging,
            grading=self.grading,
            trying=self.trying,
            inbox=self.inbox,
            post=self.post,
            jobs=self.doors.jobs,
            durable=self.doors.durable,
            events=self.events,
            claim_code=self.ids.token(6),
        )

    def kit(self, ready: Callable[[], bool]) -> ChannelKit:
        kept = self.kept
        shown = Shown(kept.proposals, self.desk, kept.outbox)
        return ChannelKit(
            services=self.services,
            table=self.table,
            workspace=HOME,
            api_key=api_key(self.settings, self.ids),
            routes=(),
            ready=ready,
            run_of=kept.outbox.run_of,
            cards=shown.cards,
            drafts=kept.drafts,
            redact=self.redactor.text,
            receipts=kept.receipts,
            bounced=self.sender.bounced,
            person_of=self.roles.person_of,
            shown=shown.reply,
        )
