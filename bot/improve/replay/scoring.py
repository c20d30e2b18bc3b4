"""What a pair of replayed answers is worth: by check, by judge, or by nearness to what people took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.improve.judge import parse
from bot.improve.replay.nearness import Nearness
from bot.improve.replay.recorded import Diverged
from bot.improve.replay.tasks import ACCEPTED
from bot.model.run import Run, RunStatus, Step, StepKind
from bot.ports.stores import Pair, Scored


@dataclass(frozen=True, slots=True)
class Side:
    """A closed replay run and its steps."""

    run: Run
    steps: Sequence[Step]

    @property
    def diverged(self) -> bool:
        return self.run.error_type == Diverged.kind

    @property
    def failed(self) -> bool:
        """An error is a failed answer: whatever breaks loses."""
        return self.run.status is not RunStatus.SUCCEEDED and not self.diverged

    @property
    def checked(self) -> float | None:
        return self.run.outcome.y if self.run.outcome.source == "check" else None

    @property
    def judged(self) -> float | None:
        said = (s.output for s in self.steps if s.kind is StepKind.JUDGE)
        found = next((o for o in said if isinstance(o, Mapping)), None)
        grade = parse(str(found.get("text", ""))) if found else None
        return grade.y if grade else None

    def scored(self, y: float, by: str) -> Scored:
        """With what the answer took; what judging it took is not its own."""
        asked = [s for s in self.steps if s.kind is StepKind.MODEL]
        costs = [s.usage.cost_usd for s in asked]
        cost = None if None in costs else sum(c for c in costs if c is not None)
        return Scored(y, by, self.run.id, sum(s.duration_ms for s in asked), cost)


class Scoring:
    def __init__(self, nearness: Nearness) -> None:
        self._nearness = nearness

    async def pair(self, task: Run, incumbent: Side, candidate: Side) -> Pair:
        """Both by the same measure, or neither: a pair of two measures would compare them."""
        sides = (incumbent, candidate)
        if why := next((s.run.error_message for s in sides if s.diverged), ""):
            return Pair(task.id, None, None, why)
        by, ys = await self._measured(task, sides)
        if not by:
            return Pair(task.id, None, None, "nothing to score it by")
        scored = [
            side.scored(0.0, "error") if side.failed else side.scored(y, by)
            for side, y in zip(sides, ys, strict=True)
        ]
        return Pair(task.id, scored[0], scored[1])

    async def _measured(self, task: Run, sides: Sequence[Side]) -> tuple[str, Sequence[float]]:
        """The best measure that speaks of every side that answered."""
        answered = [side for side in sides if not side.failed]
        for by, found in (
            ("check", [s.checked for s in answered]),
            ("judge", [s.judged for s in answered]),
            ("similarity", await self._near(task, answered)),
        ):
            if found and None not in found:
                known = iter(y for y in found if y is not None)
                return by, [0.0 if side.failed else next(known) for side in sides]
        if len(answered) < len(sides):
            # One of them broke: that the other answered at all is what there is to say.
            return "error", [0.0 if side.failed else 1.0 for side in sides]
        return "", ()

    async def _near(self, task: Run, answered: Sequence[Side]) -> Sequence[float]:
        outcome = task.outcome
        taken = outcome.y is not None and outcome.y >= ACCEPTED and outcome.source != "judge"
        if not (taken and task.answer and answered):
            return ()
        return await self._nearness.to(task.answer, [side.run.answer for side in answered])
