"""/judge: what grades by a model are worth here."""

from dataclasses import replace

from bot.improve.judge import Judge
from bot.improve.judging import Judging
from bot.model.run import Outcome
from bot.ports.stores import Judgement
from tests.commands.stage import WORKSPACE, Stage


async def test_judge_is_off_until_a_setting_names_one(on: Stage) -> None:
    assert "RATCHET_JUDGE_MODEL" in (await on.say("member", "/judge")).text


async def test_judge_shows_how_far_it_agrees(on: Stage) -> None:
    services = on.services
    judging = Judging(Judge("small"), services.judgements, services.evidence)
    on.services = replace(services, judging=judging)
    for n in range(24):
        good = n % 2 == 0
        run = await on.asked(f"Question {n}?", "Answer", outcome=Outcome(float(good), "rating"))
        y = 0.9 if good else 0.1
        await services.judgements.put(WORKSPACE, Judgement(run.id, "small#1", y, "", n))
        if n == 9:
            few = await on.say("member", "/judge")
            assert few.card and "At least 20 are needed" in few.card.body
    reply = await on.say("member", "/judge")
    assert reply.text == "**Judge small#1: trusted**, beside 24 answers that people rated too"
    assert reply.card is not None
    fields = {field.label: field.value for field in reply.card.fields}
    assert fields["Bias"].startswith("+0.00 (-0.04 to +0.04")
    assert (fields["Agreement"], fields["Kappa"]) == (
        "100% call good or bad what people do",
        "1.00",
    )
    assert fields["Brier"] == "0.010 (0 is perfect)"
