"""Buttons, modals, message shortcuts and reactions → Message: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.model.message import Message, Sender
from handlers.slack.incoming import (
    Body,
    Me,
    address,
    conversation,
    is_direct,
    part_of,
    text_of,
    workspace,
)
from handlers.slack.outgoing import ASK, PRESS, mark_of

SHORTCUTS = {
    "make_better": ("/better", "What should be better about it?"),
    "save_workflow": ("/save-workflow", "What should the workflow be called?"),
}
"""Message shortcuts by callback id: the command they say, and what they ask first."""

_UP, _DOWN = {"+1", "thumbsup"}, {"-1", "thumbsdown"}


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to put in a modal. `kept` comes back with the answer (strings only)."""

    trigger_id: str
    question: str
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reacted:
    """A thumb on a message; `command` is rendered once the run behind the message is known."""

    channel: str
    ts: str
    user: str
    verdict: str
    workspace: str
    event_id: str

    def message(self, run_id: str, thread_ts: str) -> Message:
        thread = thread_ts if is_direct(self.channel) else thread_ts or self.ts
        return Message(
            workspace=self.workspace,
            channel="slack",
            event_id=self.event_id,
            conversation=conversation(self.channel, thread),
            sender=Sender(self.user),
            text=f"/rate {run_id} {self.verdict}",
            address=address(self.channel, thread, self.user),
            is_button=True,
        )


def run_of(message: Mapping[str, Any]) -> str:
    """The run id behind one of our messages, or ""."""
    mark = mark_of(message)
    return mark[0] if mark else ""


def from_actions(body: Body, me: Me, delivery_id: str) -> list[Message | Ask]:
    """What was pressed. Buttons of other apps' making and link buttons say nothing."""
    actions = body.get("actions")
    found: list[Message | Ask] = []
    for number, item in enumerate(actions if isinstance(actions, list) else ()):
        action = part_of(item)
        name, command = text_of(action.get("action_id")), text_of(action.get("value"))
        if not name.startswith((ASK, PRESS)) or not command.startswith("/"):
            continue
        pressed = _where(body)
        if name.startswith(ASK):
            question = name.removeprefix(ASK).partition(":")[2]
            kept = {**pressed, "command": command}
            found.append(Ask(text_of(body.get("trigger_id")), question, kept))
            continue
        stamp = f"{text_of(body.get('trigger_id'))}:{text_of(action.get('action_ts'))}"
        event_id = f"act:{stamp if stamp != ':' else delivery_id}:{number}"
        if message := _said(body, me, pressed, command, event_id):
            found.append(message)
    return found


def from_shortcut(body: Body) -> Ask | None:
    """A message shortcut of ours, which asks before it says its command."""
    known = SHORTCUTS.get(text_of(body.get("callback_id")))
    if known is None:
        return None
    command, question = known
    message = part_of(body.get("message"))
    kept = {**_where(body), "command": command, "run": run_of(message)}
    if command == "/better":
        kept["about"] = text_of(message.get("ts"))
    return Ask(text_of(body.get("trigger_id")), question, kept)


def from_view(body: Body, me: Me) -> tuple[Message, Mapping[str, str]] | None:
    """An answered modal: the command with what was typed, and what the question had kept."""
    view = part_of(body.get("view"))
    kept = _kept(text_of(view.get("private_metadata")))
    typed = _typed(part_of(part_of(view.get("state")).get("values")))
    command = kept.get("command", "")
    if view.get("callback_id") != ASK or not command.startswith("/"):
        return None
    event_id = f"view:{text_of(view.get('id')) or text_of(body.get('trigger_id'))}"
    message = _said(body, me, kept, f"{command} {typed}".strip(), event_id)
    return (message, kept) if message else None


def with_run(message: Message, run_id: str) -> Message:
    """The command with the run it is about as its first argument."""
    command, _, rest = message.text.partition(" ")
    return replace(message, text=f"{command} {run_id} {rest}".strip())


def from_reaction(body: Body, me: Me) -> Reacted | None:
    """A thumb on one of the bot's own messages."""
    event = part_of(body.get("event"))
    item = part_of(event.get("item"))
    name = text_of(event.get("reaction")).partition("::")[0]
    user, channel, ts = text_of(event.get("user")), text_of(item.get("channel")), item.get("ts")
    if name not in _UP | _DOWN or not (user and channel and isinstance(ts, str)):
        return None
    if user == me.user_id or event.get("item_user", me.user_id) != me.user_id:
        return None
    stamp = text_of(event.get("event_ts")) or text_of(body.get("event_id"))
    return Reacted(
        channel=channel,
        ts=ts,
        user=user,
        verdict="up" if name in _UP else "down",
        workspace=workspace(text_of(body.get("team_id")), me),
        event_id=f"react:{channel}:{ts}:{user}:{name}:{stamp}",
    )


def _where(body: Body) -> dict[str, str]:
    """The place of an interaction, as strings that fit a modal's private metadata."""
    container, message = part_of(body.get("container")), part_of(body.get("message"))
    channel = text_of(part_of(body.get("channel")).get("id"))
    channel = channel or text_of(container.get("channel_id"))
    thread_ts = text_of(message.get("thread_ts")) or text_of(container.get("thread_ts"))
    if not (thread_ts or is_direct(channel) or container.get("is_ephemeral")):
        thread_ts = text_of(message.get("ts")) or text_of(container.get("message_ts"))
    url = text_of(body.get("response_url"))
    return {"channel": channel, "thread_ts": thread_ts, "response_url": url}


def _said(body: Body, me: Me, where: Mapping[str, str], text: str, event_id: str) -> Message | None:
    person = part_of(body.get("user"))
    user, channel = text_of(person.get("id")), where.get("channel", "")
    if not (user and channel):
        return None
    thread_ts = where.get("thread_ts", "")
    team = text_of(part_of(body.get("team")).get("id")) or text_of(person.get("team_id"))
    name = text_of(person.get("name")) or text_of(person.get("username"))
    return Message(
        workspace=workspace(team, me),
        channel="slack",
        event_id=event_id,
        conversation=conversation(channel, thread_ts),
        sender=Sender(user, name),
        text=text,
        address=address(channel, thread_ts, user, response_url=where.get("response_url", "")),
        is_button=True,
    )


def _kept(metadata: str) -> dict[str, str]:
    try:
        found = part_of(json.loads(metadata))
    except ValueError:
        return {}
    return {key: text_of(value) for key, value in found.items()}


def _typed(values: Mapping[str, Any]) -> str:
    """The first text input's value, whatever its block is called."""
    for block in values.values():
        for element in part_of(block).values():
            if typed := text_of(part_of(element).get("value")).strip():
                return typed
    return ""
