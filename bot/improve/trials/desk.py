"""Every trial of a workspace: what is approved is queued, begun, followed and brought to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.errors import Conflict
from bot.improve.brake import Brake
from bot.improve.judging import Judging
from bot.improve.release import Release
from bot.improve.rights import Rights
from bot.improve.rules import Rule
from bot.improve.showing import Showing
from bot.improve.trials import telling
from bot.improve.trials.ending import Ending
from bot.improve.trials.following import Following
from bot.improve.trials.starting import Starting
from bot.model.proposal import Proposal
from bot.model.trial import WAITING, Trial, TrialStatus
from bot.ports import stores
from bot.ports.clock import Clock, Ids
from bot.ports.post import Post

OFF = "off"


@dataclass(frozen=True, slots=True)
class Kept:
    """What trials are made from and kept in."""

    trials: stores.Trials
    proposals: stores.Proposals
    evidence: stores.Evidence
    replays: stores.Replays
    runs: stores.Runs
    agents: stores.Agents
    judging: Judging | None = None
    """Without one no judge is believed."""


class TrialDesk:
    """`mode` is the name of the rule for new trials, or "off": then nothing new is tried."""

    def __init__(
        self,
        kept: Kept,
        release: Release,
        rights: Rights,
        brake: Brake,
        showing: Showing,
        post: Post,
        clock: Clock,
        ids: Ids,
        mode: str,
        rules: Mapping[str, Rule],
    ) -> None:
        self._trials, self._clock, self._mode = kept.trials, clock, mode
        self._starting = Starting(
            kept.trials,
            kept.proposals,
            kept.evidence,
            kept.runs,
            release,
            rights,
            brake,
            clock,
            ids,
        )
        self._following = Following(
            kept.trials,
            kept.proposals,
            kept.evidence,
            kept.replays,
            kept.agents,
            brake,
            rules,
            kept.judging,
            clock,
        )
        self._ending = Ending(
            kept.trials, kept.proposals, kept.runs, release, brake, showing, post, clock
        )

    def takes(self, proposal: Proposal) -> bool:
        """Whether it is tried before it is put into use."""
        return proposal.tried and self._mode != OFF

    async def begin(self, proposal: Proposal) -> Proposal:
        """An approved one, trialled; its trial runs unless another one has its agents. Raises
        NotFound or Conflict where it can't be done any more."""
        trialled = await self._starting.queue(proposal, self._mode)
        await self._starting.start(proposal.workspace)
        return trialled

    async def go_on(self, workspace: str) -> str:
        """Looks at all of them and does what is due; says what it did. Safe at any time."""
        active = await self._following.look(workspace)
        ended = await self._ending.finish(workspace)
        started = await self._starting.start(workspace)
        ended += await self._ending.finish(workspace)  # those that could not begin
        return f"{active} looked at, {len(started)} started, {ended} ended"

    async def of(self, proposal: Proposal) -> Trial | None:
        return await self._trials.of_proposal(proposal.workspace, proposal.ref)

    async def end_by_hand(self, proposal: Proposal, by: str, reason: str = "") -> str:
        """Ends the trial of a proposal that is taken back; says what stays. Who did it, and why,
        is kept with the trial, so that the proposal's end says so whoever gets to write it. Raises
        Conflict where it has just ended otherwise."""
        trial = await self.of(proposal)
        if trial is None:
            return "It was not in use yet."
        if trial.status in WAITING:
            ended = replace(
                trial,
                ended_at=self._clock.now(),
                reason=telling.BY_HAND,
                numbers={**trial.numbers, "by": by, "why": reason},
            )
            trial = await self._trials.move(ended, TrialStatus.ROLLED_BACK)
        if trial.status is TrialStatus.KEPT:
            raise Conflict(
                f"{trial.ref} was kept just now",
                said=f"{trial.ref} has just ended: {proposal.ref} stays. Say it once more in a "
                "moment, and it is taken back.",
            )
        return telling.taken_back(trial)
