"""What improves: policies, trials, replays, the desk of proposals, the judge."""

from functools import cached_property

from bot.assembly.ground import Ground
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.improve.deeds import Deeds
from bot.improve.forecast import Forecast
from bot.improve.grading import Grading
from bot.improve.job_model import JobModel
from bot.improve.judge import Judge
from bot.improve.judging import Judging
from bot.improve.policies import PolicyBook, seed
from bot.improve.proposals import ProposalDesk
from bot.improve.release import Release
from bot.improve.replay.nearness import Nearness
from bot.improve.replay.pairing import Pairing
from bot.improve.replay.paying import Limits
from bot.improve.replay.planning import Planning
from bot.improve.replay.replayer import Replayer
from bot.improve.replay.scoring import Scoring
from bot.improve.replay.sides import Sides
from bot.improve.rights import Rights
from bot.improve.showing import Showing
from bot.improve.synthesis.evolving import Evolving
from bot.improve.trials.desk import Kept, TrialDesk
from bot.improve.verdicts import RULES
from bot.improve.wording import Wording
from bot.model.workspace import HOME


class Loop(Ground):
    """The improvement loop's parts."""

    @cached_property
    def policies(self) -> PolicyBook:
        return PolicyBook(self.kept.policies, self.clock, HOME, seed(self.settings.policy))

    @cached_property
    def brake(self) -> Brake:
        return Brake(self.kept.holds, self.kept.agents, self.clock)

    @cached_property
    def release(self) -> Release:
        kept = self.kept
        deeds = Deeds(kept.agents, self.memory, self.purse, self.doors.jobs)
        return Release(kept.agents, kept.workflows, deeds, self.clock)

    @cached_property
    def rights(self) -> Rights:
        return Rights(self.release, self.model)

    @cached_property
    def approvals(self) -> Approvals:
        kept = self.kept
        return Approvals(
            self.policies, kept.approvals, kept.people, kept.feedback, self.clock, self.rights
        )

    @cached_property
    def asking(self) -> Asking:
        return Asking(self.policies, self.kept.asks, self.kept.runs, self.post, self.clock)

    @cached_property
    def showing(self) -> Showing:
        kept = self.kept
        return Showing(kept.proposals, kept.people, self.approvals, self.asking, self.brake)

    @cached_property
    def trying(self) -> TrialDesk:
        kept, rule = self.kept, self.rule
        return TrialDesk(
            Kept(
                kept.trials,
                kept.proposals,
                kept.evidence,
                kept.replays,
                kept.runs,
                kept.agents,
                self.judging,
            ),
            self.release,
            self.rights,
            self.brake,
            self.showing,
            self.post,
            self.clock,
            self.ids,
            rule.name if rule else self.settings.trials,
            {**RULES, **({rule.name: rule} if rule else {})},
        )

    @cached_property
    def desk(self) -> ProposalDesk:
        kept, book, clock = self.kept, self.policies, self.clock
        return ProposalDesk(
            kept.proposals,
            self.release,
            book,
            self.approvals,
            self.asking,
            clock,
            self.ids,
            self.settings.proposal_days,
            self._wording(),
            brake=self.brake,
            most_open=self.settings.open_proposals,
            trying=self.trying,
            showing=self.showing,
        )

    def _wording(self) -> Wording | None:
        if self.settings.offline:
            return None
        kept = self.kept
        model = JobModel(self.model, self.purse, kept.journal, kept.runs, self.clock, self.redactor)
        calls = self.settings.gepa_calls
        return Wording(model, kept.runs, Evolving(calls) if calls else None)

    @cached_property
    def judging(self) -> Judging:
        settings = self.settings
        on = settings.judge_model and not settings.offline
        judge = Judge(settings.judge_model) if on else None
        return Judging(judge, self.kept.judgements, self.kept.evidence)

    @cached_property
    def grading(self) -> Grading:
        kept, settings = self.kept, self.settings
        return Grading(
            self.judging,
            self.agent.ask,
            kept.journal,
            kept.runs,
            kept.evidence,
            kept.judgements,
            kept.states,
            kept.budgets,
            self.clock,
            self.events,
            self.redactor,
            settings.judge_share,
            settings.judge_budget,
        )

    @cached_property
    def replayer(self) -> Replayer:
        kept, settings, clock = self.kept, self.settings, self.clock
        limits = Limits(settings.replay_budget, settings.replay_tokens)
        sides = Sides(
            self.agent,
            kept.journal,
            kept.runs,
            kept.memories,
            self.intake().images,
            clock,
            self.ids,
            self.events,
            self.redactor,
            self.node,
        )
        scoring, purse = Scoring(Nearness(self.embedder)), self.purse
        step = max(1, settings.replay_pairs)
        most = max(settings.replay_pairs, settings.replay_most)
        return Replayer(
            kept.replays,
            kept.proposals,
            Planning(kept.replays, kept.agents, self.release.candidate, clock, most),
            Pairing(kept.replays, kept.runs, sides, scoring, purse, limits, clock, step),
            sides,
            limits,
            self.judging.for_replays,
            self.desk.show,
            clock,
            self.ids,
        )

    @cached_property
    def forecast(self) -> Forecast:
        return Forecast(self.kept.states, self.clock)
