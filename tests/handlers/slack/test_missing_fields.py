"""Any field of any delivery may be missing or something else: nothing breaks, nothing is sent again."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.slack_payloads import (
    BOT,
    DM,
    TS,
    USER,
    Payload,
    event,
    mention,
    press,
    reaction,
    said,
    shortcut,
    slash,
    submitted,
)
from tests.handlers.slack.conftest import Slack

RUN = "01890abc-0000-7000-8000-000000000001"
VIEW = {
    "type": "modal",
    "callback_id": "ratchet:ask:",
    "private_metadata": '{"channel": "C0GENERAL", "command": "/edit P12"}',
    "blocks": [{"block_id": "asked", "element": {"action_id": "typed"}}],
}
MARKS = {"event_type": "ratchet_run", "event_payload": {"run_id": RUN, "delivery": "d", "part": 0}}
MESSAGE = {"ts": TS, "thread_ts": "1.1", "user": BOT, "metadata": MARKS, "blocks": [{"type": "x"}]}
DELIVERIES: dict[str, Payload] = {
    "mention": mention("hello", user_team="T0HOME", files=[{"id": "F1", "url_private": "x"}]),
    "direct": said("hello", channel=DM),
    "reaction": reaction("+1", TS),
    "slash": slash("/better", "x", response_url="https://x"),
    "press": press({"action_id": "ratchet:press:0", "value": "/approve P1"}, MESSAGE),
    "ask": press({"action_id": "ratchet:ask:0:Why?", "value": "/decline P1"}, MESSAGE),
    "thumb": press({"action_id": "ratchet:press:rate", "value": f"/rate {RUN} down"}, MESSAGE),
    "shortcut": shortcut("make_better", MESSAGE),
    "view": submitted(VIEW, "words"),
    "home": event({"type": "app_home_opened", "user": USER, "channel": DM, "tab": "home"}),
    "messages": event({"type": "app_home_opened", "user": USER, "channel": DM, "tab": "messages"}),
    "stop": event({"type": "agent_session_stopped", "channel": DM, "user": USER, "thread_ts": TS}),
    "context": event({"type": "app_context_changed", "context": {"entities": [{"type": "x"}]}}),
    "gone": event({"type": "app_uninstalled"}),
    "revoked": event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": [BOT]}}),
}
JUNK: tuple[Any, ...] = (None, 7, "", "x", [], [None], {}, {"id": 7})


def spoiled(payload: Payload) -> Iterator[Payload]:
    """The delivery with each of its fields gone, and with each something else."""
    for path in _paths(payload):
        gone = copy.deepcopy(payload)
        del _at(gone, path[:-1])[path[-1]]
        yield gone
        for junk in JUNK:
            odd = copy.deepcopy(payload)
            _at(odd, path[:-1])[path[-1]] = junk
            yield odd


def _paths(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list) and len(path) < 3:
            yield from _paths(value, (*path, key))


def _at(found: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        found = found[key]
    return found


@pytest.mark.parametrize("kind", DELIVERIES)
async def test_a_field_less_or_another_breaks_nothing(slack: Slack, kind: str) -> None:
    slack.server.messages.append({**MESSAGE, "channel": "C0GENERAL"})
    for payload in spoiled(DELIVERIES[kind]):
        headers, body = slack.signed(payload)
        status = (await slack.raw(body, headers)).status_code
        assert status in (200, 400), payload
    assert "slack_delivery_failed" not in slack.log.events(), slack.log.lines[-1]
    assert await slack.post(mention("still here", ts="1780000050.000100")) == 200
    assert slack.inbox.texts[-1] == "still here"
