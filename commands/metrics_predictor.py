"""`/metrics predictor`: whether what was predicted of requests came."""

from bot.command import Ask
from bot.improve.calibration import Bin, Calibrated
from bot.model.message import Card, Field, Reply
from bot.model.prediction import ENOUGH
from bot.model.words import count
from commands.data import of_predictions

_NONE = (
    "Nothing was predicted yet. Before a run is predicted, at least "
    f"{ENOUGH} runs of that agent with such requests must have an outcome: rate answers, and look "
    "again."
)
_FEW = 50


async def predictor(ask: Ask, private: bool) -> Reply:
    """Each prediction was made before its outcome was known."""
    known = await ask.services.forecast.refresh(ask.run.workspace)
    found = known.predictor.calibration()
    if not found.n:
        return Reply(_NONE, private=private, data=of_predictions(found))
    return Reply(
        f"**Predictions and what came of them**: {count(found.n, 'prediction')}, {_told(found)}",
        card=Card("Predicted success", "\n".join(_table(found)), _fields(found)),
        footer="Predicted before the run began, with what was known then; came is the mean outcome "
        "with its 95% interval.",
        private=private,
        data=of_predictions(found),
    )


def _told(found: Calibrated) -> str:
    if found.n < _FEW:
        return "too few to tell how good they are"
    if found.skill <= 0:
        return "no better than always saying the mean"
    return f"off by {found.error * 100:.0f} points on average"


def _fields(found: Calibrated) -> tuple[Field, ...]:
    return (
        Field("Brier score", f"{found.brier:.3f} (0 is best)"),
        Field("Always saying the mean", f"{found.baseline:.3f}"),
        Field("Calibration error", f"{found.error * 100:.1f} points"),
    )


def _table(found: Calibrated) -> list[str]:
    rows = [("predicted", "n", "came", "95%"), *(_row(b) for b in found.bins)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return ["```", *lines, "```"]


def _row(one: Bin) -> tuple[str, ...]:
    low, high = one.interval
    return (f"{one.predicted:.0%}", str(one.n), f"{one.came:.0%}", f"{low:.0%}-{high:.0%}")
