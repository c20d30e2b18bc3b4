"""Memories, workflows, ratings, jobs, stopping, asking again, roles."""

import pytest

from bot.errors import BadInput, Conflict, Forbidden, NotFound
from bot.llm.offline import NO_MODEL
from bot.model.memory import ORG, of_agent, of_user
from bot.model.person import Role
from bot.model.run import RunKind, RunStatus, Step, StepKind
from tests import samples
from tests.commands.stage import WORKSPACE, Stage


async def test_what_is_remembered_belongs_to_whom_it_was_said_for(on: Stage) -> None:
    assert "for you as M1" in (await on.say("member", "/remember I like tea")).text
    assert "for everyone as M2" in (await on.say("member", "/remember org: we close at 6")).text
    await on.say("member", "/remember agent:writer British English")
    memories = on.services.memories
    mine = of_user(on.people["member"].id)
    for namespace, text in (
        (mine, "I like tea"),
        (ORG, "we close at 6"),
        (of_agent("writer"), "British English"),
    ):
        assert [m.text for m in await memories.list(WORKSPACE, [namespace])] == [text]
    assert "M1: I like tea" in (await on.say("member", "/remember")).text
    with pytest.raises(BadInput, match="Nothing is remembered for you"):
        await on.say("other", "/remember me")
    with pytest.raises(BadInput) as wrong:
        await on.say("member", "/remember agent:writter x")
    assert "Did you mean writer?" in wrong.value.said


async def test_remembering_resumed_after_a_crash_is_one_memory(on: Stage) -> None:
    said = samples.run(kind=RunKind.COMMAND)
    for _ in range(2):
        assert "M1" in (await on.say("member", "/remember org tea at 4", again=said)).text
    assert await on.services.memories.count(WORKSPACE, [ORG]) == 1


async def test_a_memory_is_taken_back_by_its_maker_or_an_approver(on: Stage) -> None:
    await on.say("member", "/remember org one")
    await on.say("member", "/remember org two")
    await on.say("member", "/remember mine")
    with pytest.raises(Forbidden):
        await on.say("other", "/forget M1")
    assert "M1 is forgotten" in (await on.say("member", "/forget m1")).text
    assert "M2 is forgotten" in (await on.say("approver", "/forget M2")).text
    with pytest.raises(NotFound):
        await on.say("owner", "/forget M3")
    with pytest.raises(NotFound):
        await on.say("member", "/forget M1")
    with pytest.raises(BadInput, match="which memory"):
        await on.say("member", "/forget everything")
    said = samples.run(kind=RunKind.COMMAND)
    assert "forgotten" in (await on.say("member", "/forget M1", again=said)).text


_LOG = (
    Step(0, StepKind.RECALL, "memory", output=[]),
    Step(1, StepKind.TOOL, "calculator", input={"arguments": '{"e": "`6`*7"}'}, output="42"),
    Step(2, StepKind.TOOL, "http_fetch", error_type="tool", error_message="no"),
    Step(3, StepKind.MODEL, "gpt", output={"text": "42", "tool_calls": []}),
)


async def test_a_workflow_is_saved_listed_and_run_by_name(on: Stage) -> None:
    assert "No workflow" in (await on.say("member", "/workflows")).text
    run = await on.asked("Weekly numbers?", "42", log=_LOG)
    saved = await on.say("member", "/save_workflow Weekly_Report")
    assert "**weekly-report** v1" in saved.text
    assert '2. Use `calculator` as with `{"e": "\'6\'*7"}`.' in saved.text
    assert "http_fetch" not in saved.text
    assert await on.say("member", f"/save-workflow weekly-report {run.short}") == saved
    listed = await on.say("member", "/workflows")
    assert listed.buttons[0].command == "/workflow weekly-report"
    reply = await on.say("member", "/workflow weekly_report for the north team")
    assert "run-1" in reply.text
    [message] = on.inbox.messages
    assert message.text.endswith("for the north team")
    assert "Use `calculator`" in message.text
    assert (message.agent, message.conversation) == ("generalist", "c1")
    assert message.sender.external_id == "member"
    with pytest.raises(NotFound) as wrong:
        await on.say("member", "/workflow weekly-repord")
    assert "Did you mean weekly-report?" in wrong.value.said


async def test_a_workflow_keeps_the_request_without_who_it_was_for(on: Stage) -> None:
    await on.asked("@generalist Sum up the week", "Done.")
    assert "> Sum up the week\n" in (await on.say("member", "/save-workflow week")).text


async def test_what_no_model_answered_is_no_workflow(on: Stage) -> None:
    run = await on.asked("Sum up the week", NO_MODEL)
    for words in ("week", f"week {run.short}"):
        with pytest.raises(BadInput) as wrong:
            await on.say("member", f"/save-workflow {words}")
        assert "no language model is connected" in wrong.value.said


@pytest.mark.parametrize("name", ["", "a b c", "../etc", "x" * 41, "ümlaut"])
async def test_a_workflow_needs_a_plain_name(on: Stage, name: str) -> None:
    await on.asked("Hi", "Hi")
    with pytest.raises(BadInput, match="name"):
        await on.say("member", f"/save-workflow {name}")


async def test_thumbs_are_one_per_person_and_the_last_counts(on: Stage) -> None:
    run = await on.asked("Hi", "Hi")

    async def outcome() -> float | None:
        now = await on.services.runs.get(WORKSPACE, run.id)
        assert now is not None
        return now.outcome.y

    down = await on.say("member", f"/rate {run.short} down")
    assert down.buttons[0].command == f"/better {run.short}"
    assert await outcome() == 0.0
    await on.say("member", f"/rate {run.short} up")
    assert await outcome() == 1.0
    await on.say("other", "/rate 👎 not for me")
    assert await outcome() == 0.5
    await on.say("other", f"/rate {run.short} none")
    await on.say("member", f"/rate {run.short} none")
    assert await outcome() is None
    with pytest.raises(BadInput) as wrong:
        await on.say("member", f"/rate {run.short} dwn")
    assert "Did you mean down?" in wrong.value.said


async def test_jobs_are_listed_by_members_and_moved_by_owners(on: Stage) -> None:
    assert "**analyze** · every 5 min · never ran" in (await on.say("member", "/jobs")).text
    await on.say("owner", "/jobs pause analyze")
    assert on.jobs.paused == {"analyze"}
    assert "**paused**" in (await on.say("member", "/jobs")).text
    await on.say("owner", "/jobs resume analyze")
    assert on.jobs.paused == set()
    said = samples.run(kind=RunKind.COMMAND)
    await on.say("owner", "/jobs run now expire", again=said)
    assert on.jobs.started == [("expire", said.id)]
    for saying in ("pause", "resume", "run"):
        with pytest.raises(Forbidden):
            await on.say("approver", f"/jobs {saying} analyze")
    for wrong, hint in (
        ("paus analyze", "Did you mean pause?"),
        ("run analize", "mean analyze?"),
        ("run bogus", "There is no job bogus. There are: analyze, expire."),
        ("run", "Say which job. There are: analyze, expire."),
    ):
        with pytest.raises(BadInput) as error:
            await on.say("owner", f"/jobs {wrong}")
        assert hint in error.value.said


async def test_stop_ends_what_runs_in_this_conversation_only(on: Stage) -> None:
    assert "Nothing is running" in (await on.say("member", "/stop")).text
    here = await on.asked("Long", status=RunStatus.RUNNING)
    waiting = await on.asked("Next", status=RunStatus.QUEUED)
    await on.asked("Elsewhere", status=RunStatus.RUNNING, conversation="c2")
    assert "someone else" in (await on.say("guest", "/stop")).text
    assert on.inbox.cancelled == []
    assert "Stopped 2 requests" in (await on.say("member", "/stop")).text
    assert on.inbox.cancelled == [waiting.id, here.id]


async def test_an_expired_message_is_run_once_by_whoever_wrote_it(on: Stage) -> None:
    run = await on.asked("Still there?", status=RunStatus.EXPIRED, agent="", agent_hint="writer")
    for who in ("owner", "other", "guest"):
        with pytest.raises((Forbidden, NotFound)):
            await on.say(who, f"/retry {run.id}")
    await on.say("member", f"/retry {run.id}")
    assert "already" in (await on.say("member", f"/retry {run.short}")).text
    [message] = on.inbox.messages
    assert (message.text, message.agent) == ("Still there?", "writer")
    assert message.sent_at is None


async def test_each_platform_may_be_claimed_though_another_has_its_owner(on: Stage) -> None:
    people = on.services.people
    on.people["guest"] = await people.resolve("local", "slack", "U7", "guest", Role.GUEST)
    claimed = await on.say("guest", "/claim c0de", channel="slack")
    assert "an owner" in claimed.text or "the owner" in claimed.text
    on.people["late"] = await people.resolve("local", "slack", "U8", "late", Role.MEMBER)
    with pytest.raises(Conflict):
        await on.say("late", "/claim c0de", channel="slack")


async def test_the_owner_is_claimed_once_with_the_code(on: Stage) -> None:
    people = on.services.people
    with pytest.raises(Forbidden):
        await on.say("guest", "/claim guess")
    with pytest.raises(Conflict):
        await on.say("guest", "/claim c0de")
    await people.set_role(WORKSPACE, on.people["owner"].id, Role.MEMBER)
    assert "owner now" in (await on.say("guest", "/claim c0de")).text
    assert "are an owner" in (await on.say("guest", "/claim c0de")).text
    with pytest.raises(Conflict):
        await on.say("other", "/claim c0de")


async def test_roles_are_given_by_owners_and_one_always_stays(on: Stage) -> None:
    assert "Member (`" in (await on.say("owner", "/role")).text
    await on.say("owner", "/role member approver")
    await on.say("owner", "/role web:other guest")
    people = on.services.people
    roles = {name: await people.get(WORKSPACE, on.people[name].id) for name in ("member", "other")}
    assert [p.role for p in roles.values() if p] == [Role.APPROVER, Role.GUEST]
    with pytest.raises(Conflict, match="last owner"):
        await on.say("owner", "/role owner member")
    with pytest.raises(Forbidden):
        await on.say("approver", "/role approver owner")
    for wrong, hint in (("member aprover", "mean approver?"), ("member", "Say who")):
        with pytest.raises(BadInput) as bad:
            await on.say("owner", f"/role {wrong}")
        assert hint in bad.value.said
    with pytest.raises(NotFound) as nobody:
        await on.say("owner", "/role membr guest")
    assert "Did you mean Member?" in nobody.value.said
