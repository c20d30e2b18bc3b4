"""The judge there is, and how far it is trusted here: by what people rated that it graded too."""

from collections.abc import Mapping

from bot.improve.agreement import Both, Calibration, Trust, calibrated
from bot.improve.judge import Judge
from bot.ports.stores import Closed, Evidence, Judgements

_LOOKED_AT = 500


class Judging:
    """`judge` is None where none is switched on."""

    def __init__(self, judge: Judge | None, judgements: Judgements, evidence: Evidence) -> None:
        self.judge, self._judgements, self._evidence = judge, judgements, evidence

    async def calibration(self, workspace: str) -> Calibration:
        """Over the newest answers that both spoke of."""
        if self.judge is None:
            return Calibration(0)
        both = await self._judgements.beside_ratings(workspace, self.judge.name, _LOOKED_AT)
        versions = await self._versions(workspace, [run_id for run_id, *_ in both])
        return calibrated(
            [Both(j, rated, versions.get(run_id, ""), who) for run_id, j, rated, who in both]
        )

    async def for_replays(self, workspace: str) -> Judge | None:
        """The judge, unless it is known to be off or uneven."""
        if self.judge is None:
            return None
        trust = (await self.calibration(workspace)).trust
        return self.judge if trust in (Trust.UNPROVEN, Trust.TRUSTED) else None

    async def for_trials(self, workspace: str) -> Judge | None:
        """The judge, where it has shown that it agrees with people."""
        if self.judge is None:
            return None
        trust = (await self.calibration(workspace)).trust
        return self.judge if trust is Trust.TRUSTED else None

    async def _versions(self, workspace: str, ids: list[str]) -> Mapping[str, str]:
        found = await self._evidence.of_ids(workspace, Closed, ids)
        return {run.id: f"{run.agent} v{run.version}" for run in found}
