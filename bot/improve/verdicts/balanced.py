"""Balanced: the wealth decides early; later, what replay, trial and habit say together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.improve.rules import Look, Verdict
from bot.improve.verdicts.belief import better, leaning
from bot.improve.verdicts.evidence import Evidence, coverage, gather
from bot.improve.verdicts.guards import glaring, survives_pooled, thin, unfounded
from bot.improve.verdicts.strict import early, made, over
from bot.model.trial import Observed, Replayed, Trial


@dataclass(frozen=True, slots=True)
class Balanced:
    """From `first` runs on, or at the trial's end, a candidate stays that is truly better with a
    probability above `sure`, if the trial without the replay says so with more than `lean`. One
    that is so with less than `hopeless` goes. What is open goes on to `cap`; but below `way` it
    gives way to a change that waits."""

    first: int = 200
    cap: int = 600
    sure: float = 0.75
    lean: float = 0.9
    way: float = 0.35
    hopeless: float = 0.05
    hopeless_from: int = 60
    name: str = "balanced"

    def look(
        self, trial: Trial, seen: Sequence[Observed], replay: Replayed | None, now: int
    ) -> Look:
        """`seen` are closed runs."""
        evidence = gather(trial, seen)
        verdict, why = self.decide(trial, evidence, replay, now)
        chance = better(evidence.live(), replay, trial.margin)
        look = made(trial, evidence, verdict, why, self.cap)
        return replace(
            look,
            gives_way=self.gives_way(trial, evidence, replay),
            numbers={**look.numbers, "posterior": round(chance, 4)},
        )

    def decide(
        self, trial: Trial, evidence: Evidence, replay: Replayed | None, now: int
    ) -> tuple[Verdict, str]:
        """The verdict and why, without the numbers."""
        chance = better(evidence.live(), replay, trial.margin)
        verdict, why = early(trial, evidence)
        if verdict is Verdict.KEEP and chance <= self.sure:
            # What was seen live can be voted up, what was replayed can't: they have to agree.
            verdict, why = Verdict.GO_ON, ""
        if verdict is not Verdict.GO_ON:
            return verdict, why
        if ended := over(trial, evidence, self.cap, now):
            doubt = self._doubt(trial, evidence, replay, chance, ended)
            return (Verdict.ROLL_BACK, doubt) if doubt else (Verdict.KEEP, "likely")
        if evidence.runs >= self.hopeless_from and chance < self.hopeless:
            return Verdict.ROLL_BACK, "hopeless"
        if evidence.runs < self.first or self._doubt(trial, evidence, replay, chance, "open"):
            return Verdict.GO_ON, ""
        return Verdict.KEEP, "likely"

    def gives_way(self, trial: Trial, evidence: Evidence, replay: Replayed | None) -> bool:
        """Whether it isn't worth the time of a change that waits."""
        chance = better(evidence.live(), replay, trial.margin)
        return evidence.runs >= self.first and chance < self.way

    def _doubt(
        self,
        trial: Trial,
        evidence: Evidence,
        replay: Replayed | None,
        chance: float,
        unsure: str,
    ) -> str:
        """What keeps it from staying: a code, `unsure` where it isn't likely enough, or nothing."""
        if thin(evidence):
            return "thin"
        if chance <= self.sure:
            return unsure
        if leaning(evidence.live(), None, trial.margin) <= self.lean:
            return "unconfirmed"
        if why := unfounded(evidence):
            return why
        if glaring(coverage(evidence.units)):
            return "missing"
        return "" if survives_pooled(evidence, replay, trial.margin) else "one_person"
