"""/metrics and /budget: what it does and what it costs."""

from typing import Any

import pytest

from bot.errors import BadInput, Forbidden
from bot.improve.forecast import SCORED
from bot.improve.predictor import Predictor
from bot.model.message import Reply
from bot.model.run import Outcome, RunStatus, Usage
from bot.model.stats import wilson
from bot.ports.stores import State
from tests.commands.stage import WORKSPACE, Stage

_PNG = b"\x89PNG\r\n\x1a\n"


def told(reply: Reply) -> dict[str, str]:
    assert reply.card is not None
    return {field.label: field.value for field in reply.card.fields}


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
    assert told(reply) == {
        "Runs": "6",
        "Success": "75% [30% to 95%], n=4",
        "Coverage": "4 of 6 rated, 4 with an outcome",
        "Latency": "p50 1.2 s, p95 1.2 s",
        "Cost": "$2.00, and 1 run of unknown cost not counted",
        "Cost per success": "$0.6667",
        "Errors": "model 1",
    }
    assert reply.card and reply.card.title == "Metrics · the last 30 days"
    assert "generalist v1     5      75%  30%-95%" in reply.card.body
    assert reply.picture is not None
    assert reply.picture.png.startswith(_PNG)


async def test_metrics_of_one_agent_or_some_days(on: Stage) -> None:
    await on.asked("Old", "x")
    on.clock.advance(3 * 86_400)
    await on.asked("New", "x", agent="writer")
    assert "writer v1" in repr((await on.say("member", "/metrics writer")).card)
    assert "generalist" not in repr((await on.say("member", "/metrics 2")).card)
    assert "generalist v1" in repr((await on.say("member", "/metrics 7 days")).card)
    assert "generalist v1" in repr((await on.say("member", "/metrics 365")).card)
    assert (
        "No requests of analyst in the last 7 days"
        in (await on.say("member", "/metrics analyst 7d")).text
    )


async def test_metrics_are_for_the_asker_until_shared(on: Stage) -> None:
    await on.asked("Q", "x", agent="writer")
    channel: dict[str, Any] = {"channel": "slack", "address": {"channel": "C1", "user": "U7"}}
    seen = await on.say("member", "/metrics writer 7", **channel)
    assert seen.private
    [button] = seen.buttons
    assert button.label == "Share here"
    shared = await on.say("member", button.command, **channel)
    assert (shared.private, shared.buttons, shared.card) == (False, (), seen.card)
    places: tuple[dict[str, Any], ...] = (
        {"channel": "slack", "address": {"channel": "D1", "user": "U7"}},
        {"channel": "telegram", "address": {"chat_id": 7, "user_id": 7}},
        {"channel": "web", "address": {}},
    )
    for alone in places:
        assert (await on.say("member", "/metrics 7", **alone)).buttons == ()


async def _predicted(on: Stage, runs: int) -> None:
    predictor = Predictor()
    for n in range(runs):
        predictor.judged("c1", "ops", 1, float(n % 10 > 0))
        predictor.judged("c2", "ops", 1, float(n % 10 == 0))
    states, known = on.services.states, {"predictor": predictor.dump()}
    before = await states.get(WORKSPACE, SCORED)
    assert await states.move(WORKSPACE, SCORED, before, State("r1", {"known": known}), 5)


async def test_metrics_show_whether_predictions_came(on: Stage) -> None:
    assert "Nothing was predicted yet" in (await on.say("member", "/metrics predictor")).text
    await _predicted(on, 15)
    few = await on.say("member", "/metrics predictor share")
    assert "10 predictions, too few to tell how good they are" in few.text and not few.private
    await _predicted(on, 300)
    reply = await on.say("member", "/metrics predictor")
    assert "580 predictions, off by" in reply.text and reply.private
    assert list(told(reply)) == ["Brier score", "Always saying the mean", "Calibration error"]
    assert told(reply)["Always saying the mean"] == "0.250"
    assert reply.card and "      88%  278   90%  86%-93%" in reply.card.body


@pytest.mark.parametrize(
    ("words", "hint"),
    [("writter", "Did you mean writer?"), ("0", "1 to 365"), ("400 days", "1 to 365")],
)
async def test_wrong_words_get_the_right_ones(on: Stage, words: str, hint: str) -> None:
    with pytest.raises(BadInput) as wrong:
        await on.say("member", f"/metrics {words}")
    assert hint in wrong.value.said
    assert "`/metrics [agent | costs | predictor] [days] [share]`" in wrong.value.said


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
