"""/metrics and /budget: what it does and what it costs."""

import pytest

from bot.errors import BadInput, Forbidden
from bot.model.run import Outcome, RunStatus, Usage
from bot.model.stats import wilson
from tests.commands.stage import Stage

_PNG = b"\x89PNG\r\n\x1a\n"


async def test_metrics_show_success_with_its_interval_cost_and_errors(on: Stage) -> None:
    for number in range(4):
        await on.asked(
            f"Q{number}",
            "x",
            outcome=Outcome(float(number > 0), "rating"),
            usage=Usage(1, 1, 0, 0.5),
        )
    await on.asked("Q5", "x", usage=Usage(cost_usd=None))
    await on.asked("Q6", status=RunStatus.FAILED, error_type="model", agent="writer")
    reply = await on.say("member", "/metrics")
    assert "6 runs, success 75% [30% to 95%], n=4" in reply.text
    assert "67% rated (4 of 6)" in reply.text
    assert "cost $2.00 in all, per success $0.6667; 1 run of unknown cost not counted" in reply.text
    assert "errors: model 1" in reply.text
    assert "generalist v1" in reply.text
    assert reply.picture is not None
    assert reply.picture.png.startswith(_PNG)


async def test_metrics_of_one_agent_or_some_days(on: Stage) -> None:
    await on.asked("Old", "x")
    on.clock.advance(3 * 86_400)
    await on.asked("New", "x", agent="writer")
    assert "writer v1" in (await on.say("member", "/metrics writer")).text
    assert "generalist" not in (await on.say("member", "/metrics 2")).text
    assert "generalist v1" in (await on.say("member", "/metrics 7 days")).text
    assert (
        "No requests of analyst in the last 7 days"
        in (await on.say("member", "/metrics analyst 7d")).text
    )


@pytest.mark.parametrize(
    ("words", "hint"),
    [("writter", "Did you mean writer?"), ("0", "1 to 365"), ("400 days", "1 to 365")],
)
async def test_wrong_words_get_the_right_ones(on: Stage, words: str, hint: str) -> None:
    with pytest.raises(BadInput) as wrong:
        await on.say("member", f"/metrics {words}")
    assert hint in wrong.value.said
    assert "`/metrics [agent] [days]`" in wrong.value.said


def test_the_interval_is_wilsons() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(7, 10)
    assert (round(low, 3), round(high, 3)) == (0.397, 0.892)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 10)[0] == 0.0


async def test_budgets_are_shown_and_set_by_owners(on: Stage) -> None:
    assert "**workspace per day**: $0.00 of $20.00" in (await on.say("member", "/budget")).text
    assert "$25.50" in (await on.say("owner", "/budget set workspace day 25.5")).text
    assert "**workspace per day**: $0.00 of $25.50" in (await on.say("member", "/budget")).text
    await on.say("owner", "/budget set agent:writer month $5")
    await on.say("owner", "/budget set run run 2")
    await on.say("owner", "/budget set run 1")
    text = (await on.say("member", "/budget")).text
    assert "**agent writer per month**: $0.00 of $5.00" in text
    assert "**each run**: at most $1.00" in text
    with pytest.raises(Forbidden):
        await on.say("approver", "/budget set workspace day 1000")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("sett workspace day 5", "Did you mean set?"),
        ("set workspace day", "how many US dollars"),
        ("set worksapce day 5", "Did you mean workspace?"),
        ("set workspace dy 5", "Did you mean day?"),
        ("set run day 5", "does not fit run"),
        ("set workspace day -5", "no amount"),
        ("set workspace day nan", "no amount"),
        ("set workspace day 1e9", "no amount"),
        ("set agent:writter day 5", "Did you mean writer?"),
        ("set person:nobody day 5", "no person"),
    ],
)
async def test_a_wrong_budget_changes_nothing(on: Stage, words: str, hint: str) -> None:
    before = (await on.say("owner", "/budget")).text
    with pytest.raises(BadInput) as wrong:
        await on.say("owner", f"/budget {words}")
    assert hint in wrong.value.said
    assert "For example: `/budget set workspace day 20`" in wrong.value.said
    assert (await on.say("owner", "/budget")).text == before
