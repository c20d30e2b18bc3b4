"""What Slack sends: events, commands and interactions as payloads, and signed requests of them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

TEAM, BOT, BOT_ID, CHANNEL, DM, USER = (
    "T0HOME",
    "U0BOT",
    "B0BOT",
    "C0GENERAL",
    "D0MEMBER",
    "U0MEMBER",
)
TS = "1780000000.000100"

Payload = dict[str, Any]


def event(inner: Mapping[str, Any], *, team: str = TEAM, event_id: str = "Ev1") -> Payload:
    return {
        "type": "event_callback",
        "team_id": team,
        "api_app_id": "A0APP",
        "event_id": event_id,
        "event_time": 1780000000,
        "authorizations": [{"team_id": team, "user_id": BOT, "is_bot": True}],
        "event": dict(inner),
    }


def mention(text: str, *, ts: str = TS, user: str = USER, **more: Any) -> Payload:
    inner = {"type": "app_mention", "channel": CHANNEL, "user": user, "ts": ts, "event_ts": ts}
    return event({**inner, "text": f"<@{BOT}> {text}", **more}, event_id=f"Ev{ts}a")


def said(
    text: str, *, channel: str = CHANNEL, ts: str = TS, user: str = USER, **more: Any
) -> Payload:
    kind = "im" if channel.startswith("D") else "channel"
    inner = {"type": "message", "channel": channel, "user": user, "ts": ts, "channel_type": kind}
    return event({**inner, "text": text, "event_ts": ts, **more}, event_id=f"Ev{ts}m")


def reaction(name: str, ts: str, *, channel: str = CHANNEL, user: str = USER) -> Payload:
    item = {"type": "message", "channel": channel, "ts": ts}
    inner = {"type": "reaction_added", "user": user, "reaction": name, "item": item}
    return event({**inner, "item_user": BOT, "event_ts": "1780000100.000001"}, event_id="EvR")


def slash(command: str, text: str = "", *, channel: str = CHANNEL, **more: Any) -> Payload:
    return {
        "command": command,
        "text": text,
        "team_id": TEAM,
        "channel_id": channel,
        "user_id": USER,
        "user_name": "member",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "api_app_id": "A0APP",
        **more,
    }


def press(
    element: Mapping[str, Any], message: Mapping[str, Any], *, channel: str = CHANNEL, **more: Any
) -> Payload:
    """A pressed button of a recorded message; `element` is the button, or half of a thumb."""
    action = {"type": "button", "action_ts": "1780000200.000002", "block_id": "b1", **element}
    return {
        "type": "block_actions",
        "team": {"id": TEAM, "domain": "home"},
        "user": {"id": USER, "username": "member", "team_id": TEAM},
        "channel": {"id": channel, "name": "general"},
        "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel},
        "message": dict(message),
        "actions": [action],
        "trigger_id": "1.2.press",
        **more,
    }


def shortcut(callback_id: str, message: Mapping[str, Any], *, channel: str = CHANNEL) -> Payload:
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "trigger_id": "1.2.shortcut",
        "team": {"id": TEAM},
        "user": {"id": USER, "name": "member", "team_id": TEAM},
        "channel": {"id": channel, "name": "general"},
        "message_ts": message["ts"],
        "message": dict(message),
    }


def submitted(view: Mapping[str, Any], typed: str) -> Payload:
    """The answer to a modal that was opened."""
    block = view["blocks"][0]
    values = {block["block_id"]: {block["element"]["action_id"]: {"value": typed}}}
    return {
        "type": "view_submission",
        "team": {"id": TEAM},
        "user": {"id": USER, "name": "member", "team_id": TEAM},
        "trigger_id": "1.2.view",
        "view": {**view, "id": "V1", "state": {"values": values}},
    }


def bot_of(team: str) -> str:
    """The bot's user id in a team."""
    return BOT if team == TEAM else f"{BOT}{team}"


def of_team(team: str, payload: Payload) -> Payload:
    """The same delivery, for another workspace."""
    raw = json.dumps(payload).replace(f"<@{BOT}>", f"<@{bot_of(team)}>").replace(TEAM, team)
    found: Payload = json.loads(
        raw.replace(f'"item_user": "{BOT}"', f'"item_user": "{bot_of(team)}"')
    )
    return found


def encoded(payload: Payload) -> tuple[bytes, str]:
    """Body and content type, as Slack puts each kind on the wire."""
    if "command" in payload:
        return urlencode(payload).encode(), "application/x-www-form-urlencoded"
    if payload.get("type") in ("block_actions", "message_action", "view_submission"):
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return body, "application/x-www-form-urlencoded"
    return json.dumps(payload).encode(), "application/json"


def signed(secret: str, body: bytes, timestamp: int, kind: str) -> dict[str, str]:
    """The headers of a request from Slack; `timestamp` in seconds."""
    base = f"v0:{timestamp}:".encode() + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "content-type": kind,
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": f"v0={digest}",
    }
