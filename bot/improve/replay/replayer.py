"""Replays proposals before people decide on them: within a budget, and to its end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.errors import Conflict, NotFound, OverBudget, RatchetError
from bot.improve.judge import Judge
from bot.improve.replay.pairing import Pairing, Turn
from bot.improve.replay.paying import Limits
from bot.improve.replay.planning import Planning
from bot.improve.replay.result import LEAST, replayed, told
from bot.improve.replay.sides import Sides
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.words import count
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Pair, Proposals, Replay, Replays

log = structlog.get_logger()

_S = ProposalStatus
_UNDECIDED, _IN_TRIAL = (_S.DRAFTED, _S.OFFERED), (_S.APPROVED, _S.TRIALLED)
_MOST_PROPOSALS = 200
_AGAIN_MS = 30 * 60_000
"""After so long a replay that ran out of money or of material is looked at again."""
_SHOWN_EVERY = 10

JudgeOf = Callable[[str], Awaitable[Judge | None]]
"""Workspace → the judge, where there is one that may score replays."""

Show = Callable[[Proposal], Awaitable[None]]
"""Brings a proposal's cards up to date."""


class Replayer:
    """One proposal after the other of those that people are asked about, highest rank first. Everything is kept as it comes: whoever
    goes on after a crash finds each pair, and each half of one, where it was left."""

    def __init__(
        self,
        replays: Replays,
        proposals: Proposals,
        planning: Planning,
        pairing: Pairing,
        sides: Sides,
        limits: Limits,
        judge_of: JudgeOf,
        show: Show,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._replays, self._proposals = replays, proposals
        self._planning, self._pairing, self._sides = planning, pairing, sides
        self._limits, self._judge_of, self._show = limits, judge_of, show
        self._clock, self._ids = clock, ids

    async def work(
        self, workspace: str, seconds: float, alive: Callable[[], Awaitable[bool]]
    ) -> tuple[int, int]:
        """Pairs done and replays ended, in about so many seconds; see `Turn` for `alive`."""
        turn = Turn(self._clock.monotonic() + seconds, alive)
        waiting = await self._waiting(workspace)
        await self._end_stale(workspace, waiting)
        done = ended = 0
        for proposal in waiting:
            if proposal.status is _S.DRAFTED:
                continue  # nobody is asked yet: what it shows may be out of date by then
            if self._clock.monotonic() >= turn.until or not await alive():
                break
            try:
                if replay := await self._open(proposal):
                    pairs, over = await self._go_on(proposal, replay, turn)
                    done, ended = done + pairs, ended + over
            except (Conflict, NotFound) as error:
                await self._cannot(proposal, error)
        return done, ended

    async def _waiting(self, workspace: str) -> Sequence[Proposal]:
        found = await self._proposals.list(workspace, [*_UNDECIDED, *_IN_TRIAL], _MOST_PROPOSALS)
        return sorted((p for p in found if p.tried), key=lambda p: (-p.rank, p.number))

    async def _open(self, proposal: Proposal) -> Replay | None:
        """The one to go on with; begun where these words have none yet."""
        known = await self._replays.of(proposal.workspace, proposal.ref, proposal.fingerprint)
        if known is None:
            fits = proposal.status in _UNDECIDED and self._due(proposal)
            return await self._begun(proposal) if fits else None
        if known.status == "spent" and self._may_pay(known):
            return replace(known, status="running", reason="", ended_at=0)
        return known if known.status in ("planned", "running") else None

    def _may_pay(self, spent: Replay) -> bool:
        """Its own limit gives more once it is another one; every other budget with time."""
        own = spent.reason in self._limits.in_words
        return not own and self._clock.now() - spent.ended_at >= _AGAIN_MS

    def _due(self, proposal: Proposal) -> bool:
        """Material grows: what was too thin for these words may not be so later."""
        before = proposal.estimate.get("replay")
        if not isinstance(before, dict) or before.get("mark") != proposal.mark:
            return True
        return self._clock.now() - int(before.get("at", 0)) >= _AGAIN_MS

    async def _begun(self, proposal: Proposal) -> Replay | None:
        judged = await self._judge_of(proposal.workspace) is not None
        plan = await self._planning.plan(proposal, judged=judged)
        fresh = Replay(
            id=self._ids.run_id(),
            workspace=proposal.workspace,
            proposal=proposal.ref,
            fingerprint=proposal.fingerprint,
            status="planned",
            tasks=plan.tasks,
            created_at=self._clock.now(),
        )
        if len(plan.tasks) < LEAST:
            reason = f"{_material(plan.found, judged)} to try it on, at least {LEAST} are needed"
            await self._tell(proposal, replace(fresh, status="thin", reason=reason), ())
            return None
        kept, _ = await self._replays.add(fresh)
        await self._tell(proposal, kept, ())
        return kept

    async def _go_on(self, proposal: Proposal, replay: Replay, turn: Turn) -> tuple[int, bool]:
        rosters = await self._planning.rosters(proposal)
        judge = await self._judge_of(replay.workspace)
        before = len(await self._replays.pairs(replay.workspace, replay.id))
        replay = replace(replay, status="running")
        await self._replays.update(replay)

        async def tell(pairs: Sequence[Pair]) -> None:
            if len(pairs) % _SHOWN_EVERY == 0 and len(pairs) < len(replay.tasks):
                await self._tell(proposal, replay, pairs)

        try:
            pairs = await self._pairing.go_on(replay, rosters, judge, turn, tell)
        except OverBudget as error:
            pairs = await self._replays.pairs(replay.workspace, replay.id)
            await self._end(proposal, replay, pairs, "spent", error.said)
            return len(pairs) - before, False
        over = self._pairing.over(replay, pairs)
        if over:
            enough = replayed(pairs).enough
            reason = "" if enough else "too few pairs could be compared"
            await self._end(proposal, replay, pairs, "done" if enough else "thin", reason)
        return len(pairs) - before, over

    async def _end(
        self, proposal: Proposal, replay: Replay, pairs: Sequence[Pair], status: str, reason: str
    ) -> None:
        ended = replace(
            replay,
            status=status,
            result=replayed(pairs),
            reason=reason,
            ended_at=self._clock.now(),
        )
        await self._tell(proposal, ended, pairs)
        await self._replays.update(ended)

    async def _tell(self, proposal: Proposal, replay: Replay, pairs: Sequence[Pair]) -> None:
        """On the proposal and its cards; what fails here is only not seen."""
        standing = await self._replays.of(replay.workspace, replay.proposal, replay.fingerprint)
        said = told(
            replayed(pairs),
            status=replay.status,
            of=len(pairs) if replay.ended_at else self._pairing.expected(replay, len(pairs)),
            cost_usd=standing.cost_usd if standing else 0.0,
            reason=replay.reason,
        )
        known = {**said, "mark": proposal.mark, "at": self._clock.now()}
        try:
            shown = await self._proposals.estimated(proposal.workspace, proposal, {"replay": known})
            await self._show(shown)
        except RatchetError as error:
            log.info("replay_not_shown", proposal=proposal.ref, cause=str(error))

    async def _cannot(self, proposal: Proposal, error: RatchetError) -> None:
        """The change can't be made any more, or the agent is gone: there is nothing to replay."""
        if self._due(proposal):
            at = self._clock.now()
            none = Replay("", proposal.workspace, proposal.ref, "", "failed", (), at)
            await self._tell(proposal, replace(none, reason=error.said), ())

    async def _end_stale(self, workspace: str, waiting: Sequence[Proposal]) -> None:
        """Those whose proposal was decided or reworded meanwhile."""
        wanted = {(p.ref, p.fingerprint) for p in waiting}
        for replay in await self._replays.unfinished(workspace):
            if (replay.proposal, replay.fingerprint) in wanted:
                continue
            await self._sides.abandon(replay)
            pairs = await self._replays.pairs(workspace, replay.id)
            ended = replace(replay, status="failed", reason="decided or reworded meanwhile")
            now = self._clock.now()
            await self._replays.update(replace(ended, result=replayed(pairs), ended_at=now))


def _material(found: int, judged: bool) -> str:
    if judged:
        return count(found, "recorded request")
    return f"{count(found, 'recorded answer')} that people took"
