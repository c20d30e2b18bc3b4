"""Slack events and slash commands → Message: pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.model.file import FileRef
from bot.model.message import Message, Sender
from handlers.slack.readable import as_command, is_known, readable, without_mention

SUBSCRIBED = (
    "app_mention",
    "message",
    "app_home_opened",
    "app_context_changed",
    "agent_session_stopped",
    "reaction_added",
    "reaction_removed",
    "app_uninstalled",
    "tokens_revoked",
)
"""Every event type the manifest subscribes to."""

_SAID = {"", "file_share", "thread_broadcast", "me_message"}
"""Message subtypes that a person wrote; the others tell of edits, deletions, joins and bots."""

_NOT_A_PERSON = ("bot_id", "bot_profile", "app_id", "workflow_id", "hidden")

_MOST_FILES = 10

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_DELIVERED_FOR, _CLOCKS_DIFFER = 25 * 3_600_000, 300_000

HOME = "local"
"""The workspace of the token that the settings hold; any other is named after its team."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is in one of Slack's workspaces, by auth.test, and what we call it."""

    user_id: str
    bot_id: str
    team_id: str
    workspace: str = HOME


@dataclass(frozen=True, slots=True)
class Heard:
    """`addressed` False: a thread reply that is for the bot only where it takes part."""

    message: Message
    addressed: bool = True


def text_of(value: object) -> str:
    """A string field of a payload, or "" where it is missing or something else; without what no
    database holds."""
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def part_of(value: object) -> Mapping[str, Any]:
    """An object inside a payload, or {} where it is missing or something else."""
    return value if isinstance(value, Mapping) else {}


def team_of(body: Body) -> str:
    """The team whose installation of the app a delivery is for, "" where it doesn't say. In a
    shared channel that isn't the team of whoever wrote."""
    view, user, team = (part_of(body.get(key)) for key in ("view", "user", "team"))
    installed = body.get("authorizations")
    first = part_of(installed[0]) if isinstance(installed, list) and installed else {}
    named = (
        view.get("app_installed_team_id"),
        first.get("team_id"),
        body.get("context_team_id"),
        team.get("id"),
        body.get("team"),
        body.get("team_id"),
        user.get("team_id"),
    )
    return next(filter(None, map(text_of, named)), "")


def shown_by(body: Body) -> str:
    """The team whose bot posted what was pressed, where that is said. In a shared channel a press
    comes with the team of whoever pressed."""
    if body.get("type") != "block_actions":
        return ""
    message = part_of(body.get("message"))
    poster = text_of(part_of(message.get("bot_profile")).get("team_id"))
    return poster or text_of(message.get("team"))


def is_foreign(team: str, body: Body, me: Me) -> bool:
    """Whether a person's team is another company's."""
    installed = body.get("authorizations")
    first = part_of(installed[0]) if isinstance(installed, list) and installed else {}
    org = (first.get("enterprise_id"), part_of(body.get("enterprise")).get("id"))
    ours = {me.team_id, text_of(body.get("context_enterprise_id")), *map(text_of, org)}
    return team.startswith(("T", "E")) and bool(me.team_id) and team not in ours


def is_direct(channel: str, kind: str = "") -> bool:
    """Whether a channel is a conversation with one person."""
    return kind == "im" or channel.startswith("D")


def conversation(channel: str, thread_ts: str) -> str:
    return f"slack:{channel}:{thread_ts}" if thread_ts else f"slack:{channel}"


def address(channel: str, thread_ts: str, user: str, **more: str) -> dict[str, object]:
    """Where the reply goes; what is empty is left out."""
    found = {"channel": channel, "thread_ts": thread_ts, "user": user, **more}
    return {name: value for name, value in found.items() if value}


def from_event(body: Body, me: Me, names: Collection[str], now: int) -> Heard | None:
    """A mention, a direct message or a thread reply; None for what nobody said to the bot. `now`
    is ms since the epoch.

    The same message comes as `app_mention` and as `message`, and again on every retry: its
    channel and ts make it one.
    """
    event = part_of(body.get("event"))
    channel, ts, user = (text_of(event.get(key)) for key in ("channel", "ts", "user"))
    if not (channel and ts and user) or not _by_person(event, me):
        return None
    direct = is_direct(channel, text_of(event.get("channel_type")))
    files = files_of(event)
    raw, mentioned, first = without_mention(text_of(event.get("text")), me.user_id)
    text = as_command(readable(raw), names, bare=first)
    marked = is_known(text, names)
    text = text if text or files else "/help"
    replied_to = text_of(event.get("thread_ts"))
    thread_ts = replied_to if direct else replied_to or ts
    team = _author_team(event, body)
    foreign = is_foreign(team, body, me)
    message = Message(
        workspace=me.workspace,
        channel="slack",
        event_id=f"msg:{channel}:{ts}",
        conversation=conversation(channel, thread_ts),
        sender=Sender(user, is_guest=foreign),
        text=text,
        address=address(
            channel,
            thread_ts,
            user,
            ts="" if text.startswith(("/", "!")) else ts,
            team=team if foreign else "",
        ),
        sent_at=_ms(ts, now),
        files=files,
    )
    if direct or mentioned or event.get("type") == "app_mention" or marked:
        return Heard(message)
    if replied_to and event.get("parent_user_id") == me.user_id and (raw or files):
        return Heard(message)  # below a card or a digest of ours
    return Heard(message, addressed=False) if replied_to and (raw or files) else None


def files_of(event: Body) -> tuple[FileRef, ...]:
    """The files that came with a message and that can be asked for."""
    listed = event.get("files")
    found = [file_of(part_of(f)) for f in (listed if isinstance(listed, list) else ())]
    return tuple(file for file in found if file)[:_MOST_FILES]


def file_of(file: Body) -> FileRef | None:
    """A file as Slack describes it; None where it is deleted, or hidden by the team's plan. One
    of another company may have no more than an id."""
    name = text_of(file.get("name")) or text_of(file.get("title")) or "file"
    url = text_of(file.get("url_private_download")) or text_of(file.get("url_private"))
    file_id, size = text_of(file.get("id")), file.get("size")
    if file.get("mode") in ("tombstone", "hidden_by_limit", "external") or not (url or file_id):
        return None
    return FileRef(
        name[:200],
        text_of(file.get("mimetype")),
        size if isinstance(size, int) and size > 0 else 0,
        {key: value for key, value in (("url", url), ("id", file_id)) if value},
    )


def stranger_among(body: Body, me: Me) -> str:
    """In a shared channel, where the message doesn't say that its author is one of ours: our team,
    whose people alone are no guests there. Else ""."""
    event = part_of(body.get("event"))
    known = _author_team(event, body) == me.team_id
    return me.team_id if body.get("is_ext_shared_channel") and not known else ""


def from_slash(
    body: Body, me: Me, names: Collection[str], delivery_id: str, prefix: str = ""
) -> Message | None:
    """A slash command; `delivery_id` stands in where the payload has no trigger id."""
    channel, user = text_of(body.get("channel_id")), text_of(body.get("user_id"))
    word = text_of(body.get("command"))
    if prefix and word.startswith(f"/{prefix}-"):
        word = "/" + word.removeprefix(f"/{prefix}-")
    if not (channel and user and word):
        return None
    said = readable(text_of(body.get("text")))
    text = as_command(f"{word} {said}".strip(), names)
    if not is_known(text, names) and is_known(f"/{said}", names):
        text = as_command(f"/{said}", names)
    return Message(
        workspace=me.workspace,
        channel="slack",
        event_id=f"cmd:{text_of(body.get('trigger_id')) or delivery_id}",
        conversation=conversation(channel, ""),
        sender=Sender(user, text_of(body.get("user_name"))),
        text=text,
        address=address(channel, "", user, response_url=text_of(body.get("response_url"))),
    )


def from_stop(body: Body, me: Me) -> Message | None:
    """Slack's own Stop button: the same as /stop in that thread."""
    event = part_of(body.get("event"))
    channel = text_of(event.get("channel")) or text_of(event.get("channel_id"))
    user = text_of(event.get("user")) or text_of(event.get("user_id"))
    if not (channel and user):
        return None
    thread_ts = text_of(event.get("thread_ts"))
    stamp = text_of(event.get("event_ts")) or text_of(body.get("event_id"))
    return Message(
        workspace=me.workspace,
        channel="slack",
        event_id=f"stop:{channel}:{thread_ts}:{stamp}",
        conversation=conversation(channel, thread_ts),
        sender=Sender(user),
        text="/stop",
        address=address(channel, thread_ts, user),
        is_button=True,
    )


def _by_person(event: Mapping[str, Any], me: Me) -> bool:
    """Bots never: not this one, no other app, no workflow, and no message without an author."""
    if any(event.get(key) for key in _NOT_A_PERSON):
        return False
    if text_of(event.get("subtype")) not in _SAID:
        return False
    return event.get("user") not in (me.user_id, "USLACKBOT")


def _author_team(event: Mapping[str, Any], body: Body) -> str:
    shared = body.get("is_ext_shared_channel") and event.get("team")
    named = (event.get("user_team"), event.get("source_team"), shared)
    return next(filter(None, map(text_of, named)), "")


def _ms(ts: str, now: int) -> int | None:
    """When a message was sent, or None where its ts can't be a time: Slack delivers for a day."""
    try:
        sent = round(float(ts) * 1000)
    except (ValueError, OverflowError):
        return None
    return sent if now - _DELIVERED_FOR < sent <= now + _CLOCKS_DIFFER else None
