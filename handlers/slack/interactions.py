"""Buttons, modals, message shortcuts and reactions → Message: pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.model.message import Message, Sender
from handlers.slack.incoming import (
    Body,
    Me,
    address,
    conversation,
    is_direct,
    is_foreign,
    part_of,
    text_of,
)
from handlers.slack.modals import Ask
from handlers.slack.outgoing import ASK, PRESS, mark_of

SHORTCUTS = {
    "make_better": ("/better", "What should be better about it?"),
    "save_workflow": ("/save-workflow", "What should the workflow be called?"),
}
"""Message shortcuts by callback id: the command they say, and what they ask first."""

DIFFERENT = "What should have been different?"
_RATED_DOWN = re.compile(r"/rate (\S+) down")
_APPROVES = re.compile(r"/approve (P\d+(?:\.\d+)?)")
_MAY_BE_EMPTY = ("/decline",)
_SAME = {"thumbsup": "+1", "thumbsdown": "-1", "heavy_check_mark": "white_check_mark"}


@dataclass(frozen=True, slots=True)
class Reacted:
    """An emoji on a message of the bot's, or one that was taken away again."""

    channel: str
    ts: str
    user: str
    verdict: str
    workspace: str
    event_id: str
    removed: bool = False
    certain: bool = False
    """Slack says itself that the message is the bot's."""

    def message(self, text: str, thread_ts: str) -> Message:
        thread = thread_ts if is_direct(self.channel) else thread_ts or self.ts
        return Message(
            workspace=self.workspace,
            channel="slack",
            event_id=self.event_id,
            conversation=conversation(self.channel, thread),
            sender=Sender(self.user),
            text=text,
            address=address(self.channel, thread, self.user),
            is_button=True,
        )


def run_of(message: Mapping[str, Any]) -> str:
    """The run id behind one of our messages, or ""."""
    mark = mark_of(message)
    return mark[0] if mark else ""


def is_ours(message: Mapping[str, Any], me: Me) -> bool:
    """Whether the bot wrote it, by what Slack says and not by what stands in it."""
    by_bot = me.bot_id and message.get("bot_id") == me.bot_id
    return bool(by_bot) or bool(me.user_id and message.get("user") == me.user_id)


def at_home(body: Body) -> bool:
    """Whether it was pressed in App Home, which is no conversation."""
    return part_of(body.get("view")).get("type") == "home"


def from_actions(body: Body, me: Me, delivery_id: str) -> list[Message | Ask]:
    """What was pressed. Buttons of other apps' making and link buttons say nothing."""
    actions = body.get("actions")
    found: list[Message | Ask] = []
    for number, item in enumerate(actions if isinstance(actions, list) else ()):
        action = part_of(item)
        name, command = text_of(action.get("action_id")), text_of(action.get("value"))
        if not name.startswith((ASK, PRESS)) or not command.startswith("/"):
            continue
        pressed, trigger = _where(body), text_of(body.get("trigger_id"))
        if name.startswith(ASK):
            kept = {**pressed, "command": command}
            optional = command.startswith(_MAY_BE_EMPTY)
            question = name.removeprefix(ASK).partition(":")[2]
            found.append(Ask(trigger, question, kept, optional=optional))
            continue
        stamp = f"{trigger}:{text_of(action.get('action_ts'))}"
        event_id = f"act:{stamp if stamp != ':' else delivery_id}:{number}"
        if message := _said(body, me, pressed, command, event_id):
            found.append(message)
            if rated := _RATED_DOWN.fullmatch(command):
                kept = {**pressed, "command": f"/better {rated[1]}"}
                found.append(Ask(trigger, DIFFERENT, kept, optional=True))
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


def from_view(body: Body, me: Me) -> tuple[Message | None, Mapping[str, str]] | None:
    """An answered modal: the command with what was typed, and what the question had kept; no
    message where words are missing. None for any other modal."""
    view = part_of(body.get("view"))
    kept = _kept(text_of(view.get("private_metadata")))
    typed = _typed(part_of(part_of(view.get("state")).get("values")))
    command = kept.get("command", "")
    if view.get("callback_id") != ASK or not command.startswith("/"):
        return None
    if not typed and not command.startswith(_MAY_BE_EMPTY):
        return None, kept
    event_id = f"view:{text_of(view.get('id')) or text_of(body.get('trigger_id'))}"
    message = _said(body, me, kept, f"{command} {typed}".strip(), event_id)
    return (message, kept) if message else None


def with_run(message: Message, run_id: str) -> Message:
    """The command with the run it is about, where that command takes it."""
    command, _, rest = message.text.partition(" ")
    words = (command, rest, run_id) if command == "/save-workflow" else (command, run_id, rest)
    return replace(message, text=" ".join(filter(None, words)))


def from_reaction(body: Body, me: Me, says: Mapping[str, str]) -> Reacted | None:
    """An emoji that `says` something, put on one of the bot's own messages or taken away."""
    event = part_of(body.get("event"))
    item = part_of(event.get("item"))
    name = text_of(event.get("reaction")).partition("::")[0]
    user, channel, ts = text_of(event.get("user")), text_of(item.get("channel")), item.get("ts")
    verdict = _verdict(name, says)
    if not (verdict and user and channel and isinstance(ts, str)):
        return None
    if user == me.user_id or event.get("item_user", me.user_id) != me.user_id:
        return None
    removed = event.get("type") == "reaction_removed"
    stamp = text_of(event.get("event_ts")) or text_of(body.get("event_id"))
    return Reacted(
        channel=channel,
        ts=ts,
        user=user,
        verdict=verdict,
        workspace=me.workspace,
        event_id=f"{'un' if removed else ''}react:{channel}:{ts}:{user}:{name}:{stamp}",
        removed=removed,
        certain="item_user" in event,
    )


def command_of(
    reacted: Reacted, found: Mapping[str, Any], me: Me, says: Mapping[str, str]
) -> str | None:
    """What an emoji on the message `found` says; None where that is nothing."""
    if ref := _offered(found):
        decides = reacted.verdict in ("approve", "decline") and not reacted.removed
        trusted = reacted.certain or is_ours(found, me)
        return f"/{reacted.verdict} {ref}" if decides and trusted else None
    run_id = run_of(found)
    if not run_id:
        return None
    rating = _rating(reacted.verdict)
    if reacted.removed:
        rating = next(_left(found, reacted.user, says), "none")
    return f"/rate {run_id} {rating}"


def _offered(message: Mapping[str, Any]) -> str:
    """The proposal that a message lets people decide on, or ""."""
    blocks = message.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        elements = part_of(block).get("elements")
        for element in elements if isinstance(elements, list) else ():
            if found := _APPROVES.fullmatch(text_of(part_of(element).get("value"))):
                return found[1]
    return ""


def _left(message: Mapping[str, Any], user: str, says: Mapping[str, str]) -> Iterator[str]:
    """The ratings that a person's other emoji on the message still give."""
    reactions = message.get("reactions")
    for item in reactions if isinstance(reactions, list) else ():
        users = part_of(item).get("users")
        verdict = _verdict(text_of(part_of(item).get("name")).partition("::")[0], says)
        if verdict and isinstance(users, list) and user in users:
            yield _rating(verdict)


def _verdict(name: str, says: Mapping[str, str]) -> str:
    return says.get(name) or says.get(_SAME.get(name, ""), "")


def _rating(verdict: str) -> str:
    return "up" if verdict in ("up", "approve") else "down"


def _where(body: Body) -> dict[str, str]:
    """The place of an interaction, as strings that fit a modal's private metadata."""
    container, message = part_of(body.get("container")), part_of(body.get("message"))
    channel = text_of(part_of(body.get("channel")).get("id"))
    channel = channel or text_of(container.get("channel_id"))
    thread_ts = text_of(message.get("thread_ts")) or text_of(container.get("thread_ts"))
    if not (thread_ts or is_direct(channel) or container.get("is_ephemeral")):
        thread_ts = text_of(message.get("ts")) or text_of(container.get("message_ts"))
    found = {"channel": channel, "thread_ts": thread_ts}
    if at_home(body):
        found["home"] = "yes"
    return {**found, "response_url": text_of(body.get("response_url"))}


def _said(body: Body, me: Me, where: Mapping[str, str], text: str, event_id: str) -> Message | None:
    person = part_of(body.get("user"))
    user, channel = text_of(person.get("id")), where.get("channel", "")
    if not (user and channel):
        return None
    thread_ts = where.get("thread_ts", "")
    foreign = is_foreign(text_of(person.get("team_id")), body, me)
    name = text_of(person.get("name")) or text_of(person.get("username"))
    return Message(
        workspace=me.workspace,
        channel="slack",
        event_id=event_id,
        conversation=conversation(channel, thread_ts),
        sender=Sender(user, name, is_guest=foreign),
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
