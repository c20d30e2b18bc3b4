"""What tests say to a whole Ratchet, and how they wait for what comes of it."""

from dataclasses import replace
from typing import Any

from bot.app import App
from bot.clock import SystemIds
from bot.model.message import Message, Sender
from bot.model.run import Run, Step

OWNER = Sender("owner", "owner", trusted_local=True)
MEMBER = Sender("U1", "member")
WORKSPACE = "local"
_IDS = SystemIds()
_WITHIN = 30.0


def message(text: str, **changes: Any) -> Message:
    """From a member in a Slack channel, each in a conversation of its own unless one is named."""
    event = _IDS.run_id()
    made = Message(WORKSPACE, "slack", event, f"c:{event}", MEMBER, text, {"channel": "C1"})
    return replace(made, **changes)


async def start(app: App, text: str, **changes: Any) -> str:
    return (await app.inbox.accept(message(text, **changes))).run_id


async def ended(app: App, run_id: str) -> Run:
    run = await app.inbox.wait(WORKSPACE, run_id, _WITHIN)
    assert run.finished_at, f"{run.id} is still {run.status}"
    return run


async def say(app: App, text: str, **changes: Any) -> Run:
    return await ended(app, await start(app, text, **changes))


async def steps(app: App, run: Run) -> list[Step]:
    return await app.services.runs.steps(WORKSPACE, run.id)


async def kept(app: App, run: Run) -> Run:
    """As it stands in the database."""
    found = await app.services.runs.get(WORKSPACE, run.id)
    assert found is not None
    return found


def said(run: Run) -> str:
    """What the person gets to read."""
    return str(run.reply["text"])


def buttons(run: Run) -> list[str]:
    shown = run.reply.get("buttons", [])
    assert isinstance(shown, list)
    return [button["command"] for button in shown]
