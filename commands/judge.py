"""/judge: what the judge's grades are worth: how far they are from what people said of the same."""

from bot.command import Ask, Command
from bot.improve.agreement import LEAST, Calibration, Trust
from bot.model.message import Card, Field, Reply
from bot.model.words import count
from commands.data import of_judge

_OFF = (
    "No judge is set, so nothing is graded by a model. RATCHET_JUDGE_MODEL names one; it then "
    "grades a share of the answers that nobody rated (RATCHET_JUDGE_SHARE)."
)
_MEANS = {
    Trust.UNPROVEN: "Too few answers were rated by people too, so it isn't known whether it is "
    "right. It may score a replay, which says so; no outcome and no trial rests on it.",
    Trust.TRUSTED: "It agrees with people well enough: where nobody said anything, its grade counts.",
    Trust.MISCALIBRATED: "It is too far from what people say, so nothing rests on it.",
    Trust.UNEVEN: "It is kinder to one version than to another, so no comparison rests on it.",
}


async def judge(ask: Ask) -> Reply:
    judging, workspace = ask.services.judging, ask.run.workspace
    if judging.judge is None:
        return Reply(_OFF, data={"judge": None})
    found = await judging.calibration(workspace)
    title = f"Judge {judging.judge.name}: {found.trust.value}"
    return Reply(
        f"**{title}**, beside {count(found.n, 'answer')} that people rated too",
        card=Card(title, _means(found), tuple(_fields(found))),
        data=of_judge(judging.judge.name, found),
    )


def _means(found: Calibration) -> str:
    means = _MEANS[found.trust]
    if found.trust is Trust.UNPROVEN:
        means += f" At least {LEAST} are needed."
    if found.uneven:
        means += f" The two are {found.uneven[0]} and {found.uneven[1]}."
    return means


def _fields(found: Calibration) -> list[Field]:
    fields = [Field("Rated by both", str(found.n))]
    if found.n < 2:
        return fields
    kappa = "not known (one of them said only one thing)"
    if found.kappa is not None:
        kappa = f"{found.kappa:.2f}"
    return [
        *fields,
        Field("Bias", f"{found.bias:+.2f} ({found.low:+.2f} to {found.high:+.2f}, 95 %)"),
        Field("Agreement", f"{found.agreement:.0%} call good or bad what people do"),
        Field("Kappa", kappa),
        Field("Brier", f"{found.brier:.3f} (0 is perfect)"),
    ]


COMMAND = Command(
    "judge",
    "Show how far the judge agrees with people",
    judge,
    examples=("/judge",),
    more="The judge is a model that grades answers nobody rated; it is off unless a setting names one.",
    slash=False,
)
