"""Balanced: the wealth decides early; at the cap, what replay, trial and habit say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.improve.rules import Look, Verdict
from bot.improve.verdicts.bias import BIASES, Bias
from bot.improve.verdicts.estimate import posterior
from bot.improve.verdicts.evidence import Evidence, coverage, gather
from bot.improve.verdicts.guards import glaring, survives_pooled, thin, unfounded
from bot.improve.verdicts.strict import early, made, over
from bot.model.trial import Observed, Replayed, Trial


@dataclass(frozen=True, slots=True)
class Balanced:
    """Strict until `cap` runs or the trial's end. Then a candidate stays that is better with a
    probability above `sure`, if the trial without the replay says so with more than `lean`.
    `biases` is how far replay's scores mislead, as far as that has been learned."""

    cap: int = 200
    sure: float = 0.95
    lean: float = 0.5
    biases: Mapping[str, Bias] = field(default_factory=lambda: dict(BIASES))
    name: str = "balanced"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        """`seen` are closed runs."""
        evidence = gather(trial, seen)
        decided = self.decide(trial, evidence, replay, now)
        look = made(trial, evidence, *decided, self.cap)
        chance = round(self.chance(trial, evidence, replay), 4)
        return replace(look, numbers={**look.numbers, "posterior": chance})

    def decide(
        self, trial: Trial, evidence: Evidence, replay: Replayed | None, now: int
    ) -> tuple[Verdict, str]:
        """The verdict and why, without the numbers."""
        verdict, why = early(trial, evidence)
        if verdict is Verdict.KEEP and self.chance(trial, evidence, replay) <= self.sure:
            # What was seen live can be voted up, what was replayed can't: they have to agree.
            verdict, why = Verdict.GO_ON, ""
        if verdict is Verdict.GO_ON and (ended := over(trial, evidence, self.cap, now)):
            return self._at_the_end(trial, evidence, replay, ended)
        return verdict, why

    def chance(self, trial: Trial, evidence: Evidence, replay: Replayed | None) -> float:
        """That the candidate is better, or not worse by the margin."""
        return posterior(evidence.live(), replay, trial.margin, self.biases)

    def _at_the_end(
        self,
        trial: Trial,
        evidence: Evidence,
        replay: Replayed | None,
        ended: str,
    ) -> tuple[Verdict, str]:
        if thin(evidence):
            return Verdict.ROLL_BACK, "thin"
        if self.chance(trial, evidence, replay) <= self.sure:
            return Verdict.ROLL_BACK, ended
        if self.chance(trial, evidence, None) <= self.lean:
            return Verdict.ROLL_BACK, "unconfirmed"
        if why := unfounded(evidence):
            return Verdict.ROLL_BACK, why
        if glaring(coverage(evidence.units)):
            return Verdict.ROLL_BACK, "missing"
        if not survives_pooled(evidence, replay, trial.margin, self.biases):
            return Verdict.ROLL_BACK, "one_person"
        return Verdict.KEEP, "likely"
