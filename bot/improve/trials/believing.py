"""How far a replay is believed: what trials that came after earlier ones had to say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.improve.verdicts.belief import Normal, pooled, worth
from bot.improve.verdicts.bias import BIASES, UNKNOWN, Compared, learned
from bot.improve.verdicts.estimate import Estimate, Live
from bot.model.trial import Replayed, Trial, TrialStatus
from bot.ports.stores import Replay, Replays, Trials

_DECIDED = (TrialStatus.KEPT, TrialStatus.ROLLED_BACK)
_MOST = 200


class Believing:
    """Reads every time it is asked: a trial is decided by what is known when it is looked at."""

    def __init__(self, trials: Trials, replays: Replays) -> None:
        self._trials, self._replays = trials, replays

    async def believed(self, workspace: str, replay: Replayed) -> Replayed:
        """The same, with the bias that earlier ones of its kind turned out to have, and the share
        of earlier changes that did anything."""
        decided = await self._trials.list(workspace, _DECIDED, _MOST)
        ended = await self._replays.ended(workspace, _MOST)
        earlier = compared(replay.by, decided, ended)
        bias = learned(BIASES.get(replay.by, UNKNOWN), earlier)
        return replace(
            replay, bias=(bias.mean, bias.sd), worth=worth(list(effects(decided, ended)))
        )


def compared(by: str, trials: Sequence[Trial], replays: Sequence[Replay]) -> list[Compared]:
    """Replays of one kind beside what was seen live of the same change in its trial. `replays`
    newest first: of an edited proposal's the last counts."""
    results = {ref: result for ref, result in _results(replays).items() if result.by == by}
    pairs = [
        (results[trial.proposal], _seen(trial.numbers))
        for trial in trials
        if trial.proposal in results
    ]
    return [Compared(r.mean, r.error, *seen) for r, seen in pairs if seen]


def effects(trials: Sequence[Trial], replays: Sequence[Replay]) -> Iterator[Normal]:
    """What every change that was replayed or tried seems to do. One that was tried to cost less
    isn't among them: it was never meant to be better."""
    results = _results(replays)
    tried = {trial.proposal: trial for trial in trials}
    for ref in sorted(results.keys() | tried.keys()):
        trial = tried.get(ref)
        if trial is not None and trial.margin:
            continue
        found = _seen(trial.numbers) if trial else None
        live = Live(Estimate(*found, (0.0, 0.0), (0, 0))) if found else Live()
        if seen := pooled(live, results.get(ref)):
            yield seen


def _results(replays: Sequence[Replay]) -> Mapping[str, Replayed]:
    """By proposal."""
    return {
        one.proposal: one.result for one in reversed(replays) if one.result and one.result.enough
    }


def _seen(numbers: Mapping[str, object]) -> tuple[float, float] | None:
    found = numbers.get("live")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    difference, error = float(found[0]), float(found[1])
    return (difference, error) if error > 0 else None
