"""What commands tell programs: the same as in words, whole, as JSON."""

from dataclasses import replace
from typing import Any

from bot.improve import facts
from bot.improve.detect.seen import Seen
from bot.improve.forecast import CLOSED
from bot.improve.judge import Judge
from bot.improve.judging import Judging
from bot.model.proposal import ProposalStatus
from bot.model.run import Outcome, Usage
from bot.model.trial import TrialStatus
from bot.ports.stores import Judgement, State
from tests.bot.improve.trials.test_telling import NUMBERS, TRIAL
from tests.commands.stage import WORKSPACE, Stage


async def _data(on: Stage, text: str, who: str = "owner") -> Any:
    return (await on.say(who, text)).data


async def test_trials_with_their_numbers(on: Stage) -> None:
    assert await _data(on, "/trials") == {"trials": []}
    path = {"path": [[0, 1.0, 1.0], [10, 4.0, 0.3]]}
    running = replace(TRIAL, status=TrialStatus.RUNNING, reason="", numbers={**NUMBERS, **path})
    await on.services.trials.add(running)
    [trial] = (await _data(on, "/trials"))["trials"]
    assert (trial["ref"], trial["proposal"], trial["status"]) == ("T1", "P12", "running")
    assert trial["numbers"]["arms"]["candidate"]["mean"] == 0.81
    assert "path" not in trial["numbers"]
    one = (await _data(on, "/trial T1"))["trial"]
    assert one["numbers"]["path"] == path["path"] and one["overlay"] == {"writer": 3}


async def test_progress_has_none_for_what_was_not_measured(on: Stage) -> None:
    for words in ("lesson: sign it", "our office is in Graz"):
        run = await on.asked("Hello", "Hi", agent="writer", outcome=Outcome(1.0, "rating"))
        await on.say("member", f"/better {run.short} {words}")
    await on.say("owner", "/approve P1")
    await on.say("owner", "/approve P2")
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found
    await on.services.proposals.move(WORKSPACE, found, ProposalStatus.KEPT)
    await on.services.trials.add(replace(TRIAL, proposal="P1", status=TrialStatus.KEPT))
    told = await _data(on, "/progress")
    first, second = sorted(told["steps"], key=lambda step: str(step["proposal"]))
    assert (first["agent"], first["version"], first["trial"]) == ("writer", 2, "T1")
    assert first["success"] == {"before": 0.66, "after": 0.81, "n": [61, 58]}
    assert first["latency_ms"] == {"before": 1400.0, "after": 1204.0, "n": [75, 70]}
    assert (second["success"], second["trial"]) == (None, None)
    assert (told["months"][-1]["runs"], told["months"][-1]["scored"]) == (2, 2)
    assert (told["months"][0]["runs"], told["months"][0]["p50_ms"]) == (0, None)


async def test_findings_and_errors_with_evidence_and_facts(on: Stage) -> None:
    assert await _data(on, "/findings") == {"findings": []}
    seen = Seen(facts.GAP, "writer", "c1", "Asked for: rooms", "x", ("r1",), facts={"wanted": "x"})
    failed = replace(seen, kind=facts.ERROR, title="It broke")
    for number, one in enumerate((seen, failed)):
        await on.services.findings.raise_once(one.finding(WORKSPACE, f"f{number}", 1))
    told = (await _data(on, "/findings"))["findings"]
    assert {one["kind"] for one in told} == {"gap", "error"}
    assert told[0]["evidence"] == ["r1"] and told[0]["facts"] == {"wanted": "x"}
    [error] = (await _data(on, "/errors"))["findings"]
    shown = (await _data(on, f"/findings {error['fingerprint'][:8]}"))["finding"]
    assert shown == error and "workspace" not in shown


async def test_the_judge_and_the_predictor(on: Stage) -> None:
    assert await _data(on, "/judge") == {"judge": None}
    none = await _data(on, "/metrics predictor")
    assert (none["n"], none["brier"], none["bins"]) == (0, None, [])
    services = on.services
    judging = Judging(Judge("small"), services.judgements, services.evidence)
    on.services = replace(services, judging=judging)
    for n in range(4):
        run = await on.asked("Q?", "A", outcome=Outcome(float(n % 2), "rating"))
        await services.judgements.put(WORKSPACE, Judgement(run.id, "small#1", n % 2, "", n))
    told = await _data(on, "/judge")
    assert (told["judge"], told["n"], told["trust"], told["bias"]) == ("small#1", 4, "unproven", 0)


async def test_costs_by_agent_model_and_runbook(on: Stage) -> None:
    assert await _data(on, "/metrics costs") == {"agents": [], "runbooks": []}
    for y in (1.0, 1.0, 0.0):
        paid: Any = {"usage": Usage(400, 40, 0, 0.02), "outcome": Outcome(y, "rating")}
        await on.asked("Q?", "A", agent="writer", **paid)
    await on.asked("Q?", "A", agent="ops", usage=Usage(400, 40, 0, 0.5))
    today = on.clock.now() // 86_400_000
    days = {str(today): [2, 0.04, 0, 0, 0, 0], str(today - 9): [5, 1.0, 0, 0, 0, 0]}
    known = {"known": {"spent": {"refunds writer ": {"days": days, "top": {}}}}}
    before = await on.services.states.get(WORKSPACE, CLOSED)
    await on.services.states.move(WORKSPACE, CLOSED, before, State("", known), 1)
    shown = await on.say("owner", "/metrics costs 7")
    told: Any = shown.data
    assert [(one["who"], one["model"], one["runs"]) for one in told["agents"]] == [
        ("ops", "default", 1),
        ("writer", "default", 3),
    ]
    assert told["agents"][1]["cost_per_success"] == 0.03
    assert told["agents"][0]["cost_per_success"] is None
    assert [(one["who"], one["cost_usd"]) for one in told["runbooks"]] == [
        ("refunds (writer)", 0.04)
    ]
    assert "$0.56 on 4 runs" in shown.text and shown.card and "refunds (writer)" in shown.card.body
    month = await _data(on, "/metrics costs 30")
    assert month["runbooks"][0]["runs"] == 7


async def test_what_is_held_and_what_is_not(on: Stage) -> None:
    frozen = (await _data(on, "/freeze audit"))["frozen"]
    assert (frozen["held"], frozen["reason"]) == (True, "audit")
    assert frozen["by"] == on.people["owner"].id and frozen["since"] == on.clock.now()
    assert await _data(on, "/unfreeze") == {
        "frozen": {"held": False},
        "going_on": [],
        "ended": [],
    }
    told = {"agent": "writer", "version": 1, "protected": True}
    assert await _data(on, "/protect writer v1") == told
    assert await _data(on, "/unprotect writer v1") == {**told, "protected": False}
    paused = await _data(on, "/agents pause writer too slow")
    assert (paused["agent"], paused["paused"]["reason"]) == ("writer", "too slow")
    agents = {one["agent"]: one for one in (await _data(on, "/agents"))["agents"]}
    assert agents["writer"]["paused"]["held"] and not agents["ops"]["paused"]["held"]
    assert (await _data(on, "/agents resume writer"))["paused"] == {"held": False}
