"""What a request may not do: cost too much, run on for ever, leave a secret behind."""

import asyncio

import pytest
import structlog

from bot.app import App
from bot.model.message import Sender
from bot.model.run import RunStatus, StepKind
from jobs import retention
from tests.bot.dispatch.saying import (
    OWNER,
    WORKSPACE,
    ended,
    kept,
    said,
    say,
    start,
    steps,
)
from tests.fakes.model_server import Answer, ModelServer, Wait, content_filter
from tests.fakes.recording_channel import RecordingChannel

DAY = 86_400_000


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"RATCHET_BUDGET_RUN": "0.0001"}, "each run"),
        ({"RATCHET_BUDGET_AGENT_DAY": "0.0001"}, "agent per day"),
        ({"RATCHET_BUDGET_PERSON_DAY": "0.0001"}, "person"),
        ({"RATCHET_BUDGET_DAY": "0"}, "RATCHET_BUDGET_DAY"),
        ({"RATCHET_BUDGET_MONTH": "0.0001"}, "month"),
    ],
)
async def test_a_budget_is_refused_by_name_before_the_model_is_asked(
    app: App, model: ModelServer, name: str
) -> None:
    run = await say(app, "hello")
    assert run.status is RunStatus.REFUSED and run.error_type == "over_budget"
    assert name in said(run) and "/budget set" in said(run)
    assert not model.chats and run.outcome.y is None
    assert (await kept(app, run)).usage.cost_usd == 0


@pytest.mark.parametrize("more", [{"RATCHET_BUDGET_DAY": "0.0001"}])
async def test_a_raised_budget_holds_at_once(app: App, model: ModelServer) -> None:
    assert (await say(app, "hello")).status is RunStatus.REFUSED
    await say(app, "/budget set workspace day 5", sender=OWNER)
    assert said(await say(app, "hello")) == "You said: hello"


@pytest.mark.parametrize("more", [{"RATCHET_BUDGET_DAY": "0.01"}])
async def test_many_at_once_do_not_pass_a_budget_together(app: App, model: ModelServer) -> None:
    model.reply = lambda _: "word " * 400
    runs = [await ended(app, i) for i in [await start(app, f"n{n}") for n in range(40)]]
    spent = sum(run.usage.cost_usd or 0.0 for run in runs)
    assert 0 < spent <= 0.01
    assert {run.status for run in runs} == {RunStatus.SUCCEEDED, RunStatus.REFUSED}


@pytest.mark.parametrize(
    "more", [{"RATCHET_BUDGET_DAY": "0.05", "RATCHET_ADMIN_CHANNEL": "slack:C-ADMIN"}]
)
async def test_at_80_percent_the_admins_are_told_once(
    app: App, model: ModelServer, slack: RecordingChannel
) -> None:
    model.reply = lambda _: "word " * 2000
    while (await say(app, "hello")).status is RunStatus.SUCCEEDED:
        await app.services.purse.drain()
    await app.sender.stop(5)
    warnings = [d for d in slack.shown if d.address["channel"] == "C-ADMIN"]
    assert len(warnings) == 1 and "are spent" in str(warnings[0].reply["card"])


async def test_the_cost_of_a_failed_answer_is_kept(app: App, model: ModelServer) -> None:
    model.then(Answer("let me see", tool_calls=(("calculator", '{"expression": "1"}'),)))
    model.then(content_filter("half an answer"))
    run = await kept(app, await say(app, "hello"))
    assert run.status is RunStatus.FAILED and run.usage.cost_usd
    asked = [step for step in await steps(app, run) if step.kind is StepKind.MODEL]
    assert len(asked) == 2
    assert run.usage.cost_usd == pytest.approx(sum(step.usage.cost_usd or 0 for step in asked))
    assert asked[1].usage.cost_usd


async def test_the_cost_of_a_call_that_a_stop_cuts_off_is_kept(
    app: App, model: ModelServer
) -> None:
    model.then(Wait(until=asyncio.Event()))
    run_id = await start(app, "hello")
    while not model.in_flight:
        await asyncio.sleep(0.001)
    await app.inbox.stop(0)
    run = await app.services.runs.get(WORKSPACE, run_id)
    assert run is not None and run.status is RunStatus.RUNNING
    (cut,) = [step for step in await steps(app, run) if step.kind is StepKind.MODEL]
    assert cut.error_type == "cancelled" and cut.usage.cost_usd


@pytest.mark.parametrize("more", [{"RATCHET_MODEL": "never-heard-of"}])
async def test_an_unknown_price_is_unknown(app: App) -> None:
    run = await kept(app, await say(app, "hello"))
    assert run.usage.cost_usd is None and "cost unknown" in str(run.reply["footer"])


SECRETS = [
    "sk-proj-abcdefghijklmnop1234567890",
    "xoxb-1234567890-abcdefghijklmnop",
    "Authorization: Bearer abcdefghijklmnop1234567890",
    "4111 1111 1111 1111",
    "password=hunter2hunter2",
]


@pytest.mark.parametrize("secret", SECRETS)
async def test_no_secret_is_left_anywhere(
    app: App, model: ModelServer, slack: RecordingChannel, secret: str
) -> None:
    part = secret.split("=")[-1].split("Bearer ")[-1]
    model.then(
        Answer(secret, tool_calls=(("calculator", f'{{"expression": "{secret}"}}'), (secret, ""))),
        f"you gave me {secret}",
    )
    with structlog.testing.capture_logs() as lines:
        run = await say(app, f"my secret is {secret}", conversation="secrets")
        noted = await say(app, f"/remember it is {secret}", conversation="secrets")
        better = await say(app, f"/better {run.id} never say {secret}", conversation="secrets")
        wrong = await say(app, f"/nonsense {secret}", conversation="secrets")
    await app.sender.stop(5)
    for one in (run, noted, better, wrong):
        assert part not in str(await kept(app, one)) and part not in str(await steps(app, one))
    assert part not in str(lines)
    for file in app.services.settings.home.rglob("*"):
        if file.is_file():
            assert part.encode() not in file.read_bytes(), file
    assert part not in str(model.chats[2:])


async def test_a_tool_that_hangs_is_stopped_and_the_run_goes_on(
    app: App, model: ModelServer
) -> None:
    """The time of a tool is bounded, whatever it waits for."""
    stuck = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stuck.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    model.then(Answer(tool_calls=(("http_fetch", f'{{"url": "http://127.0.0.1:{port}/"}}'),)), "no")
    run = await say(app, "@researcher fetch it")
    assert said(run) == "no"
    tool = [step for step in await steps(app, run) if step.kind is StepKind.TOOL]
    assert [step.error_type for step in tool] == ["tool"]
    stuck.set()
    server.close()


async def test_old_texts_are_forgotten_and_numbers_stay(app: App, model: ModelServer) -> None:
    run = await say(app, "something personal")
    settings = app.services.settings
    aged = await kept(app, run)
    later = aged.created_at + (settings.retention_days + 2) * DAY
    done = await app.services.upkeep.forget_texts(WORKSPACE, 0, later, 100)
    assert done >= 1
    after = await kept(app, run)
    assert not after.message and not after.answer and not after.reply
    assert after.usage == aged.usage and after.latency_ms == aged.latency_ms
    assert "something personal" not in str(await steps(app, run))
    for command in (f"/run {run.id}", f"/why {run.id}", f"/retry {run.id}", "/runs"):
        shown = await say(app, command, conversation=run.conversation)
        assert shown.status in (RunStatus.SUCCEEDED, RunStatus.REFUSED), shown.error_message
    assert "runs forgotten" in await retention.work(app.services, WORKSPACE, "job")


GUEST = Sender("U0GUEST", "Visitor", is_guest=True)


async def test_a_guest_gets_a_polite_no_and_no_model_call(app: App, model: ModelServer) -> None:
    await say(app, "hello")
    asked = len(model.chats)
    run = await say(app, "@writer what did we decide?", sender=GUEST)
    assert (run.status, run.error_type) == (RunStatus.REFUSED, "forbidden")
    assert "don't answer guests here" in said(run)
    await say(app, "/role U0GUEST guest", sender=OWNER)
    named = await say(app, "and now?", sender=Sender("U0GUEST", "Visitor"))
    assert named.status is RunStatus.REFUSED and len(model.chats) == asked


async def test_guests_chat_where_the_policy_lets_them_and_never_decide(app: App) -> None:
    assert "Guests may ask" in said(await say(app, "/policy set guests: chat", sender=OWNER))
    run = await say(app, "hello", sender=GUEST)
    assert run.status is RunStatus.SUCCEEDED and not run.reply.get("rateable")
    mine = "yours is guest"
    for _ in range(2):
        for text in ("/approve P1", "/role U0GUEST approver", "/rate up"):
            refused = await say(app, text, sender=GUEST)
            assert refused.error_type == "forbidden" and mine in said(refused), text
        await say(app, "/role U0GUEST owner", sender=OWNER)
        mine = "whatever /role gives you"
    for text in ("/policy set guests: refuse", "/link"):
        assert (await say(app, text, sender=GUEST)).error_type == "forbidden", text
