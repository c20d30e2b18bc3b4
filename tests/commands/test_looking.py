"""/help, /runs, /run, /why, /agents: looking at what there is."""

from dataclasses import replace

import pytest

from bot.errors import BadInput, NotFound
from bot.model.agent import Bullet
from bot.model.run import Outcome, RunKind, RunStatus, Step, StepKind, Usage
from bot.model.trial import TrialStatus
from tests.bot.improve.trials.test_telling import TRIAL
from tests.commands.stage import WORKSPACE, Stage

_LOG = (
    Step(0, StepKind.ROUTE, "generalist", output={"why": "answered here before", "scores": {}}),
    Step(
        1,
        StepKind.RECALL,
        "memory",
        duration_ms=2.5,
        output=[
            {"number": 7, "namespace": "org", "text": "Refunds: 30 days", "score": 0.81},
            {"number": 8, "namespace": "user:someone", "text": "a secret", "score": 0.5},
        ],
    ),
    Step(
        2,
        StepKind.TOOL,
        "calculator",
        input={"arguments": '{"expression": "6*7"}'},
        output="42",
    ),
    Step(
        3,
        StepKind.MODEL,
        "gpt",
        duration_ms=1500,
        output={"text": "42", "tool_calls": []},
        usage=Usage(1200, 30, 1000, 0.00213),
    ),
)


async def test_replays_are_listed_where_they_are_asked_for_and_a_trial_is_named(on: Stage) -> None:
    made, _ = await on.services.trials.add(replace(TRIAL, status=TrialStatus.RUNNING))
    tried = await on.asked("What?", "That.", trial=made.id, arm="candidate", propensity=0.5)
    again = await on.asked("What?", "That.", kind=RunKind.REPLAY, conversation="replay:P1")
    shown = (await on.say("member", "/runs")).text
    assert f"`{tried.short}`" in shown and f"{made.ref} candidate" in shown
    assert again.short not in shown
    for words in ("replays", "--replays"):
        listed = (await on.say("approver", f"/runs {words}")).text
        assert again.short in listed and tried.short not in listed
    with pytest.raises(BadInput):
        await on.say("member", "/runs replays")


async def test_help_shows_what_a_role_may_say(on: Stage) -> None:
    guest, owner = [await on.say(who, "/help") for who in ("guest", "owner")]
    guest_text, owner_text = guest.text, owner.text
    assert "/approve" not in guest_text
    assert "- `/approve P12`: Put a proposal into use" in owner_text
    assert "/claim" not in owner_text
    assert "`/help better` tells more about one" in guest_text


async def test_help_shows_one_command_with_examples(on: Stage) -> None:
    reply = await on.say("member", "/help /save_workflow")
    assert "`/save-workflow weekly-report`" in reply.text
    assert "For: member and up." in reply.text
    assert "For: owners." in (await on.say("owner", "/help role")).text
    assert "person:me" in (await on.say("owner", "/help budget")).text
    with pytest.raises(BadInput) as wrong:
        await on.say("member", "/help bettr")
    assert "Did you mean /better?" in wrong.value.said


async def test_a_run_is_shown_step_by_step(on: Stage) -> None:
    run = await on.asked("What is 6*7?", "42", log=_LOG, usage=Usage(1200, 30, 1000, 0.00213))
    reply = await on.say("member", "/run")
    assert f"**Run {run.short}** · succeeded · generalist v1" in reply.text
    assert "1,200 tokens in (1,000 cached), 30 out · cost $0.0021" in reply.text
    assert "4. model gpt · 1.5 s" in reply.text
    assert await on.say("member", f"/run {run.id}") == reply
    assert await on.say("member", f"/run #{run.short.upper()}") == reply


async def test_unknown_cost_and_errors_are_said(on: Stage) -> None:
    await on.asked(
        "Hi",
        status=RunStatus.FAILED,
        error_type="model",
        error_message="bad key",
        usage=Usage(cost_usd=None),
    )
    text = (await on.say("member", "/run")).text
    assert "cost unknown" in text
    assert "Error `model`: bad key" in text


async def test_why_shows_routing_memories_and_tools_but_nobody_elses_memory(on: Stage) -> None:
    await on.asked("What is 6*7?", "42", log=_LOG)
    text = (await on.say("member", "/why")).text
    assert "generalist v1: answered here before" in text
    assert "M7 Refunds: 30 days (nearness 0.81)" in text
    assert 'calculator {"expression": "6*7"} → 42' in text
    assert "a secret" not in text


async def test_why_shows_what_was_predicted_beside_what_came(on: Stage) -> None:
    predicted = {
        "agent": "ops",
        "success": 0.82,
        "low": 0.7,
        "high": 0.9,
        "n": 41,
        "latency_ms": {"middle": 2100.0, "low": 900.0, "high": 4000.0},
        "cost_usd": {"middle": 0.002, "low": 0.001, "high": 0.004},
    }
    route = {"why": "predicted success 82%", "scores": {}, "predicted": predicted}
    log = (Step(0, StepKind.ROUTE, "ops", output=route),)
    await on.asked("Q", "42", log=log, outcome=Outcome(0.75, "implicit"))
    text = (await on.say("member", "/why")).text
    assert (
        "**Predicted** success 82% [70 to 90], n=41, 2.1 s [900 ms to 4.0 s], "
        "$0.0020 [$0.0010 to $0.0040]\n**Came** outcome 0.75 (by implicit), 1.2 s, " in text
    )
    few = {**route, "predicted": {**predicted, "n": 3}}
    await on.asked("Q", "42", log=(Step(0, StepKind.ROUTE, "ops", output=few),))
    text = (await on.say("member", "/why")).text
    assert "**Predicted** not enough to tell, n=3," in text
    assert "**Came** no outcome yet" in text
    unknown = {**route, "predicted": {"explored": True}}
    await on.asked("Q", "42", log=(Step(0, StepKind.ROUTE, "ops", output=unknown),))
    assert "**Predicted**" not in (await on.say("member", "/why")).text


async def test_why_tells_which_files_were_read_but_not_what_is_in_them(on: Stage) -> None:
    read = {"kind": "text", "name": "pay.csv", "what": "CSV, 2 rows", "text": "salaries"}
    lost = {"kind": "refused", "name": "a.docx", "said": "`a.docx` is a Word document."}
    log = [Step(n, StepKind.FILE, "f", output=output) for n, output in enumerate((read, lost))]
    await on.asked("Sum up", "42", log=log)
    text = (await on.say("member", "/why")).text
    assert "- pay.csv: CSV, 2 rows\n- a.docx: could not be read" in text
    assert "salaries" not in text


async def test_why_shows_the_lessons_of_the_version_that_ran(on: Stage) -> None:
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    taught = agents["generalist"].with_bullet(Bullet("b1", "be brief", "P1"))
    await on.services.agents.deploy(WORKSPACE, taught, base=1, source="P1")
    await on.asked("Hi", "Hi", agent_version=2)
    assert "- be brief (P1)" in (await on.say("member", "/why")).text
    await on.asked("Hi", "Hi", agent_version=1)
    assert "be brief" not in (await on.say("member", "/why")).text
    assert "- be brief (P1)" in (await on.say("member", "/agents Generalist")).text
    assert "1 lesson" in (await on.say("member", "/agents")).text


async def test_runs_are_those_of_the_conversation(on: Stage) -> None:
    here = await on.asked("Here", "x", outcome=Outcome(1.0, "rating"))
    there = await on.asked("There", "x", conversation="c2")
    text = (await on.say("member", "/runs")).text
    assert here.short in text
    assert there.short not in text
    assert there.short in (await on.say("approver", "/runs all")).text
    with pytest.raises(BadInput, match="approvers"):
        await on.say("member", "/runs all")
    with pytest.raises(BadInput) as wrong:
        await on.say("member", "/runs comands")
    assert "Did you mean commands?" in wrong.value.said
    for line in ("/runs bogus", "/proposals bogus"):
        with pytest.raises(BadInput, match="There are: ") as wrong:
            await on.say("member", line)
        assert "Did you mean" not in wrong.value.said


async def test_other_peoples_conversations_stay_theirs(on: Stage) -> None:
    run = await on.asked("Private", "x", conversation="c2", by="owner")
    for saying in (f"/run {run.id}", f"/why {run.short}", f"/better {run.id} be kind"):
        with pytest.raises(NotFound):
            await on.say("member", saying)
    assert "Private" in (await on.say("approver", f"/run {run.short}")).text


async def test_nothing_asked_yet_is_said(on: Stage) -> None:
    with pytest.raises(NotFound) as none:
        await on.say("member", "/run")
    assert "Nothing was asked" in none.value.said
    assert "No runs" in (await on.say("member", "/runs")).text


async def test_a_wrong_agent_gets_the_right_one(on: Stage) -> None:
    with pytest.raises(NotFound) as wrong:
        await on.say("member", "/agents writter")
    assert "Did you mean writer?" in wrong.value.said
    with pytest.raises(NotFound) as wrong:
        await on.say("member", "/agents bogus")
    assert "Did you mean" not in wrong.value.said
