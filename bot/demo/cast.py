"""Who plays: members who ask, rate and say what should be better; an owner who decides on cards."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.demo.side import Side
from bot.improve.facts import OF_RATINGS
from bot.improve.outcome import CHECK
from bot.llm.simulated.people import reaction
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import Outcome, RunStatus
from bot.model.workspace import HOME
from bot.simulation.crowd import Broken

_UNDER_WAY = ("planned", "running", None)
_MOST = 200
_WHY = ("Say where that comes from", "Answer in the first line", "Never guess a number")
"""What people say with a thumbs down. The world gives it no effect."""


@dataclass(slots=True)
class Members:
    """They do the same on both sides, except that nobody says `/better` where nothing listens."""

    side: Side
    bad: tuple[int, str] = (0, "")
    """Who rated an answer as bad last, and which."""
    _votes: list[tuple[int, int, int, str, int]] = field(default_factory=list)

    async def ask(self, number: int) -> None:
        side, truth = self.side, self.side.mind.truth
        asked = truth.asked(number)
        run = await side.crowd.ask(asked, truth.world.runs_per_conversation)
        served = side.mind.served.get(number)
        if served is None or not run.answer:
            raise Broken(f"request {number}: {run.status} {run.error_message}")
        thinks = reaction(truth, served)
        if thinks.check is not None:
            checked = Outcome(thinks.check, CHECK)
            await side.app.services.runs.set_outcome(HOME, run.id, checked, side.clock.now())
        if thinks.vote:
            vote = (number + thinks.after, number, asked.person, run.id, thinks.vote)
            heapq.heappush(self._votes, vote)
        await self._rate(number)

    async def wish(self, number: int) -> None:
        """The world's proposer speaks through whoever was dissatisfied last."""
        person, run = self.bad
        if run:
            text = self.side.mind.truth.change(number).text
            await self.side.crowd.say(person, f"/better {run} lesson: {text}")

    async def _rate(self, now: int) -> None:
        while self._votes and self._votes[0][0] <= now:
            _, number, person, run, vote = heapq.heappop(self._votes)
            why = _WHY[number % len(_WHY)] if vote < 0 else ""
            await self.side.crowd.rate(person, run, vote, why)
            if vote < 0:
                self.bad = person, run


@dataclass(slots=True)
class Owner:
    """Approves what rehearsal doesn't say is worse; what is said with a thumb alone waits."""

    side: Side

    async def decide(self) -> None:
        services = self.side.app.services
        for proposal in await services.proposals.list(HOME, [ProposalStatus.OFFERED], _MOST):
            if await self._weak(proposal):
                continue
            if proposal.tried and not rehearsed(proposal):
                continue
            if _clearly_worse(proposal):
                await self._say(f"/decline {proposal.ref} the rehearsal says that it is worse")
            else:
                await self._say(f"/approve {proposal.ref}")

    async def _weak(self, proposal: Proposal) -> bool:
        if not proposal.finding:
            return False
        finding = await self.side.app.services.findings.get(HOME, proposal.finding)
        return finding is not None and finding.kind in OF_RATINGS

    async def _say(self, said: str) -> None:
        run = await self.side.crowd.owner(said)
        if run.status is not RunStatus.SUCCEEDED:
            raise Broken(f"{said}: {run.status} {run.error_message}")


def rehearsed(proposal: Proposal) -> bool:
    """Whether its replay is over, however that ended."""
    told = proposal.estimate.get("replay")
    return isinstance(told, Mapping) and told.get("status") not in _UNDER_WAY


def _clearly_worse(proposal: Proposal) -> bool:
    told = proposal.estimate.get("replay")
    high = told.get("high") if isinstance(told, Mapping) and told.get("enough") else None
    return isinstance(high, int | float) and high < 0
