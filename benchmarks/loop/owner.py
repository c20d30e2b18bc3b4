"""The scripted proposer and the simulated owner, who decides on its cards as a policy says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.loop.policies import IF_BETTER, NEVER, Policy
from benchmarks.loop.tally import Adopted
from bot.llm.simulated.truth import Truth
from bot.model.finding import Finding
from bot.model.proposal import LEGAL_MOVES, Proposal, ProposalStatus
from bot.model.run import RunStatus
from bot.model.workspace import HOME
from bot.simulation.crowd import AGENT, Broken, Crowd

_S = ProposalStatus
_MOST = 200
_UNDER_WAY = ("planned", "running", None)
_PATIENCE_MS = 3 * 86_400_000
"""So long an owner waits for a replay."""


@dataclass(slots=True)
class Owner:
    """`ours` are the scripted proposals by ref; whatever else the product proposes is declined, so
    that policies differ in how they decide and in nothing else."""

    crowd: Crowd
    truth: Truth
    policy: Policy
    ours: dict[str, int] = field(default_factory=dict)
    adopted: dict[int, Adopted] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    """Those that nothing can happen to any more."""
    others: int = 0

    async def propose(self, number: int, evidence: Sequence[str]) -> None:
        """Hands the change in as a finding's lesson, as a detector would."""
        services = self.crowd.app.services
        now = services.clock.now()
        finding = Finding(
            id=services.ids.run_id(),
            workspace=HOME,
            kind="feedback",
            fingerprint=f"scripted-{number}",
            title=f"Answers lack something, says the proposer ({number})",
            detail=f"lesson: {self.truth.change(number).text}",
            evidence=tuple(evidence),
            agent=AGENT,
            count=len(evidence),
            status="proposed",
            created_at=now,
            updated_at=now,
        )
        proposal = await services.desk.from_finding(finding)
        if proposal is None:
            raise Broken(f"change {number} was not proposed")
        self.ours[proposal.ref] = number

    async def decide(self) -> int:
        """Every open card gets its answer, unless its evidence isn't there yet; how many wait."""
        waiting = 0
        proposals = self.crowd.app.services.proposals
        for proposal in await proposals.list(HOME, [_S.OFFERED], _MOST):
            if proposal.ref not in self.ours:
                self.others += 1
                await self._say(f"/decline {proposal.ref} not in this benchmark")
            elif self.policy.approves == NEVER:
                await self._say(f"/decline {proposal.ref} never")
            elif not self.policy.replays:
                await self._say(f"/approve {proposal.ref}")
            elif (mean := self._replayed(proposal)) is not None:
                takes = mean > 0 if self.policy.approves == IF_BETTER else mean >= 0
                said = "approve" if takes else "decline"
                reason = "" if takes else " the replay says that it is not better"
                await self._say(f"/{said} {proposal.ref}{reason}")
            else:
                waiting += 1
        return waiting

    async def watch(self, at: int) -> list[int]:
        """What came to stay or went since the last look; the changes that the product itself took
        back."""
        gone: list[int] = []
        stays = (_S.KEPT, _S.APPROVED) if self.policy.trials == "off" else (_S.KEPT,)
        for ref, number in self.ours.items():
            if ref in self.over:
                continue
            proposal = await self.crowd.app.services.proposals.get(HOME, ref)
            if proposal is None:
                raise Broken(f"{ref} is gone")
            known = self.adopted.get(number)
            if proposal.status in stays and known is None:
                kind = self.truth.change(number).kind.value
                self.adopted[number] = Adopted(number, kind, at)
            elif proposal.status is _S.ROLLED_BACK and known:
                self.adopted[number] = Adopted(number, known.kind, known.at, at)
                gone.append(number)
            if not LEGAL_MOVES[proposal.status]:
                self.over.add(ref)
        return gone

    def _replayed(self, proposal: Proposal) -> float | None:
        """What the card says that the candidate does better on replay, 0 where that can't be
        told; None while it is under way."""
        told = proposal.estimate.get("replay")
        if not isinstance(told, Mapping) or told.get("status") in _UNDER_WAY:
            late = self.crowd.clock.now() - proposal.created_at > _PATIENCE_MS
            return 0.0 if late else None
        mean = told.get("mean")
        return float(mean) if told.get("enough") and isinstance(mean, int | float) else 0.0

    async def _say(self, said: str) -> None:
        run = await self.crowd.owner(said)
        if run.status is not RunStatus.SUCCEEDED:
            raise Broken(f"{said}: {run.status} {run.error_message}")
